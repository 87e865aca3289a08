package feishu_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

const article = `# 标题

第一行
第二行
**要点** with <b>tags</b>, 1 < 2, a<br>break and <https://example.com/auto>:
- a
  - a1
    - a2
  - a3
- b
  goes on
   1. one
   2. two

> quoted <at id=all></at>

| 名称 | 数量 |
|:-----|:---:|
| **苹果** <i>x</i> | 3 |

  ` + "```go\n  x := 1 // <at id=all></at>\n    y := `2` | not | a table |\n  ```" + `
![chart](/files/1.png) and ![ok](https://example.com/a.png) and ![kept](img_v3_1)
[docs](https://example.com/a_(b) "title"), [mail](mailto:a@b.c), [![badge](https://x.y/b.svg)](https://x.y), [open](
- [ ] todo
- [x] done
use ` + "`a<b>` and ``<at id=all>``" + `
---
end`

// contents are the cases of the golden test.
func contents() map[string]bridge.Content {
	link := func(text string) bridge.Button { return bridge.Button{Text: text, URL: "https://example.com/" + text} }
	value := func(text string, style bridge.ButtonStyle) bridge.Button {
		return bridge.Button{Text: text, Style: style, Value: map[string]string{"a": text}}
	}
	table := "|a|b|\n|--|--|\n|1|2|\n\n"
	return map[string]bridge.Content{
		"text":     bridge.Text{Text: "  plain *text* <b>&</b> <at user_id=\"all\"></at> 1 < 2\nline 2\u0000 "},
		"markdown": bridge.Markdown{Text: article},
		"titled":   bridge.Markdown{Title: "My title", Text: "- a list\n- only"},
		"tables":   bridge.Markdown{Text: strings.Repeat(table, 4)},
		"card":     bridge.Card{Title: "Was it\ngood?", Text: "Tell **us**", Buttons: []bridge.Button{value("Yes", bridge.ButtonPrimary), value("No", bridge.ButtonDanger), link("more"), value("", "")}},
		"card_rows": bridge.Card{Text: "An answer", Buttons: []bridge.Button{
			value("Why is that so and not otherwise?", ""), value("Since when?", ""), value("👍", ""), value("👎", ""), value("🔄", ""), value("x", ""),
		}},
		"card_buttons": bridge.Card{Buttons: []bridge.Button{value("Yes", "")}},
		"card_title":   bridge.Card{Title: "Only a title"},
		"news":         bridge.News{Items: []bridge.NewsItem{{Title: "One", Description: "first", URL: "https://example.com/1", Picture: "https://example.com/1.png"}, {URL: "https://example.com/2"}}},
		"native":       bridge.Native{Type: "share_chat", JSON: []byte(`{"chat_id":"oc_9"}`)},
		"picture":      bridge.Picture{Name: "chart 1.png", Data: []byte("\x89PNG\r\n\x1a\n")},
		"picture_odd":  bridge.Picture{Name: "chart.svg", Data: []byte("<svg></svg>")},
		"picture_none": bridge.Picture{Name: "empty.png"},
		"attachment":   bridge.Attachment{Name: "报告.PDF", Data: []byte("%PDF")},
		"video":        bridge.Attachment{Name: "a.mp4", Data: []byte("mp4")},
		"voice":        bridge.Voice{Name: "a.opus", Data: []byte("OggS..."), Seconds: 3},
		"voice_odd":    bridge.Voice{Data: []byte("#!AMR")},
	}
}

// TestOutbound shows each content in both kinds of chat, to a fake that refuses
// what Feishu refuses.
func TestOutbound(t *testing.T) {
	t.Parallel()
	for name, content := range contents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			bot := f.bot(t, nil, bridge.Env{})
			shown := map[string]any{}
			fresh := grouped()
			fresh.ReplyTo = ""
			for way, to := range map[string]bridge.Address{"direct": direct(), "group": fresh} {
				from := len(f.took())
				if _, err := bot.Send(t.Context(), to.WithKey(way), content); err != nil {
					shown[way] = string(bridge.KindOf(err))
					continue
				}
				var steps []any
				for _, c := range f.took()[from:] {
					if c.Path != pathToken {
						steps = append(steps, readable(t, c))
					}
				}
				shown[way] = steps
			}
			golden(t, "testdata/outbound/"+name+".golden", shown)
		})
	}
}

