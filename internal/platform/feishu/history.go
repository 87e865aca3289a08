package feishu

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	// pageSize is the most that one call lists.
	pageSize = "50"
	// tooOld is what stands for a card that cannot be told.
	tooOld = "请升级至最新版本客户端"
	// maxPages is how many calls are made for one chat.
	maxPages = 40
)

// Missed implements bridge.Backfiller. Of a topic in an ordinary group only the
// message that began it is listed.
func (b *bot) Missed(ctx context.Context, chat bridge.Chat, since time.Time) iter.Seq2[bridge.Message, error] {
	return func(yield func(bridge.Message, error) bool) {
		if err := b.knowSelf(ctx, chat.Kind); err != nil {
			yield(bridge.Message{}, err)
			return
		}
		for items, err := range b.client.history(ctx, chat.ID, since) {
			if outside(err) {
				return
			}
			if err != nil {
				yield(bridge.Message{}, err)
				return
			}
			for _, item := range items {
				if item.Deleted {
					continue
				}
				m, r := b.written(item.event(chat), since)
				if r.note == "" && !m.SentAt.Before(since) && !yield(m, nil) {
					return
				}
			}
		}
	}
}

// Quoted implements bridge.Quoter, by "Get message content". In groups that takes
// the right to read all messages of groups. Of cards of the second version Feishu
// tells nothing but that the client is too old.
func (b *bot) Quoted(ctx context.Context, m bridge.Message) (bridge.Message, error) {
	item, err := b.client.message(ctx, m.QuoteID)
	if err != nil || item.Deleted {
		return bridge.Message{}, err
	}
	r := read(item.event(m.Chat).Message, nil)
	if r.note != "" || strings.Contains(r.text, tooOld) {
		return bridge.Message{}, nil
	}
	return bridge.Message{ID: m.QuoteID, Text: r.text, Files: of(m.QuoteID, r.files)}, nil
}

// knowSelf looks up the bot's own id before a group is read: all messages of the
// group are listed, so a mention of just anybody must not be taken for ours.
func (b *bot) knowSelf(ctx context.Context, kind bridge.ChatKind) error {
	if kind == bridge.Direct || b.client.self() != "" {
		return nil
	}
	if _, err := b.client.bot(ctx); err != nil {
		return err
	}
	if b.client.self() == "" {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: opList, Detail: "the bot's own id is not known"}
	}
	return nil
}

// outside tells whether a chat has nothing to list for the bot: it was removed
// from it, the person left, or the chat keeps its messages to itself.
func outside(err error) bool {
	return hasCode(err, "230002", "230013", "231203", "232009")
}

// history lists a chat since a moment, page by page, oldest first.
func (c *client) history(ctx context.Context, chat string, since time.Time) iter.Seq2[[]listedMessage, error] {
	return func(yield func([]listedMessage, error) bool) {
		query := url.Values{
			"container_id_type": {"chat"}, "container_id": {chat}, "start_time": {strconv.FormatInt(since.Unix(), 10)},
			"sort_type": {"ByCreateTimeAsc"}, "page_size": {pageSize},
		}
		for range maxPages {
			var got listAnswer
			err := c.call(ctx, request{op: opList, method: http.MethodGet, api: apiCreate, query: query}, &got)
			if !yield(got.Data.Items, err) || err != nil || !got.Data.More || got.Data.Next == "" {
				return
			}
			query.Set("page_token", got.Data.Next)
		}
	}
}

// message reads one message. Of forwarded ones there are several: the first is it.
func (c *client) message(ctx context.Context, id bridge.MessageID) (listedMessage, error) {
	var got listAnswer
	query := url.Values{"user_id_type": {"open_id"}}
	err := c.call(ctx, request{op: opQuote, method: http.MethodGet, api: apiMessage, ids: []string{string(id)}, query: query}, &got)
	if err != nil || len(got.Data.Items) == 0 {
		return listedMessage{Deleted: true}, err
	}
	return got.Data.Items[0], nil
}

type listAnswer struct {
	Data struct {
		More  bool            `json:"has_more"`
		Next  string          `json:"page_token"`
		Items []listedMessage `json:"items"`
	} `json:"data"`
}

// listedMessage is a message in a list, which says the same as an event does in
// other places.
type listedMessage struct {
	ID        string `json:"message_id"`
	ThreadID  string `json:"thread_id"`
	ParentID  string `json:"parent_id"`
	Type      string `json:"msg_type"`
	CreatedAt loose  `json:"create_time"`
	Deleted   bool   `json:"deleted"`
	Sender    struct {
		ID        string `json:"id"`
		Type      string `json:"sender_type"`
		TenantKey string `json:"tenant_key"`
	} `json:"sender"`
	Body struct {
		Content string `json:"content"`
	} `json:"body"`
	Mentions []struct {
		Key  string `json:"key"`
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"mentions"`
}

// event is the event that would have told of the message.
func (l listedMessage) event(chat bridge.Chat) messageEvent {
	e := messageEvent{
		Sender: pushSender{ID: userIDs{Open: l.Sender.ID}, Type: l.Sender.Type, TenantKey: l.Sender.TenantKey},
		Message: pushMessage{
			ID: l.ID, CreatedAt: l.CreatedAt, ChatID: chat.ID, ThreadID: l.ThreadID, ParentID: l.ParentID, ChatType: string(bridge.Group), Type: l.Type, Content: l.Body.Content,
		},
	}
	if chat.Kind == bridge.Direct {
		e.Message.ChatType = chatDirect
	}
	for _, m := range l.Mentions {
		e.Message.Mentions = append(e.Message.Mentions, mention{Key: m.Key, ID: userIDs{Open: m.ID}, Name: m.Name})
	}
	return e
}
