package feishu_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func streamer(t *testing.T, f *fake) bridge.Streamer {
	t.Helper()
	s, ok := f.bot(t, nil, bridge.Env{}).(bridge.Streamer)
	if !ok {
		t.Fatal("not a Streamer")
	}
	return s
}

func begin(t *testing.T, s bridge.Streamer, to bridge.Address) bridge.Draft {
	t.Helper()
	d, err := s.Begin(t.Context(), to)
	must(t, err)
	return d
}

// resume takes a draft up in another process, from what was stored.
func resume(t *testing.T, f *fake, at bridge.Address) bridge.Draft {
	t.Helper()
	stored, err := json.Marshal(at)
	must(t, err)
	var again bridge.Address
	must(t, json.Unmarshal(stored, &again))
	d, err := streamer(t, f).Resume(t.Context(), again)
	must(t, err)
	return d
}

// only is the one card there is on the screen.
func (f *fake) only(t *testing.T) fakeCard {
	t.Helper()
	seen := f.screen()
	if len(seen) != 1 || seen[0].card == nil {
		t.Fatalf("on the screen: %+v", seen)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return *seen[0].card
}

const (
	pathText     = "/open-apis/cardkit/v1/cards/7351/elements/answer/content"
	pathSettings = "/open-apis/cardkit/v1/cards/7351/settings"
	pathElements = "/open-apis/cardkit/v1/cards/7351/elements"
)

// TestDraft: nothing is seen before the first text, then one message grows and
// is closed.
func TestDraft(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), grouped())
		if len(f.screen()) != 0 || len(f.cards) != 1 {
			t.Fatal("begun, and seen")
		}
		for _, text := range []string{"", " ", "# One", "# One\ntwo <b>", "three"} {
			must(t, d.Update(t.Context(), text))
		}
		if c := f.only(t); c.Text != "three" || !c.Streaming {
			t.Errorf("%+v", c)
		}
		id, err := d.Finish(t.Context(), bridge.Markdown{Text: "# All\n**done**"})
		must(t, err)
		if c := f.only(t); c.Text != "# All\n**done**" || c.Streaming || c.Summary != "All" || string(id) != f.screen()[0].id || f.screen()[0].to != "reply om_1" {
			t.Errorf("%+v, %q", c, id)
		}
		var calls []string
		for _, c := range f.took() {
			calls = append(calls, c.Method+" "+c.Path)
		}
		want := []string{
			"POST " + pathToken, "POST " + pathCards, "POST " + pathReply, "PUT " + pathText, "PUT " + pathText, "PUT " + pathText,
			"PUT " + pathText, "PATCH " + pathSettings,
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Error(diff)
		}
	})
}

// TestDraftFrames keeps the exact requests of a short answer.
func TestDraftFrames(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		must(t, d.Update(t.Context(), "你好"))
		time.Sleep(time.Second)
		_, err := d.Finish(t.Context(), bridge.Markdown{Text: "你好！"})
		must(t, err)
		var steps []any
		for _, c := range f.took()[1:] {
			step := readable(t, c)
			body, _ := step["body"].(map[string]any)
			for _, key := range []string{"data", "settings"} {
				if text, ok := body[key].(string); ok {
					body[key] = json.RawMessage(text)
				}
			}
			delete(body, "uuid") // a new one for each draft
			steps = append(steps, step)
		}
		golden(t, "testdata/outbound/draft.golden", steps)
	})
}

func TestDraftSaysLessWhenNothingChanged(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		for range 3 {
			must(t, d.Update(t.Context(), "same"))
		}
		_, err := d.Finish(t.Context(), bridge.Text{Text: "same"})
		must(t, err)
		if n := f.count(pathText); n != 1 {
			t.Errorf("the same text was sent %d times", n)
		}
		if c := f.only(t); c.Streaming {
			t.Errorf("%+v", c)
		}
	})
}

// TestPace: operations on one card are never more than ten a second, and a long
// answer slows down.
func TestPace(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		update := func(n int) time.Duration {
			t.Helper()
			began := time.Now()
			for i := range n {
				must(t, d.Update(t.Context(), fmt.Sprintf("%d %d", f.count(pathText), i)))
			}
			return time.Since(began)
		}
		update(1)
		if took := update(10); took < time.Second {
			t.Errorf("10 updates in %v", took)
		}
		update(40)
		if took := update(5); took < 5*time.Second {
			t.Errorf("late updates come every %v", took/5)
		}
		update(10)
		if took := update(5); took < 10*time.Second {
			t.Errorf("very late updates come every %v", took/5)
		}
		began := time.Now()
		_, err := d.Finish(t.Context(), bridge.Markdown{Text: "end"})
		must(t, err)
		if took := time.Since(began); took < 200*time.Millisecond || took > time.Second {
			t.Errorf("the end took %v", took)
		}
	})
}

