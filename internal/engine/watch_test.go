package engine_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

// registrar is a clerk who knows what became of forms.
type registrar struct {
	clerk

	once   sync.Once
	mu     sync.Mutex // held while these are used
	state  bridge.FormState
	gone   string // a run that is no more
	failed error

	looked []time.Time
	noted  func(bridge.Entry) // hears of every entry; may be nil
	went   []string           // how often it was asked to go on, by token
}

func (r *registrar) FormState(_ context.Context, c bridge.Conversation, run bridge.Run, _ string) (bridge.FormState, error) {
	if c.ID != "c1" {
		return "", errors.New("another conversation")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looked = append(r.looked, time.Now())
	if run.Run == r.gone {
		return bridge.FormDropped, nil
	}
	return r.state, r.failed
}

// of is the registrar at the place of an agent, the same whoever asks for which.
func (r *registrar) of(a bridge.Agent) bridge.Agent {
	r.once.Do(func() { r.Agent = a })
	return r
}

// becomes changes how forms stand.
func (r *registrar) becomes(state bridge.FormState) { r.set(func() { r.state = state }) }

func (r *registrar) set(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// looks are when forms were looked at.
func (r *registrar) looks() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.looked)
}

func (r *registrar) GoOn(_ context.Context, c bridge.Conversation, run bridge.Run, token string) iter.Seq2[bridge.Event, error] {
	return func(yield func(bridge.Event, error) bool) {
		r.set(func() { r.went = append(r.went, run.Run+" "+token) })
		if yield(bridge.Started{Conversation: c, Run: run}, nil) && yield(bridge.TextAdded{Text: "Before. After all."}, nil) {
			yield(bridge.Ended{}, nil)
		}
	}
}

// withRegistrar is a house whose bots show buttons and that watches its forms, one
// of which comes in answer to "apply" and has an hour.
func withRegistrar(t *testing.T, change func(*bridge.Form), test func(h *house, r *registrar)) {
	t.Helper()
	inHouse(t, func(h *house) {
		r := &registrar{state: bridge.FormOpen}
		h.limits = func(c *bridge.Capabilities) { c.Buttons, c.MaxButtons = true, 10 }
		h.agentOf = r.of
		form := leave()
		form.Fields, form.Expires = nil, time.Now().Add(time.Hour)
		if change != nil {
			change(&form)
		}
		h.applies(form)
		record := h.opt.Record
		h.opt.Record = func(e bridge.Entry) {
			record(e)
			if r.noted != nil {
				r.noted(e)
			}
		}
		h.open()
		h.watch()
		test(h, r)
	})
}

// watch watches the forms until the test ends.
func (h *house) watch() {
	ctx, cancel := context.WithCancel(h.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		err := h.engine.WatchForms(ctx, func(ctx context.Context, d bridge.Delivery) error {
			_, err := h.inbox.Accept(ctx, d)
			return err
		})
		if err != nil {
			h.Error(err)
		}
	}()
	h.Cleanup(func() { cancel(); <-ended })
}

// passes lets time go by and returns what the first bot shows meanwhile.
func (h *house) passes(d time.Duration) string {
	h.Helper()
	before := len(h.chats["one"].Texts())
	time.Sleep(d)
	synctest.Wait()
	return strings.Join(h.chats["one"].Texts()[before:], " | ")
}

// live are the labels of the buttons that can be seen below the message of that
// number.
func (h *house) live(n int) string { return labels(h.chats["one"].Shown()[n].Buttons) }

