package wecom_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// send sends a content to a member of its own, so that nothing waits, and
// returns what is on their screen.
func send(t *testing.T, f *fakeWeCom, bot bridge.Bot, user string, c bridge.Content) ([]shown, error) {
	t.Helper()
	_, err := bot.Send(t.Context(), to(user, "k"), c)
	return slices.DeleteFunc(f.shown(), func(s shown) bool { return s.User != user }), err
}

func texts(all []shown) string {
	var b strings.Builder
	for _, s := range all {
		fmt.Fprintf(&b, "=== %s\n%s\n", s.Type, s.Text)
	}
	return b.String()
}

// TestDialect translates answers as language models write them.
func TestDialect(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/outbound/*.md")
	if err != nil || len(names) < 5 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	f := newFake(t)
	for _, format := range []string{"markdown", "text"} {
		bot := f.bot(t, map[string]string{"format": format}, bridge.Env{})
		for i, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := send(t, f, bot, format+fmt.Sprint(i), bridge.Markdown{Title: "no such thing", Text: string(data)})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			golden(t, strings.TrimSuffix(name, "md")+format+".golden", []byte(texts(got)))
		}
	}
}

// TestContents shows what an app has no plain message for.
func TestContents(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	links := bridge.Card{Title: "Was\nthis helpful?", Text: "An **answer**\n\n- x", Buttons: []bridge.Button{
		{Text: "Read more", URL: "https://x.y"}, {URL: "https://z"},
	}}
	for i, c := range []struct {
		content    bridge.Content
		kind, want string
	}{
		{bridge.Text{Text: " 1 < 2 & **3** <a href=\"https://x\">x</a>\n"}, "text", "1 < 2 & **3** <a href=\"https://x\">x</a>"},
		{bridge.Text{Text: "a\x00b\xffc"}, "text", "ab\uFFFDc"},
		{links, "markdown", "### Was this helpful?\n\nAn **answer**\n\n• x\n\n1. [Read more](https://x.y)\n2. https://z"},
		{bridge.Card{Title: "Only a title"}, "markdown", "### Only a title"},
		{bridge.News{Items: []bridge.NewsItem{{Title: "One", URL: "https://1", Description: "first\nof all", Picture: "https://p"}, {Title: "Two"}}}, "markdown", "• [One](https://1)\n　first of all\n• Two"},
		{bridge.Picture{Name: "图.png", Data: []byte("x")}, "text", "[图.png]"},
		{bridge.Picture{}, "text", "[image.png]"},
		{bridge.Attachment{Name: "a\nb.pdf"}, "text", "[a b.pdf]"},
		{bridge.Voice{}, "text", "[voice.amr]"},
		{bridge.Native{Type: "news", JSON: []byte(`{"articles":[]}`)}, "news", `{"articles":[]}`},
	} {
		got, err := send(t, f, bot, fmt.Sprint("u", i), c.content)
		if err != nil || len(got) != 1 {
			t.Errorf("%T: %v, %v", c.content, err, got)
			continue
		}
		if diff := cmp.Diff(shown{got[0].ID, got[0].User, c.kind, c.want}, got[0]); diff != "" {
			t.Errorf("%T:\n%s", c.content, diff)
		}
	}
	for _, c := range []bridge.Content{
		bridge.Text{},
		bridge.Text{Text: " \n\x00"},
		bridge.Markdown{Text: "\n\n"},
		bridge.Markdown{Text: "#"},
		bridge.Card{},
		bridge.News{},
		bridge.Native{JSON: []byte("{}")},
		bridge.Native{Type: "text", JSON: []byte("{")},
	} {
		if got, err := send(t, f, bot, "empty", c); bridge.KindOf(err) != bridge.KindInvalid || len(got) != 0 {
			t.Errorf("%#v: %v, %v", c, err, got)
		}
	}
	if _, err := send(t, f, bot, "empty", nil); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("nothing: %v", err)
	}
}

// TestCard: what can be clicked stands below the text, in a card of its own; where
// no card is shown, in a list.
func TestCard(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	choice := bridge.Card{Title: "Helpful?", Text: "An **answer**", Buttons: []bridge.Button{
		{Text: " Yes\n", Value: map[string]string{"do": "good", "job": "7"}}, {Text: "More", URL: "https://x.y"}, {Value: map[string]string{"do": "bad"}},
	}}
	bare := bridge.Card{Buttons: choice.Buttons[:1]}
	for i, c := range []struct {
		format string
		card   bridge.Card
		want   string
	}{
		{"markdown", choice, "=== markdown\n### Helpful?\n\nAn **answer**\n\n1. [More](https://x.y)\n=== template_card\nPlease choose [Yes] […]\n"},
		{"markdown", bare, "=== template_card\nPlease choose [Yes]\n"},
		{"text", choice, "=== text\nHelpful?\n\nAn answer\n\n1. Yes\n2. <a href=\"https://x.y\">More</a>\n3.\n"},
		{"text", bare, "=== text\n1. Yes\n"},
	} {
		at := to(fmt.Sprint("c", i), fmt.Sprint("k", i))
		at.Language = bridge.English
		bot := f.bot(t, map[string]string{"format": c.format}, bridge.Env{})
		if _, err := bot.Send(t.Context(), at, c.card); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(f.shown(), func(s shown) bool { return s.User != string(at.User) })
		if diff := cmp.Diff(c.want, texts(got)); diff != "" {
			t.Errorf("%d:\n%s", i, diff)
		}
	}
	long := strings.Repeat("字", 200)
	for name, c := range map[string]struct {
		words string
		many  int
		want  bridge.Kind
	}{
		"as many as fit": {long, 6, ""}, "one too many": {"x", 7, bridge.KindTooLarge}, "too long a value": {long + long, 1, bridge.KindTooLarge},
	} {
		card := bridge.Card{Text: "x", Buttons: slices.Repeat([]bridge.Button{{Text: c.words, Value: map[string]string{"text": c.words}}}, c.many)}
		got, err := send(t, f, f.bot(t, nil, bridge.Env{}), strings.ReplaceAll(name, " ", "-"), card)
		if bridge.KindOf(err) != c.want || (len(got) == 0) != (err != nil) {
			t.Errorf("%s: %v, shown %q", name, err, got)
		}
	}
}

// TestImageWithoutWords is named in the language of the person.
func TestImageWithoutWords(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for lang, want := range map[bridge.Language]string{bridge.Chinese: "[图片](https://x.y/p.png)", bridge.English: "[image](https://x.y/p.png)"} {
		at := to(string(lang), "k")
		at.Language = lang
		if _, err := bot.Send(t.Context(), at, bridge.Markdown{Text: "![](https://x.y/p.png)"}); err != nil {
			t.Fatal(err)
		}
		if all := f.shown(); all[len(all)-1].Text != want {
			t.Errorf("%s: %q", lang, all[len(all)-1].Text)
		}
	}
}

// TestTooLarge: better refused than cut off silently.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for _, c := range []struct {
		content bridge.Content
		want    bridge.Kind
	}{
		{bridge.Text{Text: strings.Repeat("x", 2048)}, ""},
		{bridge.Text{Text: strings.Repeat("x", 2049)}, bridge.KindTooLarge},
		{bridge.Text{Text: strings.Repeat("好", 683)}, bridge.KindTooLarge}, // 2049 bytes
		{bridge.Markdown{Text: strings.Repeat("好", 682)}, ""},
		{bridge.Markdown{Text: strings.Repeat("好", 683)}, bridge.KindTooLarge},
		{bridge.Card{Title: "t", Text: strings.Repeat("x", 2049)}, bridge.KindTooLarge},
	} {
		got, err := send(t, f, bot, "large", c.content)
		if bridge.KindOf(err) != c.want {
			t.Errorf("%T: %v", c.content, err)
		}
		if all := len(got); c.want == "" && got[all-1].Text == "" {
			t.Errorf("%T: shown %v", c.content, got)
		}
	}
}

// table is a table that grows when its columns are named in every row.
func table(rows int) string {
	var b strings.Builder
	b.WriteString("| City of the office | Number of people | Head of the office |\n|---|---|---|\n")
	for i := range rows {
		fmt.Fprintf(&b, "| City %d | %d | P%d |\n", i, i*7, i)
	}
	return b.String()
}

// TestGrown: what became too long by translation is shown in several messages,
// in order and whole.
func TestGrown(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	got, err := send(t, f, bot, "grown", bridge.Markdown{Text: table(60)})
	if err != nil || len(got) != 2 {
		t.Fatalf("%d messages: %v", len(got), err)
	}
	joined := ""
	for _, s := range got {
		if len(s.Text) > 2048 || !strings.HasPrefix(s.Text, "• **City ") || strings.HasSuffix(s.Text, "\n") {
			t.Errorf("%d bytes: %q", len(s.Text), s.Text)
		}
		joined += s.Text + "\n"
	}
	for i := range 60 {
		if want := fmt.Sprintf("• **City %d** · Number of people: %d · Head of the office: P%d\n", i, i*7, i); !strings.Contains(joined, want) {
			t.Errorf("no %q", want)
		}
	}
	// Without end, the names of the columns are written once.
	wide := "|" + strings.Repeat("abcdefgh |", 100) + "\n|---|" + strings.Repeat("\n|1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17|18|19|20|", 18)
	got, err = send(t, f, bot, "wide", bridge.Markdown{Text: wide})
	if err != nil || len(got) > 3 || !strings.HasPrefix(got[0].Text, "**abcdefgh · ") {
		t.Errorf("%d messages: %v\n%s", len(got), err, texts(got))
	}
}

// TestBorders: messages end where a reader would pause.
func TestBorders(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	grow := strings.Repeat("- x\n", 300) // 1200 bytes become 1800
	for name, c := range map[string]struct{ text, first string }{
		"paragraph": {grow[:1000] + "\nend\n\n" + strings.Repeat("line\n", 60) + strings.Repeat("- y\n", 80), "end"},
		"line":      {grow[:600] + "\n" + strings.Repeat("word. ", 60) + "end\n" + strings.Repeat("word. ", 150), "end"},
		"sentence":  {grow[:680] + strings.Repeat("一句话。两句，话", 55), "。"},
		"comma":     {grow[:680] + strings.Repeat("一句话，两句话", 62), "，"},
		"character": {grow[:680] + strings.Repeat("好", 440), "好"},
	} {
		got, err := send(t, f, bot, name, bridge.Markdown{Text: c.text})
		if err != nil || len(got) != 2 || !strings.HasSuffix(got[0].Text, c.first) {
			t.Errorf("%s: %v\n%s", name, err, texts(got))
		}
	}
}

// TestNothingIsLost writes random Markdown and looks for all of its words.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	marks := []string{" ", "\n", "\n\n", "**", "*", "_", "`", "```\n", "\n- ", "\n  - ", "\n1. ", "\n> ", "\n# ", "|", "\n|---|---|\n", "[", "](https://x)", "~~", "\\", "<", ">", "!", "好。"}
	f := newFake(t)
	for _, format := range []string{"markdown", "text"} {
		bot := f.bot(t, map[string]string{"format": format}, bridge.Env{})
		for n := range 500 {
			var b strings.Builder
			var words []string
			for b.Len() < rng.IntN(1900) {
				word := fmt.Sprintf("w%dw", len(words))
				words = append(words, word)
				b.WriteString(word + marks[rng.IntN(len(marks))] + marks[rng.IntN(len(marks))])
			}
			if len(words) == 0 {
				continue
			}
			got, err := send(t, f, bot, fmt.Sprint(format, n), bridge.Markdown{Text: b.String()})
			if err != nil {
				t.Fatalf("%v\n%s", err, b.String())
			}
			all := texts(got)
			for _, word := range words {
				if !strings.Contains(all, word) && !leftOut(b.String(), word) {
					t.Fatalf("no %s in\n%s\nwhich was\n%s", word, all, b.String())
				}
			}
		}
	}
}

// leftOut tells whether a word may be missing: it was the language of a block of
// code, or the name of a column: the first, or one without values.
func leftOut(md, word string) bool {
	lines := strings.Split(md, "\n")
	for i, line := range lines {
		switch {
		case !strings.Contains(line, word):
		case strings.HasPrefix(strings.TrimLeft(line, "> "), "```"):
			return true
		case i+1 < len(lines) && strings.HasPrefix(strings.TrimLeft(lines[i+1], "> "), "|---"):
			return true
		}
	}
	return false
}

// FuzzSend translates anything. The fake complains when a message is too long.
func FuzzSend(f *testing.F) {
	names, err := filepath.Glob("testdata/outbound/*.md")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	fake := newFake(f)
	bots := []bridge.Bot{fake.bot(f, nil, bridge.Env{}), fake.bot(f, map[string]string{"format": "text"}, bridge.Env{})}
	n := 0
	f.Fuzz(func(t *testing.T, text string) {
		for _, bot := range bots {
			n++
			user := fmt.Sprint("u", n)
			start := time.Now()
			got, err := send(t, fake, bot, user, bridge.Markdown{Text: text})
			fake.set(func(f *fakeWeCom) { f.screen, f.bodies, f.calls = nil, nil, nil })
			if kind := bridge.KindOf(err); kind != "" && kind != bridge.KindTooLarge && kind != bridge.KindInvalid && kind != bridge.KindRateLimited {
				t.Errorf("got %v", err)
			}
			if took := time.Since(start); took > 2*time.Second && len(got) < 15 {
				t.Errorf("took %v", took)
			}
			for _, s := range got {
				if !utf8.ValidString(s.Text) || strings.TrimSpace(s.Text) == "" || len(s.Text) > 2048 {
					t.Errorf("shown %q", s.Text)
				}
			}
		}
	})
}

// TestNotDelivered: errcode 0 is not the last word.
func TestNotDelivered(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for user, want := range map[string]bridge.Kind{
		"ZhangSan": "", "Gone": bridge.KindNotFound, "Nobody": bridge.KindNotFound, "Unlicensed": bridge.KindForbidden,
	} {
		id, err := bot.Send(t.Context(), to(user, "k"), bridge.Text{Text: "hi"})
		if bridge.KindOf(err) != want || (err == nil) != strings.HasPrefix(string(id), "msg-") {
			t.Errorf("%s: %q, %v", user, id, err)
		}
	}
}

// TestReceivers: a slip in an address must not reach the whole company.
func TestReceivers(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for _, user := range []string{"", "@all", "a|b", "a b", "a\nb"} {
		if _, err := bot.Send(t.Context(), to(user, "k"), bridge.Text{Text: "hi"}); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("%q: %v", user, err)
		}
	}
	group := to("ZhangSan", "k")
	group.Kind = bridge.Group
	if _, err := bot.Send(t.Context(), group, bridge.Text{Text: "hi"}); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("a group: %v", err)
	}
	if n := f.count(callSend); n != 0 {
		t.Errorf("%d sends", n)
	}
	if _, err := bot.Send(t.Context(), bridge.Address{Chat: "ZhangSan", Key: "k"}, bridge.Text{Text: "hi"}); err != nil {
		t.Errorf("an address with a chat only: %v", err)
	}
}

// TestOnce: a repeated send is shown once, an answer that happens to be the same
// is shown again.
func TestOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		keys  []string
		pause time.Duration
		want  int
	}{
		{"repeated", []string{"a", "a", "a"}, time.Second, 1},
		{"the same answer to two questions", []string{"a", "b"}, time.Second, 2},
		{"and to a third", []string{"a", "b", "c"}, time.Second, 3},
		// In doubt twice: the first may have been dropped in favour of the other.
		{"repeated after another", []string{"a", "b", "b"}, time.Second, 3},
		{"much later", []string{"a", "b"}, 10 * time.Minute, 2},
		{"without a key", []string{"", ""}, time.Second, 2},
		{"first without a key", []string{"", "a"}, time.Second, 2},
	} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			bot := f.bot(t, nil, bridge.Env{})
			for _, key := range c.keys {
				if _, err := say(t, bot, key, "the answer"); err != nil {
					t.Error(err)
				}
				f.sleep(c.pause)
			}
			if got := len(f.shown()); got != c.want {
				t.Errorf("%s: shown %d times, want %d", c.name, got, c.want)
			}
		})
	}
}

// TestOnceAfterRestart: a send that was cut by a crash is not shown twice.
func TestOnceAfterRestart(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for range 2 {
		again := to("ZhangSan", "a")
		again.Repeat = true
		if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), again, bridge.Markdown{Text: "the **answer**"}); err != nil {
			t.Error(err)
		}
	}
	if got := f.shown(); len(got) != 1 {
		t.Errorf("shown %v", got)
	}
}

// TestPartsOnce: when the second of several messages fails, the first is not
// shown again with the retry.
func TestPartsOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	long := bridge.Markdown{Text: table(60)}
	// The first message is answered by hand, so the second one meets the trouble.
	f.script(callSend, scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","msgid":"msg-0"}`}, says(45033, "busy"))
	_, err := bot.Send(t.Context(), to("ZhangSan", "k"), long)
	var e *bridge.Error
	if !errors.As(err, &e) || e.Kind != bridge.KindRateLimited || !e.Uncertain {
		t.Fatalf("a part was shown: got %v", err)
	}
	id, err := bot.Send(t.Context(), to("ZhangSan", "k"), long)
	if err != nil {
		t.Fatal(err)
	}
	parts := f.shown()
	if len(parts) < 2 || strings.Count(string(id), ",") != len(parts)-1 {
		t.Fatalf("%d parts, id %q", len(parts), id)
	}
	if _, err := bot.Send(t.Context(), to("ZhangSan", "k"), long); err != nil || len(f.shown()) != len(parts) {
		t.Errorf("repeated: %v, %d shown", err, len(f.shown()))
	}
	recaller, ok := bot.(bridge.Recaller)
	if !ok {
		t.Fatal("cannot recall")
	}
	if err := recaller.Recall(t.Context(), id, to("ZhangSan", "k")); err != nil || len(f.recalled) != len(parts) {
		t.Errorf("recalled %v: %v", f.recalled, err)
	}
}

// TestPace: WeCom drops silently what one member gets too fast.
func TestPace(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		f.mu.Lock()
		f.offset = 0
		f.mu.Unlock()
		start, refused := time.Now(), 0
		for i := range 60 {
			_, err := say(t, bot, strconv.Itoa(i), "n"+strconv.Itoa(i))
			f.set(func(f *fakeWeCom) { f.offset = time.Since(start) })
			if err != nil && bridge.KindOf(err) != bridge.KindRateLimited {
				t.Fatal(err)
			}
			if err != nil {
				refused++
			}
		}
		// 15 at once, then one in four seconds; each waits for its turn.
		if took := time.Since(start); took < 179*time.Second || refused != 0 {
			t.Errorf("60 messages took %v, %d refused", took, refused)
		}
		if _, err := bot.Send(t.Context(), to("LiSi", "x"), bridge.Text{Text: "hi"}); err != nil {
			t.Error(err)
		}
	})
}

// TestCrowdedPace: whoever would have to wait long is told so instead.
func TestCrowdedPace(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	ctx, cancel := context.WithCancel(t.Context())
	for i := range 15 {
		if _, err := say(t, bot, strconv.Itoa(i), "n"+strconv.Itoa(i)); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	kinds := make(chan error, 10)
	for i := range 10 {
		group.Go(func() {
			_, err := bot.Send(ctx, to("ZhangSan", "x"+strconv.Itoa(i)), bridge.Text{Text: "x"})
			kinds <- err
		})
	}
	for range 8 { // two wait for 4 and 8 seconds, the others are refused at once
		var e *bridge.Error
		if err := <-kinds; !errors.As(err, &e) || e.Kind != bridge.KindRateLimited || e.RetryAfter <= 0 || e.Uncertain {
			t.Errorf("got %v", err)
		}
	}
	cancel()
	group.Wait()
	for range 2 {
		if err := <-kinds; bridge.KindOf(err) != bridge.KindCanceled {
			t.Errorf("got %v", err)
		}
	}
}
