package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/engine"
	"switchboard/internal/quota"
)

// counted is engine.Limits on a counter.
type counted struct{ *quota.Counter }

func (c counted) Take(p bridge.Person, _ bridge.Role, _ string) (quota.Refusal, bool) {
	return c.Counter.Take(p.ID)
}

func (c counted) Spend(p bridge.Person, _ string, tokens int) { c.Counter.Spend(p.ID, tokens) }

// next hands the engine one more message of the same person.
func (b *bundle) next(t *testing.T, text string) bridge.Settlement {
	t.Helper()
	b.job.ID++
	b.job.Attempt = 1
	b.job.Message.Text, b.job.Message.SentAt = text, time.Now()
	b.job.Message.ID += "x"
	last, _ := b.live(t)
	return last
}

// TestOverALimit: one friendly sentence with the time, then silence, and the
// agent is not asked; commands are answered all the same.
func TestOverALimit(t *testing.T) {
	t.Parallel()
	good := func(int, bridge.Question) []any {
		return []any{bridge.TextAdded{Text: "fine"}, bridge.Ended{Usage: bridge.Usage{Tokens: 60}}}
	}
	for name, c := range map[string]struct {
		limits   quota.Limits
		free     int // questions before the limit
		en, zh   string
		reopened time.Duration
	}{
		"minute": {quota.Limits{PerMinute: 2}, 2, "try again in 60 seconds", "60 秒后", time.Minute},
		"day":    {quota.Limits{PerDay: 3}, 3, "limit of 3 questions. It starts over tomorrow at 00:00", "3 次提问已用完，明天 00:00", 24 * time.Hour},
		"tokens": {quota.Limits{TokensPerDay: 100}, 2, "allowance. It starts over tomorrow at 00:00", "用量已用完，明天 00:00", 24 * time.Hour},
	} {
		for _, question := range []string{"how are you?", "你好吗？"} {
			for _, streaming := range []bool{true, false} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						b := limited(streaming, good, c.limits)
						for range c.free {
							if last := b.next(t, question); last.State != bridge.JobCompleted {
								t.Errorf("settled %+v", last)
							}
						}
						last := b.next(t, question)
						want := map[bool]string{true: c.en, false: c.zh}[question == "how are you?"]
						if got := b.chat.Texts(); last.State != bridge.JobCompleted || len(got) != c.free+1 || !strings.Contains(got[c.free], want) {
							t.Errorf("settled %+v, shown %q, want %q", last, got, want)
						}
						if last := b.next(t, question); last.State != bridge.JobCancelled || last.Error != bridge.KindQuota || len(b.chat.Texts()) != c.free+1 {
							t.Errorf("the second refusal is not silent: %+v, %q", last, b.chat.Texts())
						}
						if b.chat.Calls("update") > 2*c.free {
							t.Error("something grew before the refusal")
						}
						if len(b.agent.Questions()) != c.free {
							t.Errorf("the agent was asked %d times", len(b.agent.Questions()))
						}
						if b.next(t, "/help"); len(b.chat.Texts()) != c.free+2 {
							t.Error("/help is refused")
						}
						time.Sleep(c.reopened)
						if last := b.next(t, question); last.State != bridge.JobCompleted || len(b.agent.Questions()) != c.free+1 {
							t.Errorf("not answered after the limit: %+v", last)
						}
					})
				})
			}
		}
	}
}

func limited(streaming bool, answer func(int, bridge.Question) []any, l quota.Limits) *bundle {
	b := setupWith(streaming, answer, func(o *engine.Options) { o.Limits = counted{quota.New(l)} })
	return b
}

// TestSecondTryIsNotCounted: a question whose answer was begun before counts
// once, however often it is tried.
func TestSecondTryIsNotCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := limited(false, func(n int, _ bridge.Question) []any {
			if n == 1 {
				return []any{fault(bridge.KindUnavailable)}
			}
			return []any{bridge.TextAdded{Text: "fine"}, bridge.Ended{}}
		}, quota.Limits{PerDay: 2})
		for range 2 {
			if last := b.next(t, "how are you?"); last.State != bridge.JobCompleted {
				t.Errorf("settled %+v", last)
			}
		}
		if got := b.chat.Texts(); len(got) != 2 || got[0] != "fine" || got[1] != "fine" {
			t.Errorf("shown %q", got)
		}
	})
}
