package agenttest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// Kit is what an agent brings to Run. Fill it in conformance_test.go. Every
// function opens an agent with a server of its own, inside the synctest bubble of
// one test: time is virtual there, so a server has to be one without a network,
// such as an http.RoundTripper, and goroutines that are left behind fail the test.
type Kit struct {
	// Name is the kind of agent, as in "finding.<name>.<code>".
	Name string
	// Open opens an agent that answers any number of questions with some text.
	Open func(tb testing.TB) bridge.Agent
	// Slow opens one that says some text and then nothing until it is given up;
	// Silent opens one that does not say anything.
	Slow, Silent func(tb testing.TB) bridge.Agent
	// Talks says that there are conversations.
	Talks bool
	// Lost opens an agent that does not know the conversation any more; nil if it
	// would just begin anew.
	Lost func(tb testing.TB) (bridge.Agent, bridge.Conversation)
	// Resumes opens an agent that can take up the run; nil if it cannot.
	Resumes func(tb testing.TB) (bridge.Agent, bridge.Question)
	// Failures are what may go wrong.
	Failures []Failure
	// Hidden are words that must show in no error: the key, first of all. At least
	// one failure should repeat it.
	Hidden []string
}

// Failure opens an agent whose next answer fails.
type Failure struct {
	Name string
	Open func(tb testing.TB) bridge.Agent
	Kind bridge.Kind
	// Uncertain says that the question may have been asked.
	Uncertain bool
	// Shown says that some of the answer comes before it fails.
	Shown bool
}

// Run checks the whole contract.
func Run(t *testing.T, k Kit) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, Kit)
	}{
		{"answer", checkAnswer},
		{"conversation", checkConversation},
		{"lost conversation", checkLost},
		{"empty question", checkEmpty},
		{"many at once", checkMany},
		{"leaving", checkLeaving},
		{"given up before", checkCanceled},
		{"given up while waiting", checkGivenUp},
		{"time is over", checkDeadline},
		{"resume", checkResume},
		{"check", checkCheck},
		{"stop", checkStop},
		{"feedback", checkFeedback},
		{"suggest", checkSuggest},
		{"upload", checkUpload},
		{"form", checkForm},
		{"watch", checkWatch},
		{"greet", checkGreet},
		{"transcribe", checkTranscribe},
		{"fetch", checkFetch},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { c.test(t, k) })
		})
	}
	for _, f := range k.Failures {
		t.Run("failure "+f.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { checkFailure(t, k, f) })
		})
	}
}

// heard is a whole answer.
type heard struct {
	text         string // as a person sees it in the end
	started      bridge.Started
	ended        int // or paused
	stopped      bool
	events, errs int
	err          error
}

// question is one that every agent can be asked.
func question() bridge.Question {
	return bridge.Question{
		ID: "q-1", Text: "What is new?", Language: bridge.English,
		Conversation: bridge.Conversation{User: "person-1"}, Known: map[string]string{"platform": "somewhere"},
	}
}

func ask(ctx context.Context, t *testing.T, a bridge.Agent, q bridge.Question) heard {
	t.Helper()
	return hear(t, a.Ask(ctx, q))
}

// hear listens to an answer and checks the order of its events.
func hear(t *testing.T, answer iter.Seq2[bridge.Event, error]) heard {
	t.Helper()
	var h heard
	for event, err := range answer {
		if h.ended > 0 || h.err != nil {
			t.Errorf("after the end: %T %+v, %v", event, event, err)
		}
		if (event == nil) == (err == nil) {
			t.Errorf("neither or both of an event and an error: %T, %v", event, err)
		}
		if err != nil {
			h.errs++
			h.err = err
			continue
		}
		h.events++
		h.take(event)
	}
	if h.ended+h.errs != 1 {
		t.Errorf("%d good ends and %d bad ones", h.ended, h.errs)
	}
	return h
}

func (h *heard) take(event bridge.Event) {
	switch e := event.(type) {
	case bridge.Started:
		h.started = e
	case bridge.TextAdded:
		h.text += e.Text
	case bridge.TextReplaced:
		h.text = e.Text
	case bridge.Ended:
		h.ended++
		h.stopped = e.Stopped
	case bridge.Paused:
		h.ended++
	case bridge.Working, bridge.FileAdded, bridge.Decided:
	}
}