// readable unfolds the JSON that stands as text in JSON.
func readable(t *testing.T, c call) map[string]any {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(c.Body, &body); err != nil {
		t.Fatal(err)
	}
	if content, ok := body["content"].(string); ok && json.Valid([]byte(content)) {
		body["content"] = json.RawMessage(content)
	}
	return map[string]any{"call": c.Method + " " + c.Path, "body": body}
}

// TestWhereTo: a group's answer is a reply, a person's a message of its own; ids
// of every kind are known by how they begin.
func TestWhereTo(t *testing.T) {
	t.Parallel()
	thread := direct()
	thread.Thread = "omt_1"
	gone := grouped()
	gone.ReplyTo = "om_gone"
	for name, c := range map[string]struct {
		to     bridge.Address
		screen string
		calls  int
	}{
		"direct":          {direct(), "oc_1", 2},
		"group":           {grouped(), "reply om_1", 2},
		"thread":          {thread, "reply om_1", 2},
		"question gone":   {gone, "oc_1", 3},
		"by hand, chat":   {bridge.Address{Chat: "oc_2"}, "oc_2", 2},
		"by hand, person": {bridge.Address{User: "ou_2"}, "ou_2", 2},
		"union id":        {bridge.Address{User: "on_2"}, "on_2", 2},
		"employee":        {bridge.Address{Chat: "e33ggbyz"}, "e33ggbyz", 2},
		"e-mail":          {bridge.Address{Chat: "a@example.com"}, "a@example.com", 2},
	} {
		f := newFake(t)
		id, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), c.to, bridge.Text{Text: "hi"})
		seen := f.screen()
		if err != nil || len(seen) != 1 || seen[0].to != c.screen || seen[0].id != string(id) || len(f.took()) != c.calls {
			t.Errorf("%s: got %q, %v, %+v after %d calls", name, id, err, seen, len(f.took()))
		}
	}
	f := newFake(t)
	if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), bridge.Address{}, bridge.Text{Text: "hi"}); bridge.KindOf(err) != bridge.KindInvalid || len(f.took()) > 0 {
		t.Errorf("nobody: got %v", err)
	}
}

// TestSentOnce: a send that is repeated with its key shows nothing new, however
// the first try ended.
func TestSentOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	f.loseSend()
	_, err := bot.Send(t.Context(), direct(), bridge.Markdown{Text: "# hi"})
	var e *bridge.Error
	if !errors.As(err, &e) || e.Kind != bridge.KindUnavailable || !e.Uncertain {
		t.Fatalf("got %v", err)
	}
	again, err := bot.Send(t.Context(), direct(), bridge.Markdown{Text: "# hi"})
	if err != nil || len(f.screen()) != 1 || string(again) != f.screen()[0].id {
		t.Errorf("got %q, %v, %+v", again, err, f.screen())
	}
	if _, err := bot.Send(t.Context(), direct().WithKey("k-1"), bridge.Markdown{Text: "# hi"}); err != nil || len(f.screen()) != 2 {
		t.Errorf("another key: %v, %+v", err, f.screen())
	}
	for range 2 {
		if _, err := bot.Send(t.Context(), direct().WithKey(""), bridge.Markdown{Text: "# hi"}); err != nil {
			t.Error(err)
		}
	}
	if len(f.screen()) != 4 {
		t.Errorf("without a key: %d", len(f.screen()))
	}
	for _, c := range f.took(pathCreate) {
		var body struct{ UUID string }
		if err := json.Unmarshal(c.Body, &body); err != nil || len(body.UUID) > 50 {
			t.Errorf("%v: uuid %q", err, body.UUID)
		}
	}
}

