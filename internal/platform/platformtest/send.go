package platformtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/bridge"
)

func sendChecks() []check[*bundle] {
	return []check[*bundle]{
		{"contents", checkContents},
		{"limits", checkLimits},
		{"previews", checkPreviews},
		{"keys", checkKeys},
		{"many at once", checkConcurrent},
		{"failures", checkFailures},
		{"quoted secrets", checkQuote},
		{"no answer", checkNoAnswer},
		{"given up", checkGivenUp},
	}
}

// words are contents that every bot can show, if only as text.
func words() []bridge.Content {
	return []bridge.Content{
		bridge.Text{Text: "PROBE"},
		bridge.Markdown{Title: "T", Text: "PROBE"},
		bridge.Markdown{Text: "# PROBE\n\n- **a** `b`\n\n|x|y|\n|-|-|\n|1|2|\n"},
		bridge.Card{Title: "PROBE", Text: "text", Buttons: []bridge.Button{{Text: "go", URL: "https://example.com/"}}},
		bridge.Card{Title: "PROBE", Text: "text", Buttons: []bridge.Button{
			{Text: "yes", Value: map[string]string{"a": "1"}}, {Text: "no", Style: bridge.ButtonDanger, Value: map[string]string{"a": "2"}},
		}},
		bridge.News{Items: []bridge.NewsItem{{Title: "PROBE", Description: "more", URL: "https://example.com/", Picture: "https://example.com/a.png"}}},
	}
}

// nothing are contents with nothing to show.
func nothing() []bridge.Content {
	return []bridge.Content{
		bridge.Text{},
		bridge.Text{Text: " \n\t"},
		bridge.Markdown{},
		bridge.Markdown{Text: " \n"},
		bridge.Card{},
		bridge.News{},
		bridge.Native{},
		bridge.Native{Type: "x", JSON: []byte("{")},
		bridge.Native{JSON: []byte("{}")},
	}
}

// checkContents: every content is shown, or refused as one that cannot be.
func checkContents(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	send := func(c bridge.Content) ([]Shown, error) {
		before := len(b.fake.Shown())
		_, err := bot.Send(t.Context(), b.to(t, strconv.Itoa(before)+fmt.Sprintf("%#v", c)), c)
		return b.fake.Shown()[before:], err
	}
	for _, c := range words() {
		shown, err := send(c)
		if err != nil || !slices.ContainsFunc(shown, func(s Shown) bool { return strings.Contains(s.Text, "PROBE") }) {
			t.Errorf("%+v: shown as %+v, %v", c, shown, err)
		}
	}
	for _, c := range []bridge.Content{
		bridge.Picture{Name: "a.png", Data: []byte("\x89PNG\r\n\x1a\n")},
		bridge.Attachment{Name: "a.pdf", Data: []byte("%PDF-1.4")},
		bridge.Voice{Name: "a.amr", Data: []byte("#!AMR\n"), Seconds: 1},
	} {
		shown, err := send(c)
		if err != nil {
			b.wants(t, fmt.Sprintf("%T", c), err, bridge.KindUnsupported)
		}
		if (err == nil) != (len(shown) > 0) {
			t.Errorf("%T: shown as %+v, %v", c, shown, err)
		}
	}
	for _, c := range nothing() {
		shown, err := send(c)
		if kind := bridge.KindOf(err); kind != bridge.KindInvalid && kind != bridge.KindUnsupported || len(shown) > 0 {
			t.Errorf("%#v: shown as %+v, %v", c, shown, err)
		}
	}
}

