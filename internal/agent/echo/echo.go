package echo

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

const (
	maxRemembered = 10000            // conversations; then all are forgotten
	maxLong       = 200000           // bytes of a wished-for long answer
	maxSlow       = 10 * time.Minute // of a wished-for wait
)

// Options are the settings of an Agent; the zero value works.
type Options struct {
	// Delay is the pause between two pieces of text. Default 30 ms; negative
	// means none.
	Delay time.Duration
}

// Agent answers questions about themselves. Make one with New.
type Agent struct {
	delay time.Duration

	mu     sync.Mutex
	memory map[string]memory
}

type memory struct {
	questions int
	previous  string
	platform  string
}

// New makes an agent.
func New(o Options) *Agent {
	if o.Delay == 0 {
		o.Delay = 30 * time.Millisecond
	}
	return &Agent{delay: max(o.Delay, 0), memory: map[string]memory{}}
}

// Ask implements bridge.Agent.
func (a *Agent) Ask(ctx context.Context, q bridge.Question) iter.Seq2[bridge.Event, error] {
	return func(yield func(bridge.Event, error) bool) {
		if q.Run != (bridge.Run{}) {
			yield(nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "echo: resume"})
			return
		}
		if q.Conversation.ID == "" {
			q.Conversation.ID = "echo-" + strings.ToLower(rand.Text())
		}
		if wait(ctx, min(time.Duration(wish(q.Text, "slow"))*time.Second, maxSlow)) != nil {
			yield(nil, ctx.Err())
			return
		}
		if strings.Contains(q.Text, "!fail") {
			yield(nil, &bridge.Error{Kind: bridge.KindAgentFailed, Op: "echo: ask", Detail: "as wished"})
			return
		}
		if !yield(bridge.Started{Conversation: q.Conversation}, nil) {
			return
		}
		a.speak(ctx, q, yield)
	}
}

// speak yields the text piece by piece, and the end.
func (a *Agent) speak(ctx context.Context, q bridge.Question, yield func(bridge.Event, error) bool) {
	all := pieces(a.text(q))
	cut := strings.Contains(q.Text, "!cut")
	for n, piece := range all {
		if cut && n > len(all)/2 {
			yield(nil, &bridge.Error{Kind: bridge.KindInterrupted, Op: "echo: ask", Detail: "as wished"})
			return
		}
		if err := wait(ctx, a.delay); err != nil {
			yield(nil, err)
			return
		}
		if !yield(bridge.TextAdded{Text: piece}, nil) {
			return
		}
	}
	a.remember(q)
	yield(bridge.Ended{}, nil)
}

// pieces cuts a text into what a model would say at once: a few characters.
func pieces(text string) []string {
	const size = 5
	runes := []rune(text)
	var all []string
	for chunk := range slices.Chunk(runes, size) {
		all = append(all, string(chunk))
	}
	return all
}

// text is the answer, in the language of the question.
func (a *Agent) text(q bridge.Question) string {
	a.mu.Lock()
	m := a.memory[q.Conversation.ID]
	a.mu.Unlock()
	lang := i18n.Guess(q.Text, q.Language)
	var b strings.Builder
	b.WriteString(i18n.Text(lang, "echo.answer", "question", q.Text, "number", m.questions+1))
	if m.questions > 0 {
		where := i18n.Text(lang, "platform."+m.platform)
		b.WriteString(i18n.Text(lang, "echo.before", "question", m.previous, "platform", where))
	}
	b.WriteString(i18n.Text(lang, "echo.hint"))
	for long := min(wish(q.Text, "long"), maxLong); b.Len() < long; {
		b.WriteString(i18n.Text(lang, "echo.more"))
	}
	return b.String()
}

func (a *Agent) remember(q bridge.Question) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.memory) >= maxRemembered {
		clear(a.memory)
	}
	m := a.memory[q.Conversation.ID]
	a.memory[q.Conversation.ID] = memory{m.questions + 1, q.Text, q.Known[bridge.InputPlatform]}
}

// Check implements bridge.Agent.
func (*Agent) Check(context.Context) ([]bridge.Finding, error) {
	return []bridge.Finding{{Code: "reachable", OK: true}}, nil
}

// wish returns the number after "!name", or 0.
func wish(text, name string) int {
	found := regexp.MustCompile(`!` + name + ` (\d{1,6})`).FindStringSubmatch(text)
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return 0
	}
	return n
}

func wait(ctx context.Context, d time.Duration) error {
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	return nil
}