// TestSimplerWays: a card that is refused is shown as a rich text, and that as
// a plain one.
func TestSimplerWays(t *testing.T) {
	t.Parallel()
	refused := bad(230099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: element exceeds the limit")
	for n, want := range []string{"interactive", "post", "text"} {
		f := newFake(t)
		for range n {
			f.script(pathCreate, refused)
		}
		id, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Markdown{Text: "# Title\n\n|a|\n|--|\n|<at id=all>|"})
		if seen := f.screen(); err != nil || id == "" || len(seen) != 1 || seen[0].kind != want || strings.Contains(seen[0].content, "<at id") {
			t.Errorf("%s: got %v, %+v", want, err, seen)
		}
	}
	f := newFake(t)
	f.script(pathCreate, refused, refused, refused)
	if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Markdown{Text: "x"}); bridge.KindOf(err) != bridge.KindInvalid || len(f.screen()) != 0 {
		t.Errorf("got %v", err)
	}
	f = newFake(t)
	f.script(pathCreate, bad(230001, "invalid request parameter"))
	if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Markdown{Text: "x"}); bridge.KindOf(err) != bridge.KindInvalid || f.count(pathCreate) != 1 {
		t.Errorf("a wrong request was tried %d times, %v", f.count(pathCreate), err)
	}
}

// TestRefusedContent: the person learns that there is no answer, once.
func TestRefusedContent(t *testing.T) {
	t.Parallel()
	for _, code := range []int{230022, 230028} {
		f := newFake(t)
		f.script(pathCreate, bad(code, "sensitive"))
		to := direct()
		to.Language = bridge.English
		_, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), to, bridge.Markdown{Text: "# 13800138000"})
		if seen := f.screen(); err != nil || len(seen) != 1 || !strings.Contains(seen[0].content, "could not be shown") {
			t.Errorf("%d: got %v, %+v", code, err, seen)
		}
		f.script(pathCreate, bad(code, "sensitive"), bad(code, "sensitive"))
		if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), to.WithKey("k-1"), bridge.Markdown{Text: "x"}); bridge.KindOf(err) != bridge.KindBlocked || f.count(pathCreate) != 4 {
			t.Errorf("%d: got %v after %d calls", code, err, f.count(pathCreate))
		}
	}
}

// TestSizes: what the capabilities promise is taken, whatever it is made of
// commonly; what grows too much is refused before it is sent.
func TestSizes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) { checkSizes(t, f) })
}