// TestFormRunsOut: when its time is over a form goes away, and who asked is told
// so once, unasked.
func TestFormRunsOut(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		over := time.Now().Add(time.Hour)
		h.want("one", "li", "apply", "Three days off?", "Until ")
		if h.live(0) != "Approve | Reject" {
			t.Fatal(h.live(0))
		}
		if got := h.passes(59 * time.Minute); got != "" {
			t.Errorf("in time: %q", got)
		}
		r.becomes(bridge.FormExpired)
		if got := h.passes(3 * time.Minute); got != "" {
			t.Errorf("before the agent may have noticed: %q", got)
		}
		if !slices.ContainsFunc(r.looks(), func(at time.Time) bool { return at.After(over) && at.Before(over.Add(3*time.Second)) }) {
			t.Error("nobody looked when it was over")
		}
		if got := h.passes(90 * time.Second); !strings.HasPrefix(got, "The time for this decision is over and nobody decided.") || len(r.went) > 0 {
			t.Errorf("too late: %q after %q", got, r.went)
		}
		if h.live(0) != "" || h.live(1) != "" {
			t.Errorf("still to be clicked: %q, %q", h.live(0), h.live(1))
		}
		if got := h.passes(3 * time.Hour); got != "" {
			t.Errorf("again: %q", got)
		}
		h.want("one", "li", "1", "help: 1") // nothing waits any more
	})
}

// TestFormLapses: an answer that goes on because nobody decided is told, with why,
// and leaves what is talked about by now alone.
func TestFormLapses(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		h.say("one", "li", "/new")
		h.want("one", "li", "hello", "(1 in help-2)")
		h.passes(time.Hour - 30*time.Second)
		r.becomes(bridge.FormLapsed)
		if got := h.passes(15 * time.Second); got != "Nobody decided in time, so the assistant went on without a decision:\n\nBefore. After all." {
			t.Errorf("%q", got)
		}
		if h.live(0) != "" || strings.Join(r.went, ", ") != "r1 token" {
			t.Errorf("buttons %q, %q", h.live(0), r.went)
		}
		h.want("one", "li", "and now?", "(2 in help-2)")
		talks, err := h.store.Talks(h.Context(), bridge.TalkQuery{})
		if err != nil || len(talks) != 1 {
			t.Fatal(talks, err)
		}
		said, err := h.store.Exchanges(h.Context(), talks[0].Lane, 0, 2) // what is thought of it belongs to its own conversation
		if err != nil || len(said) != 2 || said[0].Reply.Conversation.ID != "c1" || said[0].Reply.Run.Run != "r1" {
			t.Errorf("kept %+v, %v", said, err)
		}
		if got := h.passes(3 * time.Hour); got != "" {
			t.Errorf("again: %q", got)
		}
	})
}

// TestFormDecidedElsewhere: what somebody decides where we do not see it is told
// soon, once, in the language of who asked, and the buttons are gone.
func TestFormDecidedElsewhere(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.accept(h.message("one", "li", "/lang zh"))
		h.passes(time.Minute)
		h.say("one", "li", "apply")
		r.becomes(bridge.FormDecided)
		if got := h.passes(15 * time.Second); got != "这件事已经有人做了决定，结果如下：\n\nBefore. After all." {
			t.Errorf("%q", got)
		}
		if h.live(1) != "" {
			t.Errorf("still to be clicked: %q", h.live(1))
		}
		if got := h.passes(3 * time.Hour); got != "" || len(r.filled) > 0 {
			t.Errorf("again: %q, filled in %q", got, r.filled)
		}
	})
}

// TestFormDecidedInTime: who decides in time hears nothing more, even if the agent
// tells of the decision before the answer has come.
func TestFormDecidedInTime(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		r.slow = 30 * time.Second
		h.accept(h.message("one", "li", "approve"))
		time.Sleep(time.Second)
		r.becomes(bridge.FormDecided)
		h.passes(25 * time.Second)
		if n := len(r.looks()); n == 0 {
			t.Fatal("nobody looked meanwhile")
		}
		if got := h.passes(time.Minute); len(h.chats["one"].Shown()) != 2 || h.last().Text != "Before. Decided: yes" {
			t.Errorf("shown %q", got)
		}
		if got := h.passes(3 * time.Hour); got != "" || len(r.went) > 0 {
			t.Errorf("told %q after %q", got, r.went)
		}
		looked := len(r.looks())
		if h.passes(3 * time.Hour); len(r.looks()) != looked {
			t.Errorf("looked at %d times more", len(r.looks())-looked)
		}
	})
}

