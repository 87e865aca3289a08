package platformtest

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/bridge"
)

func draftChecks() []check[*bundle] {
	return []check[*bundle]{
		{"draft", drafts(checkDraft)},
		{"draft fails", drafts(checkDraftFails)},
		{"draft ends at once", drafts(checkDraftAtOnce)},
		{"draft resumes", drafts(checkResume)},
		{"draft of nothing", drafts(checkResumeNothing)},
		{"draft with an error", drafts(checkDraftError)},
		{"draft begun twice", drafts(checkSameDraft)},
		{"draft limits", drafts(checkDraftLimit)},
	}
}

// drafts runs a check of bots whose answers grow.
func drafts(test func(*testing.T, *bundle, bridge.Streamer)) func(*testing.T, *bundle) {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		if s, ok := b.open(t).(bridge.Streamer); ok {
			test(t, b, s)
		}
	}
}

func (b *bundle) begin(t *testing.T, s bridge.Streamer, key string) bridge.Draft {
	t.Helper()
	d, err := s.Begin(t.Context(), b.to(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// resume takes a draft up in another process.
func (b *bundle) resume(t *testing.T, d bridge.Draft) bridge.Draft {
	t.Helper()
	s, ok := b.open(t).(bridge.Streamer)
	if !ok {
		t.Fatal("no longer a Streamer")
	}
	d, err := s.Resume(t.Context(), roundTrip(t, d.Address()))
	if err != nil {
		t.Fatalf("resuming: %v", err)
	}
	return d
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// grows wants one message on the screen, growing or not.
func (b *bundle) grows(t *testing.T, when, text string, growing bool) {
	t.Helper()
	if got := b.shown(t, when, text); got[0].Growing != growing {
		t.Errorf("%s: growing is %v", when, got[0].Growing)
	}
}

// checkDraft: the life of an answer.
func checkDraft(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	d := b.begin(t, s, "1")
	b.shown(t, "begun")
	ok(t, d.Update(t.Context(), "One"))
	b.grows(t, "the first text", "One", true)
	ok(t, d.Update(t.Context(), "One two\n\nthree"))
	b.grows(t, "more text", "three", true)
	ok(t, d.Update(t.Context(), "Four"))
	b.grows(t, "another text", "Four", true)
	if strings.Contains(b.fake.Shown()[0].Text, "three") {
		t.Error("the whole text was not replaced")
	}
	if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "Five **six**"}); err != nil {
		t.Fatal(err)
	}
	b.grows(t, "finished", "Five", false)
}

// checkDraftFails: the notice stands alone, or below what was shown.
func checkDraftFails(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	ok(t, b.begin(t, s, "1").Fail(t.Context(), "Sorry."))
	b.grows(t, "without a text", "Sorry.", false)
	d := b.begin(t, s, "2")
	ok(t, d.Update(t.Context(), "So far"))
	ok(t, d.Fail(t.Context(), "It broke off."))
	got := b.shown(t, "with a text", "Sorry.", "So far")[1]
	if before, after, found := strings.Cut(got.Text, "So far"); !found || before != "" || !strings.Contains(after, "It broke off.") || got.Growing {
		t.Errorf("shown as %+v", got)
	}
}

// checkDraftAtOnce: an answer may be complete before anything was shown.
func checkDraftAtOnce(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	if _, err := b.begin(t, s, "1").Finish(t.Context(), bridge.Markdown{Text: "Done."}); err != nil {
		t.Fatal(err)
	}
	b.grows(t, "finished", "Done.", false)
}

// checkResume takes a draft up after each step, as after a crash.
func checkResume(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	d := b.resume(t, b.begin(t, s, "1"))
	b.shown(t, "taken up before anything was shown")
	ok(t, d.Update(t.Context(), "One"))
	b.grows(t, "then shown", "One", true)
	d = b.resume(t, d)
	ok(t, d.Update(t.Context(), "One two"))
	b.grows(t, "then shown again", "One two", true)
	d = b.resume(t, d)
	_, err := d.Finish(t.Context(), bridge.Markdown{Text: "One two three"})
	ok(t, err)
	b.grows(t, "then finished", "One two three", false)
	// The end arrived, but the process died before it could know that.
	d = b.resume(t, d)
	if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "One two three"}); err != nil {
		b.wants(t, "finished twice", err, bridge.KindExpired)
	}
	b.grows(t, "finished twice", "One two three", false)
	d = b.begin(t, s, "2")
	ok(t, d.Update(t.Context(), "Half"))
	ok(t, b.resume(t, d).Fail(t.Context(), "Sorry."))
	b.shown(t, "taken up to fail", "One two three", "Sorry.")
}