func checkSizes(t *testing.T, f *fake) {
	t.Helper()
	bot := f.bot(t, nil, bridge.Env{})
	limit := 18_000
	for name, text := range map[string]string{
		"chinese": strings.Repeat("汉", limit/3), "english": strings.Repeat("word ", limit/5), "lines": strings.Repeat("0123456789\n", limit/11),
		"quotes": strings.Repeat(`say "hi" `, limit/9), "lists": strings.Repeat("- item\n", limit/7), "code": "```\n" + strings.Repeat("if a < b { c() }\n", limit/17) + "```",
	} {
		if _, err := bot.Send(t.Context(), direct().WithKey(name), bridge.Markdown{Text: text}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := bot.Send(t.Context(), direct().WithKey("text"), bridge.Text{Text: strings.Repeat("\"\n", 18_000)}); err != nil {
		t.Error(err)
	}
	from := len(f.took())
	for name, content := range map[string]bridge.Content{
		"markdown": bridge.Markdown{Text: strings.Repeat("x", 40_000)}, "card": bridge.Card{Text: strings.Repeat("汉", 10_000)},
		"text": bridge.Text{Text: strings.Repeat("汉", 50_001)},
	} {
		if _, err := bot.Send(t.Context(), direct().WithKey(name), content); bridge.KindOf(err) != bridge.KindTooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(f.took()) != from {
		t.Error("something too large was sent")
	}
}

// TestGrownMarkdown: a text that grows beyond a card in translation is shown in
// several, each of them once; all of them are taken back together.
func TestGrownMarkdown(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) { checkGrownMarkdown(t, f) })
}

func checkGrownMarkdown(t *testing.T, f *fake) {
	t.Helper()
	bot := f.bot(t, nil, bridge.Env{})
	text := bridge.Markdown{Text: strings.Repeat("<a ", 6_000)}
	f.script(pathCreate, answer{}, bad(230020, "frequency limit"))
	f.scripted[pathCreate][0] = ok(`{"message_id":"om_lost"}`)
	_, err := bot.Send(t.Context(), direct(), text)
	var e *bridge.Error
	if !errors.As(err, &e) || e.Kind != bridge.KindRateLimited || !e.Uncertain {
		t.Fatalf("got %v, uncertain is %v", err, e != nil && e.Uncertain)
	}
	var id bridge.MessageID
	for range 2 {
		if id, err = bot.Send(t.Context(), direct(), text); err != nil {
			t.Fatal(err)
		}
	}
	whole := ""
	for _, m := range f.screen() {
		whole += m.content
	}
	if len(f.screen()) < 2 || strings.Count(whole, "&#60;a") < 6_000 {
		t.Errorf("%d messages with %d tags", len(f.screen()), strings.Count(whole, "&#60;a"))
	}
	recaller, _ := bot.(bridge.Recaller)
	if err := recaller.Recall(t.Context(), id, direct()); err != nil || len(f.screen()) != 0 {
		t.Errorf("%v, %d messages are left", err, len(f.screen()))
	}
}

// TestNothingToShow is refused before anybody is bothered.
func TestNothingToShow(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for _, c := range []bridge.Content{
		bridge.Text{},
		bridge.Text{Text: " \n"},
		bridge.Markdown{Title: "t"},
		bridge.Card{},
		bridge.News{},
		bridge.Native{Type: "text"},
		bridge.Native{JSON: []byte("{}")},
		bridge.Native{Type: "text", JSON: []byte("{")},
		bridge.Text{Text: "\u0000"},
	} {
		if _, err := bot.Send(t.Context(), direct(), c); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("%#v: got %v", c, err)
		}
	}
	if _, err := bot.Send(t.Context(), direct(), nil); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("got %v", err)
	}
	if calls := f.took(); len(calls) > 0 {
		t.Errorf("called %v", calls)
	}
}

// TestLargeFiles go as files, or are named in words.
func TestLargeFiles(t *testing.T) {
	t.Parallel()
	png := "\x89PNG\r\n\x1a\n"
	for name, c := range map[string]struct {
		size int
		kind string
	}{"image": {10 << 20, "image"}, "file": {10<<20 + 1, "file"}, "text": {30<<20 + 1, "text"}} {
		f := newFake(t)
		data := append([]byte(png), make([]byte, c.size-len(png))...)
		if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Picture{Name: "a.png", Data: data}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if seen := f.screen(); len(seen) != 1 || seen[0].kind != c.kind {
			t.Errorf("%s: %+v", name, fmt.Sprint(len(seen)))
		}
	}
	f := newFake(t)
	f.script(pathImages, bad(234011, "Can't recognize the image format."))
	if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), direct(), bridge.Picture{Name: "a.png", Data: []byte(png)}); bridge.KindOf(err) != bridge.KindUnsupported || len(f.screen()) > 0 {
		t.Errorf("got %v", err)
	}
}

type label struct {
	Tag, Content string
}

// element is a part of a card, in all the shapes that this project uses.
type element struct {
	Tag       string    `json:"tag"`
	ElementID string    `json:"element_id"`
	Content   *string   `json:"content"`
	Columns   []element `json:"columns"`
	Width     string    `json:"width"`
	Elements  []element `json:"elements"`
	Text      *label    `json:"text"`
	Type      string    `json:"type"`
	Behaviors []struct {
		Type       string            `json:"type"`
		Value      map[string]string `json:"value"`
		DefaultURL string            `json:"default_url"`
	} `json:"behaviors"`
}