// checkPreviews: a bot that says how it would show something says so for
// whatever it can send, without the network, and refuses the rest as Send does.
func checkPreviews(t *testing.T, b *bundle) {
	t.Helper()
	alone, able := b.openAlone(t).(bridge.Previewer)
	if !able {
		return
	}
	bot := b.open(t)
	files := []bridge.Content{
		bridge.Picture{Name: "PROBE.png", Data: []byte("\x89PNG\r\n\x1a\n")},
		bridge.Attachment{Name: "PROBE.pdf", Data: []byte("%PDF-1.4")},
		bridge.Attachment{Name: "PROBE.exotic", Data: []byte("x")},
	}
	long := strings.Repeat("x", 1<<20)
	for i, c := range slices.Concat(words(), files, nothing(), []bridge.Content{bridge.Text{Text: long}, bridge.Markdown{Text: long}}) {
		to := b.to(t, "preview-"+strconv.Itoa(i))
		shown, err := alone.Preview(to, c)
		_, sent := bot.Send(t.Context(), to, c)
		if bridge.KindOf(err) != bridge.KindOf(sent) {
			t.Errorf("%d %T: preview %v, send %v", i, c, err, sent)
		}
		whole := ""
		for _, s := range shown {
			whole += s.Text
			if s.Kind == "" || s.Size == 0 || s.Limit > 0 && s.Size > s.Limit {
				t.Errorf("%d %T: %+v", i, c, s)
			}
		}
		if i < len(words())+len(files) && !strings.Contains(whole, "PROBE") {
			t.Errorf("%d %T: shown as %q", i, c, whole)
		}
	}
}

// checkLimits: what fits by the capabilities is shown whole, and what surely does
// not is refused rather than cut off.
func checkLimits(t *testing.T, b *bundle) {
	t.Helper()
	c := b.capabilities(b.openAlone(t))
	for _, form := range []struct {
		limit int
		of    func(string) bridge.Content
	}{
		{c.MaxText, func(s string) bridge.Content { return bridge.Text{Text: s} }},
		{c.MaxMarkdown, func(s string) bridge.Content { return bridge.Markdown{Text: s} }},
	} {
		if form.limit == 0 {
			continue
		}
		for _, unit := range []string{"x", "字", "\"", "<", "a b. ", "字。\n\n"} {
			newBundle(t, b.kit, b.Account).fits(t, unit, form.of(strings.TrimSpace(strings.Repeat(unit, form.limit/len(unit)))))
		}
		b := newBundle(t, b.kit, b.Account)
		_, err := b.open(t).Send(t.Context(), b.to(t, "huge"), form.of(strings.Repeat("x", 20*form.limit)))
		b.wants(t, "far too long", err, bridge.KindTooLarge)
		b.shown(t, "far too long")
	}
}

// fits sends a content and wants it whole on the screen.
func (b *bundle) fits(t *testing.T, unit string, c bridge.Content) {
	t.Helper()
	if _, err := b.open(t).Send(t.Context(), b.to(t, "1"), c); err != nil {
		t.Errorf("as much of %q as fits: %v", unit, err)
		return
	}
	got := ""
	for _, s := range b.fake.Shown() {
		got += s.Text
	}
	if mark := []rune(unit)[0]; mark > '<' && strings.Count(got, string(mark)) < strings.Count(fmt.Sprint(c), string(mark)) {
		t.Errorf("of %q, %d bytes were shown", unit, len(got))
	}
}

// checkKeys: a repeated send is shown once where the platform has keys; what has
// another key is another message, even with the same words.
func checkKeys(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	keyed := b.capabilities(bot).Keyed
	to := b.to(t, "key-1")
	first, err := bot.Send(t.Context(), to, bridge.Text{Text: "once"})
	if err != nil {
		t.Fatal(err)
	}
	b.shown(t, "once", "once")
	to.Repeat = true
	for name, again := range map[string]bridge.Bot{"the same process": bot, "another process": b.open(t)} {
		id, err := again.Send(t.Context(), to, bridge.Text{Text: "once"})
		if err != nil {
			t.Fatalf("repeated by %s: %v", name, err)
		}
		if keyed && (first == "") != (id == "") {
			t.Errorf("repeated by %s: ids %q, %q", name, first, id)
		}
	}
	if !keyed {
		b.shown(t, "without keys, rather twice than never", "once", "once", "once")
		return
	}
	b.shown(t, "repeated with the same key", "once")
	if _, err := bot.Send(t.Context(), b.to(t, "key-2"), bridge.Text{Text: "once"}); err != nil {
		t.Fatal(err)
	}
	b.shown(t, "the same words to another question", "once", "once")
}