// TestFormClickedLate: who decides too late is told at once, and still reads what
// comes of that.
func TestFormClickedLate(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		r.becomes(bridge.FormExpired)
		h.passes(time.Hour)
		if got := h.click("Approve"); got != "This has been decided already, or the time for it is over." || len(r.filled) > 0 {
			t.Errorf("%q, filled in %q", got, r.filled)
		}
		r.becomes(bridge.FormLapsed)
		if got := h.passes(15 * time.Second); !strings.HasSuffix(got, "After all.") {
			t.Errorf("%q", got)
		}
	})
	withRegistrar(t, nil, func(h *house, r *registrar) { // the agent's clock is ahead
		h.say("one", "li", "apply")
		r.err = &bridge.Error{Kind: bridge.KindExpired, Op: "test"}
		if got := h.click("Approve"); !strings.Contains(got, "the time for it is over") || h.live(0) == "" {
			t.Errorf("%q", got)
		}
		r.becomes(bridge.FormLapsed)
		if got := h.passes(2 * time.Minute); !strings.HasSuffix(got, "After all.") || h.live(0) != "" {
			t.Errorf("%q", got)
		}
	})
}

// TestFormElsewhereOnly: a form that can only be decided elsewhere is watched, too.
func TestFormElsewhereOnly(t *testing.T) {
	t.Parallel()
	for _, state := range []bridge.FormState{bridge.FormDecided, bridge.FormLapsed} {
		withRegistrar(t, func(f *bridge.Form) {
			f.Token = ""
			if state == bridge.FormDecided { // the token is there, and nobody takes the files
				f.Token, f.Fields = "token", []bridge.FormField{{Name: "proof", Takes: &bridge.FormFiles{Most: 1}}}
			}
		}, func(h *house, r *registrar) {
			h.want("one", "li", "apply", "cannot be made in this chat", "You will read here")
			h.want("one", "li", "1", "help: 1")
			want := "Somebody has decided"
			if state == bridge.FormLapsed { // nobody can tell, but for the clock
				h.passes(time.Hour)
				want = "Nobody decided in time"
			}
			r.becomes(bridge.FormDecided)
			if got := h.passes(2 * time.Minute); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "After all.") {
				t.Errorf("%s: %q", state, got)
			}
		})
	}
}

// TestFormWithoutWord: an agent that does not tell, or cannot, is not waited for
// longer than the form has time; one that knows no such form at all not so long.
func TestFormWithoutWord(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		h.say("one", "zhang", "apply")
		r.set(func() { r.failed = &bridge.Error{Kind: bridge.KindUnavailable, Op: "test"} })
		looked := len(r.looks())
		if got := h.passes(62 * time.Minute); got != "" {
			t.Errorf("%q", got)
		}
		if n := len(r.looks()) - looked; n < 20 || n > 200 {
			t.Errorf("looked %d times", n)
		}
		looked = len(r.looks())
		h.watch() // another process, to which both are new
		synctest.Wait()
		if n := len(r.looks()) - looked; n != 1 {
			t.Errorf("an agent that does not tell was asked %d times in a row", n)
		}
		if got := h.passes(2 * time.Minute); strings.Count(got, "nobody decided") != 2 {
			t.Errorf("%q", got)
		}
	})
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		r.becomes(bridge.FormDropped)
		if got := h.passes(15 * time.Second); got != "This can no longer be decided: the assistant has stopped waiting." || h.live(0) != "" {
			t.Errorf("%q", got)
		}
	})
	form := leave()
	withClerk(t, form, func(h *house, _ *clerk) { // tells nothing, and has all the time
		h.watch()
		h.say("one", "li", "apply")
		if got := h.passes(3 * time.Hour); got != "" {
			t.Errorf("%q", got)
		}
		h.want("one", "li", "1", "Decided: yes")
	})
}

// TestFormOfSilenced: where nobody may be answered, nothing is said, and the form
// goes away.
func TestFormOfSilenced(t *testing.T) {
	t.Parallel()
	for name, silence := range map[string]func(h *house) error{
		"blocked": func(h *house) error { h.role("one", "li", bridge.RoleBlocked); return nil },
		"muted":   func(h *house) error { return h.store.Mute(h.Context(), "one/direct-li", time.Now().Add(24*time.Hour)) },
	} {
		withRegistrar(t, nil, func(h *house, r *registrar) {
			h.say("one", "li", "apply")
			if err := silence(h); err != nil {
				t.Fatal(err)
			}
			r.becomes(bridge.FormDecided)
			if got := h.passes(time.Hour); got != "" || h.live(0) != "" || len(r.went) > 0 {
				t.Errorf("%s: %q, buttons %q, %q", name, got, h.live(0), r.went)
			}
		})
	}
}

