package engine

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

const (
	// quoteWithin is how long an answer waits for what its question quotes.
	quoteWithin = 5 * time.Second
	// longestQuote is how many characters of it an agent reads.
	longestQuote = 4000
)

// findQuote finds out what a message answers, where the platform named it only. A
// question without it is still a question, so that this may fail.
func (t *trip) findQuote(ctx context.Context) {
	m := &t.job.Message
	if m.QuoteID == "" || m.Quote != "" {
		return
	}
	quoted, err := t.quoted(ctx, *m)
	if err != nil && ctx.Err() == nil {
		t.log.LogAttrs(ctx, slog.LevelInfo, "what a message answers cannot be read", slog.Int64("job_id", t.job.ID), slog.Any("error", err))
	}
	m.QuoteID, m.Quote = "", quoted.Said()
	m.Files = slices.Concat(m.Files, quoted.Files)
}

// quoted looks for what a message answers in the same talk, and then on the platform.
func (t *trip) quoted(ctx context.Context, m bridge.Message) (bridge.Message, error) {
	all, err := t.store.Exchanges(ctx, t.job.Lane, t.job.ID, lookBack)
	if err != nil {
		return bridge.Message{}, err
	}
	for _, x := range slices.Backward(all) {
		switch asked := x.Job.Message; {
		case x.Job.Action == nil && asked.ID == m.QuoteID && asked.Bot == m.Bot && (asked.Said() != "" || len(asked.Files) > 0):
			return asked, nil
		case x.Reply.Text != "" && slices.Contains(x.Reply.Messages, m.QuoteID):
			return bridge.Message{Text: x.Reply.Text}, nil
		}
	}
	quoter, ok := t.bot.(bridge.Quoter)
	if !ok {
		return bridge.Message{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, quoteWithin)
	defer cancel()
	return quoter.Quoted(ctx, m)
}

// quote is what the question is about besides its text. A decision is about what
// was asked for.
func (t *trip) quote() string {
	if t.decision != nil {
		return ""
	}
	return prose.Shorten(strings.TrimSpace(t.job.Message.Quote), longestQuote)
}

// quoting puts what a question answers before it, as Markdown does. Without a
// question it is what is to be looked at.
func quoting(quote, text string) string {
	switch {
	case quote == "":
		return text
	case text == "":
		return quote
	default:
		return "> " + strings.ReplaceAll(quote, "\n", "\n> ") + "\n\n" + text
	}
}
