package dify

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	maxTitle   = 100 // characters
	titleLimit = 5 * time.Second
)

// titled gives a new conversation its title as soon as it has begun, beside the
// answer. Wait for the second result before the answer is left.
func (a *Agent) titled(ctx context.Context, found app, q bridge.Question, tell teller) (teller, func()) {
	var names sync.WaitGroup
	if !a.config.Titles || q.Title == "" || q.Conversation.ID != "" || !found.talks() {
		return tell, names.Wait
	}
	once := false
	return func(e bridge.Event) error {
		if s, ok := e.(bridge.Started); ok && !once && s.Conversation.ID != "" {
			once = true
			names.Go(func() { a.entitle(ctx, s.Conversation, q.Title) })
		}
		return tell(e)
	}, names.Wait
}

// entitle names a conversation. It is for those who look into the app's logs: the
// answer does not depend on it.
func (a *Agent) entitle(ctx context.Context, c bridge.Conversation, title string) {
	if runes := []rune(title); len(runes) > maxTitle {
		title = string(runes[:maxTitle])
	}
	body := map[string]string{"name": title, "user": userOf(c)}
	err := a.client.callWithin(ctx, titleLimit, "dify: name conversation", http.MethodPost, "/conversations/"+url.PathEscape(c.ID)+"/name", nil, body, nil)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "a conversation has no title", slog.Any("error", err))
	}
}