// TestFailAfterCrash: what an earlier run showed cannot be read back, so the
// notice goes below it; twice said is once shown.
func TestFailAfterCrash(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		must(t, d.Update(t.Context(), "so far"))
		for range 2 {
			must(t, resume(t, f, d.Address()).Fail(t.Context(), "sorry"))
			if c := f.only(t); c.Text != "so far" || c.Notice != "sorry" || c.Streaming {
				t.Errorf("%+v", c)
			}
		}
		if err := resume(t, f, d.Address()).Fail(t.Context(), " "); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("got %v", err)
		}
		f.script(pathElements, bad(300315, "cannot add"))
		must(t, resume(t, f, d.Address()).Fail(t.Context(), "really"))
		if c := f.only(t); c.Text != "really" || c.Streaming {
			t.Errorf("a card that takes nothing more: %+v", c)
		}
	})
}

// TestResume takes a draft up after each step, as after a crash; its numbers go
// on above all that were used.
func TestResume(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		begun := begin(t, streamer(t, f), grouped())
		d := resume(t, f, begun.Address())
		must(t, d.Update(t.Context(), "one"))
		shown := d.Address()
		for n := range 5 {
			must(t, d.Update(t.Context(), fmt.Sprintf("one %d", n)))
		}
		time.Sleep(time.Second) // the time a restart takes at least
		d = resume(t, f, shown) // stored when it was shown, and not after
		must(t, d.Update(t.Context(), "two"))
		d = resume(t, f, shown)
		id, err := d.Finish(t.Context(), bridge.Markdown{Text: "three"})
		must(t, err)
		if c := f.only(t); c.Text != "three" || c.Streaming || string(id) != f.screen()[0].id {
			t.Errorf("%+v, %q", c, id)
		}
		// The end arrived, but the process died before it could know that.
		d = resume(t, f, shown)
		_, err = d.Finish(t.Context(), bridge.Markdown{Text: "three"})
		must(t, err)
		if c := f.only(t); c.Text != "three" || c.Streaming {
			t.Errorf("%+v", c)
		}
		if len(f.cards) != 1 {
			t.Errorf("%d cards", len(f.cards))
		}
	})
}

// TestResumeUnknownSend: the card was sent but nobody could store that. The same
// message is found by its uuid; after an hour the platform has forgotten that,
// but sends no card twice.
func TestResumeUnknownSend(t *testing.T) {
	t.Parallel()
	for _, forgotten := range []bool{false, true} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			d := begin(t, streamer(t, f), direct())
			before := d.Address()
			f.loseSend()
			err := d.Update(t.Context(), "one")
			var e *bridge.Error
			if !errors.As(err, &e) || e.Kind != bridge.KindUnavailable || !e.Uncertain {
				t.Fatalf("got %v", err)
			}
			if forgotten {
				time.Sleep(2 * time.Hour)
				f.mu.Lock()
				clear(f.uuids)
				f.mu.Unlock()
			}
			id, err := resume(t, f, before).Finish(t.Context(), bridge.Markdown{Text: "two"})
			must(t, err)
			if c := f.only(t); c.Text != "two" || c.Streaming || (id == "") != forgotten {
				t.Errorf("forgotten %v: %+v, %q", forgotten, c, id)
			}
			// In the same process it is simply tried again.
			if !forgotten {
				must(t, d.Update(t.Context(), "three"))
				if c := f.only(t); c.Text != "three" {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// TestSequence: a number that is refused is followed by a much higher one, as
// after a clock was put back.
func TestSequence(t *testing.T) {
	t.Parallel()
	for _, used := range []int{500, 500_000, 1 << 30} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			d := begin(t, streamer(t, f), direct())
			f.mu.Lock()
			f.cards["7351"].sequence = used
			f.mu.Unlock()
			err := d.Update(t.Context(), "one")
			if used == 1<<30 {
				if bridge.KindOf(err) != bridge.KindUnavailable || f.count(pathText) != 3 {
					t.Errorf("%d: got %v after %d calls", used, err, f.count(pathText))
				}
				return
			}
			must(t, err)
			must(t, d.Update(t.Context(), "two"))
			if c := f.only(t); c.Text != "two" || c.sequence <= used {
				t.Errorf("%d: %+v", used, c)
			}
		})
	}
}