// TestFormAfterRestart: what ran out while nobody watched is told after that, once,
// wherever the run before died, and by however many at once.
func TestFormAfterRestart(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"", "send", "begin", "update", "finish", "text"} {
		withRegistrar(t, nil, func(h *house, r *registrar) {
			h.say("one", "li", "apply")
			h.say("one", "zhang", "apply")
			h.inbox.Pause(true)
			r.becomes(bridge.FormLapsed)
			h.passes(65 * time.Minute) // accepted, and not told yet
			dead, die := context.WithCancel(h.Context())
			calls := h.chats["one"].Calls(call)
			h.chats["one"].Fail = func(made string, n int) error {
				if made == call && n > calls {
					die()
				}
				return nil
			}
			r.noted = func(e bridge.Entry) {
				if call == "text" && e.Kind == bridge.EntryFirstText {
					die()
				}
			}
			if waiting, err := h.store.Waiting(h.Context()); waiting["help"] != 2 || err != nil {
				t.Errorf("accepted %v, %v", waiting, err)
			}
			jobs, err := h.store.Claim(h.Context(), "local", "help", 5, time.Minute)
			if err != nil || len(jobs) != 2 {
				t.Fatal(jobs, err)
			}
			for _, j := range jobs {
				h.engine.Handle(dead, j)
			}
			if _, err := h.store.Rescue(h.Context(), "local"); err != nil {
				t.Fatal(err)
			}
			h.chats["one"].Fail, r.noted = nil, nil
			h.watch()
			h.watch()
			h.inbox.Pause(false)
			h.passes(10 * time.Minute)
			texts := h.chats["one"].Texts()
			if len(texts) != 4 || !strings.HasSuffix(texts[2], "After all.") || !strings.HasSuffix(texts[3], "After all.") || h.live(0)+h.live(1) != "" {
				t.Errorf("dead at %q: %q, buttons %q", call, texts, h.live(0)+h.live(1))
			}
		})
	}
}

// TestFormClosedAfterDeath: a run that decided and died before the form was gone is
// no reason to tell anything twice.
func TestFormClosedAfterDeath(t *testing.T) {
	t.Parallel()
	for _, n := range []int{2, 3} { // the answer, or the form without its buttons
		withRegistrar(t, nil, func(h *house, r *registrar) {
			h.say("one", "li", "apply")
			h.inbox.Pause(true)
			h.accept(h.message("one", "li", "approve"))
			jobs, err := h.store.Claim(h.Context(), "local", "help", 5, time.Minute)
			if err != nil || len(jobs) != 1 {
				t.Fatal(jobs, err)
			}
			dead, die := context.WithCancel(h.Context())
			h.chats["one"].Fail = func(call string, made int) error {
				if call == "finish" && made == n {
					die()
				}
				return nil
			}
			h.engine.Handle(dead, jobs[0])
			h.chats["one"].Fail = nil
			r.becomes(bridge.FormDecided)
			h.passes(time.Minute) // and the other run is faster than the inbox
			if _, err := h.store.Rescue(h.Context(), "local"); err != nil {
				t.Fatal(err)
			}
			h.inbox.Pause(false)
			h.passes(time.Hour)
			texts := h.chats["one"].Texts()
			if len(texts) != 2 || texts[1] != "Before. Decided: yes" || h.live(0) != "" || len(r.went) > 0 {
				t.Errorf("dead at finish %d: %q, buttons %q", n, texts, h.live(0))
			}
		})
	}
}

