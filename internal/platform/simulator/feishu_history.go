package simulator

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// feishuPage is the most messages that are listed at once.
const feishuPage = 50

// feishuList is what a list of messages was asked for.
type feishuList struct {
	at         talk
	since, end time.Time // zero: no limit
	newest     bool      // first
	size       int
	from       int // how many messages were listed before
}

// listMessages follows "Get chat history".
func (s *feishuServer) listMessages(r *http.Request) (any, *refusal) {
	if s.withheld("im:message:readonly") { // of those that suffice, the one that it has
		no := refuse(99991672, "Access denied. One of the following scopes is required: [im:message, im:message:readonly, im:message.history:readonly].")
		no.missing = []string{"im:message", "im:message:readonly", "im:message.history:readonly"}
		return nil, no
	}
	query, no := s.listQuery(r.URL.Query())
	if no != nil {
		return nil, no
	}
	if query.at.group != "" && !s.opt.HearAll {
		return nil, refuse(230027, "Lack of necessary permissions, ext=need scope: im:message.group_msg")
	}
	if no := s.reachable(query.at); no != nil {
		return nil, no
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []any{}
	s.messages.each(func(m *feishuMessage) bool {
		if m.at == query.at && !m.made.Before(query.since) && (query.end.IsZero() || !m.made.After(query.end)) {
			all = append(all, s.describe(m))
		}
		return true
	})
	if query.newest {
		slices.Reverse(all)
	}
	end := min(query.from+query.size, len(all))
	answer := map[string]any{"items": all[min(query.from, end):end], "has_more": end < len(all)}
	if end < len(all) {
		answer["page_token"] = pageToken(r.URL.Query(), end)
	}
	return answer, nil
}

func (s *feishuServer) listQuery(q url.Values) (feishuList, *refusal) {
	l := feishuList{size: 20}
	wrong := func(what string) (feishuList, *refusal) {
		return l, refuse(230001, "Your request contains an invalid request parameter, ext="+what)
	}
	for name := range q {
		if !slices.Contains([]string{"container_id_type", "container_id", "start_time", "end_time", "sort_type", "page_size", "page_token", "card_msg_content_type"}, name) {
			s.violate("feishu: a list of messages has no parameter %q", name)
			return wrong(name)
		}
	}
	if q.Get("container_id_type") != "chat" {
		return wrong("container_id_type") // it has no topics
	}
	var no *refusal
	if l.at, no = s.chatOf(q.Get("container_id")); no != nil {
		if no.code != 230002 {
			return wrong("container_id")
		}
		return l, no
	}
	for name, at := range map[string]*time.Time{"start_time": &l.since, "end_time": &l.end} {
		if text := q.Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || len(text) != len("1608594809") { // seconds, not milliseconds
				return wrong(name)
			}
			*at = time.Unix(n, 0)
		}
	}
	if sort := q.Get("sort_type"); sort != "" {
		if l.newest = sort == "ByCreateTimeDesc"; !l.newest && sort != "ByCreateTimeAsc" {
			return wrong("sort_type")
		}
	}
	if text := q.Get("page_size"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > feishuPage {
			return wrong("page_size")
		}
		l.size = n
	}
	if token := q.Get("page_token"); token != "" {
		if l.from, no = pageFrom(q, token); no != nil {
			return l, no
		}
	}
	return l, nil
}

// pageToken leads to the next page of the same list: another order, chat or time
// makes it another list.
func pageToken(q url.Values, from int) string {
	list := strings.Join([]string{q.Get("container_id"), q.Get("start_time"), q.Get("end_time"), q.Get("sort_type"), strconv.Itoa(from)}, " ")
	return base64.URLEncoding.EncodeToString([]byte(list))
}

func pageFrom(q url.Values, token string) (int, *refusal) {
	list, err := base64.URLEncoding.DecodeString(token)
	words := strings.Split(string(list), " ")
	from, wrong := strconv.Atoi(words[len(words)-1])
	if err != nil || wrong != nil || pageToken(q, from) != token {
		return 0, refuse(230001, "Your request contains an invalid request parameter, ext=page_token")
	}
	return from, nil
}