// TestTenMinutes: the platform ends the growing by itself; it is begun again, in
// time where the clock tells, and otherwise after it was refused.
func TestTenMinutes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		must(t, d.Update(t.Context(), "one"))
		time.Sleep(9*time.Minute + time.Second)
		must(t, d.Update(t.Context(), "two"))
		must(t, d.Update(t.Context(), "three"))
		if c := f.only(t); c.Text != "three" || !c.Streaming || f.count(pathSettings) != 1 {
			t.Errorf("%+v, %d times", c, f.count(pathSettings))
		}
		end := func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.cards["7351"].Streaming = false
		}
		end()
		must(t, d.Update(t.Context(), "four"))
		if c := f.only(t); c.Text != "four" || !c.Streaming {
			t.Errorf("%+v", c)
		}
		end()
		f.script(pathText, bad(200850, "streaming timed out"))
		_, err := d.Finish(t.Context(), bridge.Markdown{Text: "five"})
		must(t, err)
		if c := f.only(t); c.Text != "five" || c.Streaming {
			t.Errorf("%+v", c)
		}
		f.script(pathText, bad(300309, "closed"), bad(300309, "closed"))
		if err := d.Update(t.Context(), "six"); bridge.KindOf(err) != bridge.KindUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

// TestCardGone: who reads that answers with a message of its own.
func TestCardGone(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bridge.Kind{
		200740: bridge.KindNotFound, 200750: bridge.KindExpired, 300311: bridge.KindForbidden, 200860: bridge.KindTooLarge,
		99991403: bridge.KindQuota, 99991400: bridge.KindRateLimited, 200810: bridge.KindRateLimited, 300120: bridge.KindUnavailable, 300310: bridge.KindInvalid,
	} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			d := begin(t, streamer(t, f), direct())
			must(t, d.Update(t.Context(), "one"))
			x := bad(code, "x")
			f.script(pathText, map[bool][]answer{false: {x}, true: {x, x, x, x}}[code == 200810]...) // that is tried for a while
			if err := d.Update(t.Context(), "two"); bridge.KindOf(err) != want {
				t.Errorf("%d: got %v, want %s", code, err, want)
			}
			must(t, d.Update(t.Context(), "three"))
			if c := f.only(t); c.Text != "three" {
				t.Errorf("%d: %+v", code, c)
			}
		})
	}
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		must(t, d.Update(t.Context(), "one"))
		f.mu.Lock()
		clear(f.cards)
		f.mu.Unlock()
		if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "two"}); bridge.KindOf(err) != bridge.KindNotFound {
			t.Errorf("got %v", err)
		}
		// The message in its place is no repetition of the draft.
		bot, _ := streamer(t, f).(bridge.Bot)
		if _, err := bot.Send(t.Context(), direct(), bridge.Markdown{Text: "two"}); err != nil || len(f.screen()) != 2 {
			t.Errorf("%v, %d messages", err, len(f.screen()))
		}
	})
}

// TestRefusedAnswer: a content that is refused leaves words of ours, and no card
// that seems to go on.
func TestRefusedAnswer(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		to := direct()
		to.Language = bridge.English
		d := begin(t, streamer(t, f), to)
		must(t, d.Update(t.Context(), "one"))
		f.script(pathText, bad(230028, "DLP"))
		_, err := d.Finish(t.Context(), bridge.Markdown{Text: "13800138000"})
		must(t, err)
		if c := f.only(t); !strings.Contains(c.Text, "could not be shown") || c.Streaming {
			t.Errorf("%+v", c)
		}
	})
}

// TestFinishCard puts a card with buttons in the place of the text.
func TestFinishCard(t *testing.T) {
	t.Parallel()
	c := bridge.Card{Title: "Done", Text: "# Text", Buttons: []bridge.Button{{Text: "Again", Value: map[string]string{"a": "again"}}}}
	for _, plain := range []bool{false, true} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			if plain {
				f.script(pathCards, bad(99991672, "Access denied"))
			}
			d := begin(t, streamer(t, f), grouped())
			must(t, d.Update(t.Context(), "one"))
			_, err := d.Finish(t.Context(), c)
			must(t, err)
			seen := f.screen()[0]
			raw := seen.content
			if !plain {
				raw = seen.card.Raw
				if seen.card.Streaming {
					t.Error("still growing")
				}
			}
			if !strings.Contains(raw, `"a":"again"`) || !strings.Contains(raw, "# Text") || strings.Contains(raw, "<at") {
				t.Errorf("plain %v: %s", plain, raw)
			}
		})
	}
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		for _, c := range []bridge.Content{bridge.Picture{}, nil} {
			if _, err := d.Finish(t.Context(), c); bridge.KindOf(err) != bridge.KindUnsupported {
				t.Errorf("got %v", err)
			}
		}
		if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "\n"}); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("got %v", err)
		}
		if len(f.screen()) != 0 {
			t.Error("something was shown")
		}
	})
}