// TestFormOnTwoPlatforms: who decides on another platform finds the form closed
// where it was shown, with a word about where the answer is.
func TestFormOnTwoPlatforms(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		code := h.say("one", "li", "/link")
		h.say("two", "li2", "/link "+sixDigits.FindString(code))
		before := len(h.chats["one"].Texts())
		h.want("two", "li2", "approve", "Decided: yes")
		if got := h.chats["one"].Texts()[before:]; len(got) != 1 || got[0] != "This was decided on two; the answer is there." || h.live(0) != "" {
			t.Errorf("told %q, buttons %q", got, h.live(0))
		}
		if got := h.passes(3 * time.Hour); got != "" || len(r.went) > 0 {
			t.Errorf("again: %q", got)
		}
	})
}

// TestFormNumbers: a sentence that nobody asked for does not take the numbers away
// from the form that still waits.
func TestFormNumbers(t *testing.T) {
	t.Parallel()
	withRegistrar(t, func(f *bridge.Form) { f.Expires = time.Time{} }, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		h.say("one", "li", "apply")
		r.set(func() { r.gone = "r1" })
		if got := h.passes(time.Minute); !strings.Contains(got, "no longer be decided") {
			t.Fatalf("%q", got)
		}
		h.want("one", "li", "2", "Decided: no")
		if got := fmt.Sprint(r.filled); got != "[r2 token no map[]]" {
			t.Errorf("filled in %s", got)
		}
	})
}

// TestFormOfAnotherRun: a run that died after it had shown what came of a decision
// takes that form away, and no other.
func TestFormOfAnotherRun(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.say("one", "li", "apply")
		h.say("one", "li", "apply")
		h.inbox.Pause(true)
		h.accept(h.message("one", "li", "approve"))
		jobs, err := h.store.Claim(h.Context(), "local", "help", 5, time.Minute)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		dead, die := context.WithCancel(h.Context())
		r.noted = func(e bridge.Entry) {
			if e.Kind == bridge.EntryDelivered {
				die()
			}
		}
		h.engine.Handle(dead, jobs[0])
		r.noted = nil
		if row, _, err := h.store.Reply(h.Context(), jobs[0].ID); err != nil || row.State != bridge.ReplyDelivered || h.live(1) == "" {
			t.Fatalf("%+v, %v, buttons %q", row, err, h.live(1))
		}
		if _, err := h.store.Rescue(h.Context(), "local"); err != nil {
			t.Fatal(err)
		}
		h.inbox.Pause(false)
		h.passes(time.Minute)
		if h.live(0) != "Approve | Reject" || h.live(1) != "" || len(h.chats["one"].Texts()) != 3 {
			t.Errorf("buttons %q and %q, shown %q", h.live(0), h.live(1), h.chats["one"].Texts())
		}
		h.want("one", "li", "reject", "Decided: no")
		if got := fmt.Sprint(r.filled); got != "[r2 token yes map[] r1 token no map[]]" {
			t.Errorf("filled in %s", got)
		}
	})
}

// TestFormOfForeignAgent: an answer is not looked for with another agent, that took
// the place of the one who waited.
func TestFormOfForeignAgent(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		r := &registrar{state: bridge.FormOpen}
		h.agentOf = r.of
		var replaced atomic.Bool
		h.route.Serves = func(agent string) bool { return !replaced.Load() || agent != "help" }
		h.route.AgentOf = func(string) string {
			if !replaced.Load() {
				return "help"
			}
			return "hr"
		}
		h.applies(leave())
		h.open()
		h.watch()
		h.say("one", "li", "apply")
		replaced.Store(true)
		r.becomes(bridge.FormDecided)
		if got := h.passes(time.Minute); got != "This has been decided already, or the time for it is over." || len(r.went) > 0 {
			t.Errorf("%q after %q", got, r.went)
		}
	})
}

// TestFormNobodySaw: of a form that never reached anybody nothing is told.
func TestFormNobodySaw(t *testing.T) {
	t.Parallel()
	withRegistrar(t, nil, func(h *house, r *registrar) {
		h.chats["one"].Fail = func(string, int) error { return &bridge.Error{Kind: bridge.KindNotFound, Op: "test"} }
		h.say("one", "li", "apply")
		h.chats["one"].Fail = nil
		r.becomes(bridge.FormDecided)
		if got := h.passes(2 * time.Hour); got != "" || len(r.looks()) > 0 {
			t.Errorf("%q after %d looks", got, len(r.looks()))
		}
	})
}