// checkConcurrent: a bot is used by many at once.
func checkConcurrent(t *testing.T, b *bundle) {
	t.Helper()
	const many = 8
	bot := b.open(t)
	var group sync.WaitGroup
	for i := range many {
		to := b.to(t, "many-"+strconv.Itoa(i))
		group.Go(func() {
			if _, err := bot.Send(t.Context(), to, bridge.Text{Text: "message " + strconv.Itoa(i)}); err != nil {
				t.Errorf("message %d: %v", i, err)
			}
		})
	}
	group.Wait()
	if got := b.fake.Shown(); len(got) != many {
		t.Errorf("%d of %d messages were shown", len(got), many)
	}
}

// checkFailures: each answer of the platform means what it means.
func checkFailures(t *testing.T, b *bundle) {
	t.Helper()
	if len(b.Failures) < 5 {
		t.Errorf("only %d failures", len(b.Failures))
	}
	for _, f := range b.Failures {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t, b.kit, b.Account)
			bot := b.open(t)
			b.fake.Answer(f.Answer)
			_, err := bot.Send(t.Context(), b.to(t, "key"), bridge.Text{Text: "hello"})
			b.wants(t, f.Name, err, f.Kind)
			e := asError(err)
			if e.Uncertain != f.Uncertain {
				t.Errorf("uncertain is %v", e.Uncertain)
			}
			if e.Kind == bridge.KindRateLimited && e.RetryAfter <= 0 {
				t.Error("no word about when to try again")
			}
			b.shown(t, "a failure")
		})
	}
}

// checkQuote: platforms repeat what they were told, in answers of any length.
func checkQuote(t *testing.T, b *bundle) {
	t.Helper()
	if b.Quote == nil {
		t.Fatal("the kit has no answer that quotes")
	}
	bot := b.open(t)
	for i, words := range []string{
		strings.Join(b.secrets(), " and "), strings.Repeat("x", 350) + strings.Join(b.secrets(), strings.Repeat("y", 30)),
	} {
		b.fake.Answer(b.Quote(words))
		_, err := bot.Send(t.Context(), b.to(t, strconv.Itoa(i)), bridge.Text{Text: "hello"})
		if err == nil {
			t.Fatal("no error")
		}
		b.wants(t, "a quotation", err, bridge.KindOf(err))
		if n := len(err.Error()); n > 1000 {
			t.Errorf("an error of %d bytes", n)
		}
	}
}

// checkNoAnswer: a connection that breaks after the request was read leaves open
// whether the message was shown; one that was never made does not.
func checkNoAnswer(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	b.fake.Answer(Answer{})
	_, err := bot.Send(t.Context(), b.to(t, "1"), bridge.Text{Text: "hello"})
	b.wants(t, "broken off", err, bridge.KindUnavailable)
	if !asError(err).Uncertain {
		t.Errorf("broken off, but certain: %v", err)
	}
	url := nobody(t)
	_, err = b.openAt(t, url).Send(t.Context(), b.To(url).WithKey("2"), bridge.Text{Text: "hello"})
	b.wants(t, "nobody there", err, bridge.KindUnavailable)
	if asError(err).Uncertain {
		t.Errorf("nobody there, but uncertain: %v", err)
	}
}

// checkGivenUp: who stops waiting is told so, and nothing is shown later.
func checkGivenUp(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	_, err := bot.Send(canceled(t), b.to(t, "1"), bridge.Text{Text: "hello"})
	b.wants(t, "given up", err, bridge.KindCanceled)
	b.shown(t, "given up")
	if _, err := bot.Send(t.Context(), b.to(t, "1"), bridge.Text{Text: "hello"}); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	b.shown(t, "afterwards", "hello")
}