// wants checks an error and looks for secrets in it.
func wants(t *testing.T, k Kit, err error, kinds ...bridge.Kind) {
	t.Helper()
	if !slices.Contains(kinds, bridge.KindOf(err)) {
		t.Errorf("got %q of %v, want %q", bridge.KindOf(err), err, kinds)
	}
	var e *bridge.Error
	printed := fmt.Sprintf("%v %+v", err, err)
	if errors.As(err, &e) {
		printed += fmt.Sprint(e.Op, e.Code, e.Detail, e.Args, e.Err)
		if where, _, found := strings.Cut(e.Op, ": "); !found || where != k.Name {
			t.Errorf("the error does not say where it happened: op %q of %v", e.Op, err)
		}
	}
	for _, word := range k.Hidden {
		if strings.Contains(printed, word) {
			t.Errorf("%q shows in %s", word, printed)
		}
	}
}

// checkAnswer: a text, and a good end. The same agent can be asked again.
func checkAnswer(t *testing.T, k Kit) {
	t.Helper()
	a := k.Open(t)
	for range 2 {
		h := ask(t.Context(), t, a, question())
		if h.err != nil || strings.TrimSpace(h.text) == "" || h.stopped {
			t.Errorf("%+v", h)
		}
		if h.started.Conversation.User != "person-1" || k.Talks && h.started.Conversation.ID == "" {
			t.Errorf("the conversation is %+v", h.started.Conversation)
		}
	}
}

// checkConversation: what the agent called the conversation is taken again, by
// another process as well.
func checkConversation(t *testing.T, k Kit) {
	t.Helper()
	if !k.Talks {
		return
	}
	a, q := k.Open(t), question()
	q.Conversation = ask(t.Context(), t, a, q).started.Conversation
	for _, a := range []bridge.Agent{a, k.Open(t)} {
		if h := ask(t.Context(), t, a, q); h.err != nil || h.started.Conversation != q.Conversation {
			t.Errorf("%+v went on as %+v", q.Conversation, h)
		}
	}
}

// checkLost: a conversation that is gone is reported before anything is shown.
func checkLost(t *testing.T, k Kit) {
	t.Helper()
	a, q := bridge.Agent(nil), question()
	if k.Lost != nil {
		a, q.Conversation = k.Lost(t)
		h := ask(t.Context(), t, a, q)
		if wants(t, k, h.err, bridge.KindConversationLost); h.events > 0 {
			t.Errorf("%+v", h)
		}
		return
	}
	q.Conversation.ID = "11111111-2222-4333-8444-555555555555"
	if h := ask(t.Context(), t, k.Open(t), q); h.err != nil {
		t.Errorf("%+v", h)
	}
}

// checkEmpty: nothing asked is answered or refused, as the agent likes.
func checkEmpty(t *testing.T, k Kit) {
	t.Helper()
	for _, text := range []string{"", " \n", "\x00\xff", strings.Repeat("很长", 5_000)} {
		q := question()
		q.Text = text
		if h := ask(t.Context(), t, k.Open(t), q); h.err != nil {
			wants(t, k, h.err, bridge.KindInvalid, bridge.KindTooLarge, bridge.KindUnsupported)
		}
	}
}

// checkMany: questions of different people do not wait for each other, and their
// answers do not mix.
func checkMany(t *testing.T, k Kit) {
	t.Helper()
	const many = 10
	a, answers := k.Open(t), make(chan heard, many)
	for i := range many {
		go func() {
			q := question()
			q.Conversation.User = fmt.Sprint("person-", i)
			h := ask(t.Context(), t, a, q)
			if h.started.Conversation.User != q.Conversation.User {
				t.Errorf("person %d got %+v", i, h)
			}
			answers <- h
		}()
	}
	for range many {
		if h := <-answers; h.err != nil || h.text == "" {
			t.Errorf("%+v", h)
		}
	}
}

// checkFailure: an error is of its kind, the last, and after text only if there
// was some.
func checkFailure(t *testing.T, k Kit, f Failure) {
	t.Helper()
	h := ask(t.Context(), t, f.Open(t), question())
	wants(t, k, h.err, f.Kind)
	var e *bridge.Error
	if !errors.As(h.err, &e) || e.Uncertain != f.Uncertain || (h.text != "") != f.Shown {
		t.Errorf("%+v of %+v", e, h)
	}
}

// checkCheck: nothing is found where nothing is wrong, and there are words.
func checkCheck(t *testing.T, k Kit) {
	t.Helper()
	findings, err := k.Open(t).Check(t.Context())
	if err != nil || len(findings) == 0 {
		t.Errorf("%+v, %v", findings, err)
	}
	for _, f := range findings {
		if !f.OK || f.Err != nil {
			t.Errorf("%s: %v, %v", f.Code, f.OK, f.Err)
		}
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			if text, ok := i18n.Find(lang, "finding."+k.Name+"."+f.Code); !ok || text == "" {
				t.Errorf("%s has no text for finding %s", lang, f.Code)
			}
		}
	}
}