// checkResumeNothing: an address of no draft is one that is not found.
func checkResumeNothing(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	plain, broken, null := b.to(t, "1"), b.to(t, "1"), b.to(t, "1")
	plain.Data = nil
	broken.Data = json.RawMessage(`"no draft"`)
	null.Data = json.RawMessage(`null`)
	for name, at := range map[string]bridge.Address{"never begun": b.to(t, "1"), "nothing": plain, "something else": broken, "null": null} {
		d, err := s.Resume(t.Context(), at)
		if kind := bridge.KindOf(err); kind != bridge.KindNotFound && kind != bridge.KindExpired {
			t.Errorf("%s: got %v, %v", name, d, err)
		}
	}
	b.shown(t, "nothing")
}

// checkDraftError: an error leaves the draft usable.
func checkDraftError(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	d := b.begin(t, s, "1")
	ok(t, d.Update(t.Context(), "One"))
	for _, f := range b.Failures {
		if !f.Kind.Retryable() || f.Kind == bridge.KindRateLimited {
			continue
		}
		b.fake.Answer(f.Answer)
		err := d.Update(t.Context(), "One two")
		b.wants(t, f.Name, err, f.Kind)
		b.grows(t, f.Name, "One", true)
	}
	ok(t, d.Update(t.Context(), "One two three"))
	b.grows(t, "afterwards", "One two three", true)
	_, err := d.Finish(t.Context(), bridge.Markdown{Text: "End"})
	ok(t, err)
	b.grows(t, "in the end", "End", false)
}

// checkSameDraft: a draft begun twice, because the first run died before it could
// store anything, is one message where the platform allows it.
func checkSameDraft(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	ok(t, b.begin(t, s, "1").Update(t.Context(), "One"))
	ok(t, b.begin(t, s, "1").Update(t.Context(), "Two"))
	if b.SameDraft {
		b.grows(t, "begun twice", "Two", true)
	} else {
		b.shown(t, "begun twice", "One", "Two")
	}
	before := len(b.fake.Shown())
	ok(t, b.begin(t, s, "2").Update(t.Context(), "Three"))
	if got := b.fake.Shown(); len(got) != before+1 {
		t.Errorf("another key: %+v", got)
	}
}

// checkDraftLimit: what fits by the capabilities is shown whole.
func checkDraftLimit(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	bot, _ := s.(bridge.Bot)
	limit := b.capabilities(bot).MaxDraft
	for i, unit := range []string{"x", "字", "a b\n"} {
		text := strings.TrimSpace(strings.Repeat(unit, limit/len(unit)))
		d := b.begin(t, s, "limit-"+unit)
		if err := d.Update(t.Context(), text); err != nil {
			t.Errorf("%d bytes of %q: %v", len(text), unit, err)
		}
		if _, err := d.Finish(t.Context(), bridge.Markdown{Text: text}); err != nil {
			t.Errorf("%d bytes of %q in the end: %v", len(text), unit, err)
		}
		got := b.fake.Shown()
		if len(got) != i+1 || i == 0 && strings.Count(got[i].Text, "x") != len(text) || slices.ContainsFunc(got, func(s Shown) bool { return s.Growing }) {
			t.Errorf("%q: %d messages", unit, len(got))
		}
	}
}