// TestLongDraft: what grew beyond the card follows as messages.
func TestLongDraft(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		d := begin(t, streamer(t, f), direct())
		text := strings.TrimSpace(strings.Repeat("<a>\n", 4_500))
		must(t, d.Update(t.Context(), text))
		for range 2 {
			_, err := d.Finish(t.Context(), bridge.Markdown{Text: text})
			must(t, err)
		}
		seen := f.screen()
		whole := seen[0].card.Text
		for _, m := range seen[1:] {
			whole += m.content
		}
		if n := strings.Count(whole, "&#60;a>"); len(seen) < 2 || n != 4_500 || seen[0].card.Streaming {
			t.Errorf("%d messages, %d lines", len(seen), n)
		}
	})
}

// TestPatchedDraft: without the right to make growing cards, the card of a
// message is replaced, seldom; after ten minutes they are tried again.
func TestPatchedDraft(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.script(pathCards, bad(99991672, "Access denied"))
		s := streamer(t, f)
		d := begin(t, s, grouped())
		began := time.Now()
		for _, text := range []string{"one", "two", "three"} {
			must(t, d.Update(t.Context(), text))
		}
		if took := time.Since(began); took < 3*time.Second {
			t.Errorf("3 updates took %v", took)
		}
		at := d.Address()
		id, err := d.Finish(t.Context(), bridge.Markdown{Text: "four"})
		must(t, err)
		if seen := f.screen(); len(seen) != 1 || !strings.Contains(seen[0].content, "four") || seen[0].id != string(id) || seen[0].to != "reply om_1" {
			t.Errorf("%+v", seen)
		}
		_, err = resume(t, f, at).Finish(t.Context(), bridge.Markdown{Text: "five"})
		must(t, err)
		must(t, resume(t, f, at).Fail(t.Context(), "sorry"))
		if seen := f.screen(); len(seen) != 1 || !strings.Contains(seen[0].content, "sorry") {
			t.Errorf("%+v", seen)
		}
		begin(t, s, direct())
		if f.count(pathCards) != 1 {
			t.Error("cards were tried again at once")
		}
		time.Sleep(10*time.Minute + time.Second)
		begin(t, s, direct())
		if len(f.cards) != 1 {
			t.Error("cards were not tried again")
		}
	})
}

// TestPatchedDraftUnknownSend: the message is found by its uuid and then shows
// what was decided last.
func TestPatchedDraftUnknownSend(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.script(pathCards, bad(99991672, "Access denied"))
		d := begin(t, streamer(t, f), direct())
		at := d.Address()
		f.loseSend()
		if err := d.Update(t.Context(), "one"); bridge.KindOf(err) != bridge.KindUnavailable {
			t.Errorf("got %v", err)
		}
		_, err := resume(t, f, at).Finish(t.Context(), bridge.Markdown{Text: "two"})
		must(t, err)
		if seen := f.screen(); len(seen) != 1 || !strings.Contains(seen[0].content, "two") {
			t.Errorf("%+v", seen)
		}
		recaller, _ := streamer(t, f).(bridge.Recaller)
		must(t, recaller.Recall(t.Context(), bridge.MessageID(f.screen()[0].id), at))
		if _, err := resume(t, f, at).Finish(t.Context(), bridge.Markdown{Text: "three"}); bridge.KindOf(err) != bridge.KindNotFound {
			t.Errorf("recalled: got %v", err)
		}
	})
}

// TestNoCardAtAll: when even that is not to be had, the caller learns it before
// anything is shown.
func TestNoCardAtAll(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bridge.Kind{99991403: bridge.KindQuota, 99991400: bridge.KindRateLimited, 300122: bridge.KindUnavailable} {
		f := newFake(t)
		f.script(pathCards, bad(code, "x"))
		if _, err := streamer(t, f).Begin(t.Context(), direct()); bridge.KindOf(err) != want {
			t.Errorf("%d: got %v, want %s", code, err, want)
		}
	}
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.script(pathCards, answer{404, "404 page not found"})
		f.script(pathCreate, bad(230099, "ErrCode: 11310"))
		d := begin(t, streamer(t, f), direct())
		if err := d.Update(t.Context(), "one"); bridge.KindOf(err) != bridge.KindInvalid || len(f.screen()) != 0 {
			t.Errorf("got %v", err)
		}
	})
}