// fakeCardJSON is a card of schema 2.0; it takes no property it does not know.
type fakeCardJSON struct {
	Schema string `json:"schema"`
	Config struct {
		UpdateMulti   *bool           `json:"update_multi"`
		StreamingMode bool            `json:"streaming_mode"`
		Summary       *label          `json:"summary"`
		Pace          json.RawMessage `json:"streaming_config"`
	} `json:"config"`
	Header *struct {
		Title label `json:"title"`
	} `json:"header"`
	Body struct {
		Elements []element `json:"elements"`
	} `json:"body"`
}

// checkCard returns the code of what is wrong with a card.
func checkCard(content string) string {
	var c fakeCardJSON
	switch {
	case len(content) > 30_000:
		return "200860"
	case !strict([]byte(content), &c) || c.Schema != "2.0":
		return "200621"
	case c.Config.UpdateMulti == nil || !*c.Config.UpdateMulti:
		return "300302"
	case len(c.Body.Elements) == 0:
		return "300307"
	}
	return checkElements(c.Body.Elements)
}

func checkElements(elements []element) string {
	for _, e := range elements {
		switch {
		case e.Tag == "markdown" && e.Content == nil, e.Tag == "button" && (e.Text == nil || e.Text.Content == "" || len(e.Behaviors) != 1):
			return "200621"
		case e.Tag != "markdown" && e.Tag != "button" && e.Tag != "column_set" && e.Tag != "column":
			return "200861"
		case e.Content != nil && checkMarkdown(*e.Content) != "":
			return checkMarkdown(*e.Content)
		}
		if wrong := checkElements(append(e.Columns, e.Elements...)); wrong != "" {
			return wrong
		}
	}
	return ""
}

// checkMarkdown refuses what would take a whole card down.
func checkMarkdown(text string) string {
	switch {
	case strings.Contains(text, "<at id=all>"):
		return "100290"
	case strings.Contains(text, "![") && !strings.Contains(text, "](img_"):
		return "200570"
	case strings.Count(text, "|--") > 3 && !strings.Contains(text, "```"):
		return "11310"
	default:
		return ""
	}
}

// TestPaces: neither one chat nor the app as a whole is called faster than the
// platform allows.
func TestPaces(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		began := time.Now()
		for range 10 {
			if _, err := send(t, bot, direct().WithKey("")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 2500*time.Millisecond || took > 4*time.Second {
			t.Errorf("10 messages to one chat took %v", took)
		}
		began = time.Now()
		for n := range 100 {
			if _, err := send(t, bot, bridge.Address{Chat: fmt.Sprintf("oc_%d", n)}); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 4*time.Second || took > 8*time.Second {
			t.Errorf("100 messages to 100 chats took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		for range 5 {
			_, err := bot.Send(ctx, direct().WithKey(""), bridge.Text{Text: "x"})
			if err != nil && bridge.KindOf(err) != bridge.KindRateLimited {
				t.Errorf("got %v", err)
			}
		}
		synctest.Wait()
	})
}

// TestPlatformsPause: what the platform asks of one holds for all who call that
// API, and nobody else.
func TestPlatformsPause(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		bot := f.bot(t, nil, bridge.Env{})
		id, err := send(t, bot, direct())
		if err != nil {
			t.Fatal(err)
		}
		f.header.Set("x-ogw-ratelimit-reset", "5")
		f.script(pathCreate, answer{429, `{"code":99991400,"msg":"request trigger frequency limit"}`})
		began := time.Now()
		if _, err := send(t, bot, direct()); bridge.KindOf(err) != bridge.KindRateLimited {
			t.Fatal(err)
		}
		recaller, _ := bot.(bridge.Recaller)
		if err := recaller.Recall(t.Context(), id, direct()); err != nil || time.Since(began) > time.Second {
			t.Errorf("another API after %v: %v", time.Since(began), err)
		}
		if _, err := send(t, bot, bridge.Address{Chat: "oc_other"}); err != nil || time.Since(began) < 5*time.Second {
			t.Errorf("another chat after %v: %v", time.Since(began), err)
		}
	})
}
