package difytest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const nobody = "00000000-0000-0000-0000-000000000000"

// talk is a conversation.
type talk struct {
	id, user, name  string
	made, changed   int64
	order, turns    int // of the last change
	values          map[string]string
	messages        []*message
	changedVariable map[string]int64
}

// message is a question and its answer.
type message struct {
	id, user, answer, status, failure, rating string
	feedback                                  string // its id
	query                                     string
	inputs                                    object
	made                                      int64
	tokens                                    int // rounds with the model
	opinion                                   any
	rated                                     time.Time
}

// begin begins a conversation.
func (s *Server) begin(a *app, user string, q Question) *talk {
	t := &talk{id: s.id(), user: user, name: q.Query, made: now(), values: map[string]string{}, changedVariable: map[string]int64{}}
	if q.Name != nil && !*q.Name {
		t.name = "New conversation"
	}
	for _, v := range a.Variables {
		t.values[v.ID] = v.Value
	}
	a.talks[t.id] = t
	s.touch(t)
	return t
}

func (s *Server) touch(t *talk) {
	s.next++
	t.changed, t.order = now(), s.next
}

// sorted are the conversations with a user, the newest first.
func (a *app) sorted(user string) []*talk {
	var all []*talk
	for _, t := range a.talks {
		if t.user == user {
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(x, y *talk) int { return cmp.Compare(y.order, x.order) })
	return all
}

func (t *talk) show(a *app) object {
	var opening any
	if a.wants.Opening != nil {
		opening = *a.wants.Opening
	}
	return object{"id", t.id, "name", t.name, "inputs", object{}, "status", "normal", "introduction", opening, "created_at", t.made, "updated_at", t.changed}
}

// limit is how many things a list may have, which the caller says.
func (c *call) limit() int {
	if n, err := strconv.Atoi(c.r.URL.Query().Get("limit")); err == nil {
		return n
	}
	return 20
}

// page answers with the first things of a list.
func page[T any](c *call, all []T, show func(T) object) {
	shown := []any{}
	limit := c.limit()
	for _, one := range all[:min(limit, len(all))] {
		shown = append(shown, show(one))
	}
	say(c, http.StatusOK, object{"limit", limit, "has_more", len(all) > limit, "data", shown})
}

func (*Server) listTalks(c *call) {
	by := c.r.URL.Query().Get("sort_by")
	faults := c.upTo("limit", 100)
	if by != "" {
		faults = append(faults, oneOf(object{"sort_by", by}, "sort_by", "'created_at', '-created_at', 'updated_at' or '-updated_at'")...)
	}
	if refusal := unfit("ConversationListQuery", faults); refusal != nil {
		refusal.send(c)
		return
	}
	all := c.app.sorted(c.user)
	if strings.HasSuffix(by, "created_at") {
		slices.SortStableFunc(all, func(x, y *talk) int { return cmp.Compare(y.id, x.id) }) // ids count
	}
	if by != "" && by[0] != '-' {
		slices.Reverse(all)
	}
	if last := c.r.URL.Query().Get("last_id"); last != "" {
		at := slices.IndexFunc(all, func(t *talk) bool { return t.id == last })
		if at < 0 {
			guessed(c.r.URL.Path, "Last Conversation Not Exists.").send(c)
			return
		}
		all = all[at+1:]
	}
	page(c, all, func(t *talk) object { return t.show(c.app) })
}

// talk is the conversation that a path names, if it is the user's.
func (c *call) talk() *talk {
	t := c.app.talks[c.r.PathValue("uuid")]
	if t == nil || t.user != c.user {
		notFound("Conversation Not Exists.").send(c)
		return nil
	}
	return t
}

func (s *Server) rename(c *call) {
	byItself, _ := c.body.get("auto_generate").(bool)
	name := c.field("name")
	if name == "" && !byItself {
		unfit("ConversationRenamePayload", []fault{noValue("", "name is required when auto_generate is false", c.body)}).send(c)
		return
	}
	t := c.talk()
	if t == nil {
		return
	}
	if t.name = name; byItself && len(t.messages) > 0 {
		t.name = t.messages[0].query
	}
	s.touch(t)
	say(c, http.StatusOK, t.show(c.app))
}

func (*Server) forget(c *call) {
	t := c.talk()
	if t == nil {
		return
	}
	delete(c.app.talks, t.id)
	for _, m := range t.messages {
		delete(c.app.messages, m.id)
	}
	c.Header().Set("Content-Type", "application/json")
	c.WriteHeader(http.StatusNoContent)
}

func (t *talk) showVariable(v Variable) object {
	changed := cmp.Or(t.changedVariable[v.ID], t.made)
	return object{"id", v.ID, "name", v.Name, "value_type", "string", "value", t.values[v.ID], "description", "", "created_at", t.made, "updated_at", changed}
}

func (*Server) variables(c *call) {
	if refusal := unfit("ConversationVariablesQuery", c.upTo("limit", 100)); refusal != nil {
		refusal.send(c)
		return
	}
	if t := c.talk(); t != nil {
		page(c, c.app.Variables, t.showVariable)
	}
}

func (*Server) setVariable(c *call) {
	t := c.talk()
	if t == nil {
		return
	}
	at := slices.IndexFunc(c.app.Variables, func(v Variable) bool { return v.ID == c.r.PathValue("variable") })
	if at < 0 {
		notFound("Conversation Variable Not Exists.").send(c)
		return
	}
	v, given := c.app.Variables[at], c.body.get("value")
	value, ok := given.(string)
	if !ok {
		kind := map[string]string{"int": "integer", "float": "number"}[typeName(given)]
		badRequest(fmt.Sprintf("Type mismatch: variable '%s' expects string, but got %s type", v.Name, cmp.Or(kind, typeName(given)))).send(c)
		return
	}
	t.values[v.ID], t.changedVariable[v.ID] = value, now()
	say(c, http.StatusOK, t.showVariable(v))
}

func (*Server) listMessages(c *call) {
	if refusal := unfit("MessageListQuery", c.upTo("limit", 100)); refusal != nil {
		refusal.send(c)
		return
	}
	t := c.app.talks[c.r.URL.Query().Get("conversation_id")]
	if t == nil || t.user != c.user {
		guessed(c.r.URL.Path, "Conversation Not Exists.").send(c)
		return
	}
	newest := slices.Clone(t.messages)
	slices.Reverse(newest)
	if first := c.r.URL.Query().Get("first_id"); first != "" {
		at := slices.IndexFunc(newest, func(m *message) bool { return m.id == first })
		if at < 0 {
			guessed(c.r.URL.Path, "First Message Not Exists.").send(c)
			return
		}
		newest = newest[at+1:]
	}
	page(c, newest, func(m *message) object { return m.show(t) })
}

func (m *message) show(t *talk) object {
	parent := nobody
	if at := slices.Index(t.messages, m); at > 0 {
		parent = t.messages[at-1].id
	}
	var feedback, failure any
	if m.rating != "" {
		feedback = object{"rating", m.rating}
	}
	if m.failure != "" {
		failure = m.failure
	}
	price := "0E-7"
	if m.tokens > 0 {
		price = fmt.Sprintf("%.7f", 0.000028*float64(m.tokens))
	}
	return object{
		"id", m.id, "conversation_id", t.id, "parent_message_id", parent, "inputs", m.inputs, "query", m.query, "answer", m.answer, "feedback", feedback,
		"retriever_resources",
		[]any{},
		"created_at", m.made, "agent_thoughts",
		[]any{},
		"message_files",
		[]any{},
		"message_tokens", 12 * m.tokens,
		"answer_tokens", 8 * m.tokens, "provider_response_latency", 0.1, "total_price", price, "currency", "USD", "status", m.status, "error", failure,
		"extra_contents",
		[]any{},
		"total_tokens", 20 * m.tokens,
	}
}

// message is the one that a path names, if it is the user's.
func (c *call) message() *message {
	m := c.app.messages[c.r.PathValue("uuid")]
	if m == nil || m.user != c.user {
		notFound("Message Not Exists.").send(c)
		return nil
	}
	return m
}

func (s *Server) rate(c *call) {
	if refusal := unfit("MessageFeedbackPayload", oneOf(c.body, "rating", "'like' or 'dislike'")); refusal != nil {
		refusal.send(c)
		return
	}
	m := c.message()
	if m == nil {
		return
	}
	rating := c.field("rating")
	if rating == "" && m.rating == "" {
		invalidParam("rating cannot be None when feedback not exists").send(c)
		return
	}
	if m.feedback == "" {
		m.feedback = s.id()
	}
	m.rating, m.opinion, m.rated = rating, nil, time.Now().UTC()
	if content, ok := c.body.get("content").(string); ok {
		m.opinion = content
	}
	s.rated = append(s.rated, Rating{m.id, c.user, rating})
	say(c, http.StatusOK, object{"result", "success"})
}

// listRatings lists what all users think of all answers, the latest first.
func (s *Server) listRatings(c *call) {
	if refusal := unfit("FeedbackListQuery", append(c.upTo("page", 1<<31), c.upTo("limit", 101)...)); refusal != nil {
		refusal.send(c)
		return
	}
	type rated struct {
		*message
		in string
	}
	var all []rated
	for _, t := range c.app.talks {
		for _, m := range t.messages {
			if m.rating != "" {
				all = append(all, rated{m, t.id})
			}
		}
	}
	slices.SortFunc(all, func(x, y rated) int { return y.rated.Compare(x.rated) })
	limit := c.limit()
	number, _ := strconv.Atoi(c.r.URL.Query().Get("page"))
	from := min(max(number-1, 0)*limit, len(all))
	shown := []any{}
	for _, m := range all[from:min(from+limit, len(all))] {
		at := m.rated.Format("2006-01-02T15:04:05")
		shown = append(shown, object{
			"id", m.feedback, "app_id", c.app.id, "conversation_id", m.in, "message_id", m.id, "rating", m.rating, "content", m.opinion, "from_source", "user",
			"from_end_user_id", s.user(c.app, m.user), "from_account_id", nil, "created_at", at, "updated_at", at,
		})
	}
	say(c, http.StatusOK, object{"data", shown})
}

func (*Server) suggest(c *call) {
	if c.message() == nil {
		return
	}
	if !c.app.wants.After.Enabled {
		badRequest("Suggested Questions Is Disabled.").send(c)
		return
	}
	all := []any{}
	for _, q := range c.app.Suggested {
		all = append(all, q)
	}
	say(c, http.StatusOK, object{"result", "success", "data", all})
}

// Rename gives all conversations with a user a name.
func (s *Server) Rename(user, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		for _, t := range a.sorted(user) {
			t.name = name
		}
	}
}

// Lose forgets every conversation, as a server does whose data were lost.
func (s *Server) Lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.apps {
		clear(a.talks)
	}
}
