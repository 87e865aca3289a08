package dingtalk_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

const article = `# 标题

第一行
第二行
**要点**:
- a
- b
  接着 b
1. one
2. two

> quoted
> twice

| 名称 | 数量 | 备注 |
|:-----|:---:|---|
| **苹果** | 3 | a\|b |
| 梨 |  | x<br>y |

` + "```go\nx := 1\n\n  y := 2 // | not | a table |\n```" + `
![chart](/files/1.png) and ![ok](https://example.com/a.png)
- [ ] todo
- [x] done
---
end`

// contents are the cases of the golden test.
func contents() map[string]bridge.Content {
	link := func(text string) bridge.Button { return bridge.Button{Text: text, URL: "https://example.com/" + text} }
	return map[string]bridge.Content{
		"text":          bridge.Text{Text: "  plain *text* <b>&</b>\nline 2 "},
		"markdown":      bridge.Markdown{Text: article},
		"titled":        bridge.Markdown{Title: "My title", Text: "- a list\n- only"},
		"card_one_link": bridge.Card{Title: "Result", Text: "All **good**", Buttons: []bridge.Button{link("open")}},
		"card_links":    bridge.Card{Title: "Result", Text: "All **good**", Buttons: []bridge.Button{link("a"), link("b"), link("c")}},
		"card_mixed": bridge.Card{Title: "Was it good?", Text: "Tell us", Buttons: []bridge.Button{
			{Text: "Yes", Value: map[string]string{"v": "1"}}, link("more"),
		}},
		"card_many":    bridge.Card{Text: "many", Buttons: []bridge.Button{link("a"), link("b"), link("c"), link("d"), link("e"), link("f")}},
		"card_plain":   bridge.Card{Title: "Only a title"},
		"news":         bridge.News{Items: []bridge.NewsItem{{Title: "One", Description: "first", URL: "https://example.com/1", Picture: "https://example.com/1.png"}, {Title: "Two", URL: "https://example.com/2", Picture: "https://example.com/2.png"}}},
		"news_plain":   bridge.News{Items: []bridge.NewsItem{{Title: "One", URL: "https://example.com/1"}}},
		"native_hook":  bridge.Native{Type: "link", JSON: []byte(`{"title":"t","text":"x","messageUrl":"https://example.com"}`)},
		"native_robot": bridge.Native{Type: "sampleLink", JSON: []byte(`{"title":"t","text":"x","picUrl":"","messageUrl":"https://example.com"}`)},
		"picture":      bridge.Picture{Name: "chart_[1].png", Data: []byte("PNG")},
		"picture_odd":  bridge.Picture{Name: "chart.webp", Data: []byte("RIFF")},
		"attachment":   bridge.Attachment{Name: "报告.PDF", Data: []byte("%PDF")},
		"file_odd":     bridge.Attachment{Name: "run.exe", Data: []byte("MZ")},
		"voice":        bridge.Voice{Name: "a.amr", Data: []byte("AMR"), Seconds: 3},
	}
}

// TestOutbound shows each content in both kinds of chat by both ways, to a fake
// that refuses what DingTalk refuses.
func TestOutbound(t *testing.T) {
	t.Parallel()
	for name, content := range contents() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			bot := f.bot(t, nil, bridge.Env{})
			shown := map[string]any{}
			for way, to := range map[string]bridge.Address{
				"direct by webhook": f.to(bridge.Direct, nil), "group by webhook": f.to(bridge.Group, nil),
				"direct by robot": f.to(bridge.Direct, noWebhook), "group by robot": f.to(bridge.Group, noWebhook),
			} {
				from := len(f.took())
				if _, err := bot.Send(t.Context(), to, content); err != nil {
					shown[way] = string(bridge.KindOf(err))
					continue
				}
				calls := f.took()[from:]
				shown[way] = slices.DeleteFunc(calls, func(c call) bool { return c.Path == pathToken })
			}
			golden(t, "testdata/outbound/"+name+".golden", shown)
		})
	}
}

// TestWayOut: the session webhook while it works, the robot API after it.
func TestWayOut(t *testing.T) {
	t.Parallel()
	expires := func(in time.Duration) func(map[string]any, *bridge.Address) {
		return func(_ map[string]any, a *bridge.Address) { a.Expires = time.Now().Add(in) }
	}
	gone := answer{200, `{"errcode":300001,"errmsg":"session 不存在"}`}
	for name, c := range map[string]struct {
		kind   bridge.ChatKind
		mutate func(map[string]any, *bridge.Address)
		script []answer
		want   []string
	}{
		"works":              {bridge.Direct, expires(time.Hour), nil, []string{pathHook}},
		"never ends":         {bridge.Group, nil, nil, []string{pathHook}},
		"about to end":       {bridge.Direct, expires(59 * time.Second), nil, []string{pathToken, pathUser}},
		"works for a while":  {bridge.Direct, expires(90 * time.Second), nil, []string{pathHook}},
		"ended":              {bridge.Group, expires(-time.Hour), nil, []string{pathToken, pathGroup}},
		"ended early":        {bridge.Direct, expires(time.Hour), []answer{gone}, []string{pathHook, pathToken, pathUser}},
		"ended early, group": {bridge.Group, expires(time.Hour), []answer{gone}, []string{pathHook, pathToken, pathGroup}},
		"ended by words":     {bridge.Direct, nil, []answer{{200, `{"errcode":400,"errmsg":"session.expired"}`}}, []string{pathHook, pathToken, pathUser}},
		"ended by code":      {bridge.Direct, nil, []answer{{400, `{"code":"session.notExisted"}`}}, []string{pathHook, pathToken, pathUser}},
		"ended with 200":     {bridge.Direct, nil, []answer{{200, `{"code":"session.expired"}`}}, []string{pathHook, pathToken, pathUser}},
		"no address":         {bridge.Direct, func(_ map[string]any, a *bridge.Address) { a.Expires = time.Now().Add(time.Hour) }, nil, []string{pathHook}},
	} {
		f := newFake(t)
		f.script(pathHook, c.script...)
		if _, err := send(t, f.bot(t, nil, bridge.Env{}), f.to(c.kind, c.mutate)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var paths []string
		for _, call := range f.took() {
			paths = append(paths, call.Path)
		}
		if diff := cmp.Diff(c.want, paths); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestOutsiderCannotBeWrittenTo: without a staff id the webhook is the only way.
func TestOutsiderCannotBeWrittenTo(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	outsider := func(data map[string]any, a *bridge.Address) {
		delete(data, "senderStaffId")
		data["senderId"], a.User = "$:LWCP_v1:$x", "$:LWCP_v1:$x"
	}
	if _, err := send(t, bot, f.to(bridge.Direct, outsider)); err != nil {
		t.Error(err)
	}
	to := f.to(bridge.Group, outsider)
	if _, err := send(t, bot, to); err != nil {
		t.Error(err)
	}
	if calls := f.took(pathHook); strings.Contains(string(calls[1].Body), "LWCP") {
		t.Errorf("mentions an id that is none: %s", calls[1].Body)
	}
	to = f.to(bridge.Direct, outsider)
	to.Expires = time.Now()
	if _, err := send(t, bot, to); bridge.KindOf(err) != bridge.KindExpired {
		t.Errorf("got %v", err)
	}
	if f.count(pathUser) != 0 {
		t.Error("the robot API was asked to write to nobody")
	}
}

// TestFilesThatCannotBeShown are named, so that the person knows of them.
func TestFilesThatCannotBeShown(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	outsider := f.to(bridge.Direct, func(data map[string]any, _ *bridge.Address) { delete(data, "senderStaffId") })
	for _, content := range []bridge.Content{
		bridge.Attachment{Name: "a.pdf", Data: []byte("x")},
		bridge.Picture{Name: "a.png"},
		bridge.Voice{Name: "a.amr", Data: make([]byte, 3<<20)},
		bridge.Attachment{Data: []byte("x")},
	} {
		if _, err := bot.Send(t.Context(), outsider, content); err != nil {
			t.Errorf("%T: %v", content, err)
		}
	}
	if f.count(pathUpload) != 0 || f.count(pathHook) != 4 {
		t.Errorf("%d uploads, %d messages", f.count(pathUpload), f.count(pathHook))
	}
	if _, err := bot.Send(t.Context(), outsider, bridge.Picture{Data: []byte("PNG")}); err != nil || f.count(pathUpload) != 1 {
		t.Errorf("a picture can be shown inside a text: %v", err)
	}
	if _, err := bot.Send(t.Context(), outsider, bridge.Picture{Name: "a.JPEG", Data: []byte("JPG")}); err != nil || f.count(pathUpload) != 2 {
		t.Errorf("a picture that is spelled in another way: %v", err)
	}
	if up := f.took(pathUpload); string(up[1].Body) != `"image a.jpg JPG"` { // only that spelling is in the platform's list
		t.Errorf("uploaded %s", up[1].Body)
	}
}

// TestAddressByHand: the command line knows only a chat or a user.
func TestAddressByHand(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	for _, to := range []bridge.Address{{User: "u1"}, {Chat: "u1", Kind: bridge.Direct}, {Chat: "cid1=", Kind: bridge.Group}} {
		if _, err := send(t, bot, to); err != nil {
			t.Errorf("%+v: %v", to, err)
		}
	}
	if f.count(pathUser) != 2 || f.count(pathGroup) != 1 {
		t.Errorf("%d to people, %d to groups", f.count(pathUser), f.count(pathGroup))
	}
}

// TestLimits: what the capabilities promise fits, whatever it is made of; more
// is refused before anything is sent.
func TestLimits(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	const limit = 6000
	for _, unit := range []string{"a", "你", `"`, `\`, "<", "\n", "a\n", "\"\n", "|", "| a | b |\n|---|---|\n", "```\n", "> \n", "- [ ] x\n", "# \n", "![](x)", "😀"} {
		text := "x" + strings.Repeat(unit, (limit-2)/len(unit)) + "x"
		for _, content := range []bridge.Content{bridge.Text{Text: text}, bridge.Markdown{Text: text}} {
			for _, to := range []bridge.Address{f.to(bridge.Group, nil), f.to(bridge.Group, noWebhook)} {
				if _, err := bot.Send(t.Context(), to, content); err != nil {
					t.Errorf("%T of %q: %v", content, unit, err)
				}
			}
		}
	}
	before := len(f.took())
	for _, content := range []bridge.Content{bridge.Text{Text: strings.Repeat("a", 15_000)}, bridge.Markdown{Text: strings.Repeat("你", 5_000)}} {
		if _, err := bot.Send(t.Context(), f.to(bridge.Direct, nil), content); bridge.KindOf(err) != bridge.KindTooLarge {
			t.Errorf("got %v", err)
		}
	}
	for _, content := range []bridge.Content{bridge.Text{}, bridge.Markdown{Text: " \n\x00"}, bridge.Card{}, bridge.Native{Type: "x", JSON: []byte("{")}, bridge.Native{JSON: []byte("{}")}} {
		if _, err := bot.Send(t.Context(), f.to(bridge.Direct, nil), content); bridge.KindOf(err) != bridge.KindInvalid {
			t.Errorf("%+v: got %v", content, err)
		}
	}
	if _, err := bot.Send(t.Context(), f.to(bridge.Direct, nil), nil); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("got %v", err)
	}
	if len(f.took()) != before {
		t.Error("something that cannot be shown was sent")
	}
}

// shownAs sends a Markdown text and returns what DingTalk is given.
func shownAs(t *testing.T, kind bridge.ChatKind, c bridge.Markdown) (title, text string) {
	t.Helper()
	f := newFake(t)
	if _, err := f.bot(t, nil, bridge.Env{}).Send(t.Context(), f.to(kind, nil), c); err != nil {
		t.Fatal(err)
	}
	var in struct{ Markdown struct{ Title, Text string } }
	if err := json.Unmarshal(f.took(pathHook)[0].Body, &in); err != nil {
		t.Fatal(err)
	}
	return in.Markdown.Title, in.Markdown.Text
}

func TestDialect(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"one line":                              "one line",
		"a\nb":                                  "a  \n  b",
		"a\n\n\n\nb":                            "a\n\nb",
		"a\r\nb":                                "a  \n  b",
		"text:\n- x\n- y\nend":                  "text:\n\n- x\n- y\n\nend",
		"# h\ntext":                             "# h\n\ntext",
		"#hashtag\ntext":                        "#hashtag  \n  text",
		"> a\n> b":                              "> a  \n> b",
		"```\na\n\n\nb\n```\nc":                 "```\na\n\n\nb\n```\n\nc",
		"open:\n```py\na\nb":                    "open:\n\n```py\na\nb",
		"````\n```\n````\nx":                    "````\n```\n````\n\nx",
		"- a\n  ```\n  x\n  ```\n- b":           "- a\n  ```\n  x\n  ```\n- b",
		"a<br>b":                                "a  \n  b",
		"|a|b|\n|-|-|\n|1|2|":                   "- **1** · b: 2",
		"a | b\n--- | ---\n1 | 2\n\nx":          "- **1** · b: 2\n\nx",
		"|a|\n|---|\n|1|\n|2|":                  "- **1**\n- **2**",
		"|a|b|\n|---|---|":                      "a · b",
		"|a|b|\n|---|---|\n| |2|3|":             "- b: 2 · 3",
		"a | b\nnot a table":                    "a | b  \n  not a table",
		"a\n---\nb":                             "a\n\n---\n\nb",
		"![x](data:image/png;base64,AA) tail":   "[x] tail",
		"![](/a.png)":                           "[image]",
		"![x](@lADPDe) ![y](http://e.com/y)":    "![x](@lADPDe) ![y](http://e.com/y)",
		"![broken":                              "![broken",
		"- [ ] a\n  - [X] b":                    "- ☐ a\n  - ☑ b",
		"10) a\n11) b":                          "10) a\n11) b",
		"2024.5 is a number\nnot a list":        "2024.5 is a number  \n  not a list",
		"**bold**\n*it*":                        "**bold**  \n  *it*",
		"***\n***":                              "***\n***",
		"\xff\x00a":                             "\uFFFDa",
		fmt.Sprintf("%s\n%s", "a  ", "   b   "): "a  \n  b",
	} {
		if _, got := shownAs(t, bridge.Direct, bridge.Markdown{Text: in}); got != want {
			t.Errorf("%q:\n got %q\nwant %q", in, got, want)
		}
	}
}

func TestMention(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"hi":        "@u1 hi",
		"# h":       "@u1\n\n# h",
		"- a\n- b":  "@u1\n\n- a\n- b",
		"```\nx```": "@u1\n\n```\nx```",
		"> q":       "@u1\n\n> q",
	} {
		if _, got := shownAs(t, bridge.Group, bridge.Markdown{Text: in}); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	for in, want := range map[bridge.Markdown]string{
		{Title: "T", Text: "x"}:              "T",
		{Text: "# 标题\ntext"}:                 "标题",
		{Text: "**Bold** `code` [a](b)"}:     "Bold code a",
		{Text: "```go\nx := 1\n```"}:         "x := 1",
		{Text: "- first\n- second"}:          "first",
		{Text: "|a|b|\n|-|-|\n|1|2|"}:        "a b",
		{Text: "###"}:                        "Message",
		{Text: strings.Repeat("很长", 30)}:     strings.Repeat("很长", 9) + "很…",
		{Title: "\n", Text: "\n\n  after  "}: "after",
	} {
		if got, _ := shownAs(t, bridge.Direct, in); got != want {
			t.Errorf("%+v: got %q, want %q", in, got, want)
		}
	}
}

// TestSendCard: what can be clicked is sent in a card, below the text when that is
// too long for one; where there can be no card it is refused as such.
func TestSendCard(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), "https://one.example.com/hook/dt"
	bot := clickBot(t, f, &address)
	long := choice("good")
	long.Text = strings.Repeat("x", 3001)
	_, err := bot.Send(t.Context(), f.to(bridge.Direct, nil).WithKey("long"), long)
	must(t, err)
	if len(f.shown) != 2 || f.shown[0].text != long.Text || f.shown[1].text != "Please choose" || !f.shown[1].final || len(f.sees()) != 1 {
		t.Errorf("shown %d, %q", len(f.shown), f.sees())
	}
	f.script(pathShow, bad("param.x"))
	_, err = bot.Send(t.Context(), f.to(bridge.Direct, nil).WithKey("again"), long)
	must(t, err)
	if len(f.shown) != 3 {
		t.Errorf("shown %d", len(f.shown))
	}
	_, err = bot.Send(t.Context(), f.to(bridge.Direct, nil).WithKey("bare"), bridge.Card{Buttons: long.Buttons})
	must(t, err)
	if len(f.shown) != 4 || f.shown[3].text != "Please choose" {
		t.Errorf("shown %d", len(f.shown))
	}
	nobody := func(data map[string]any, a *bridge.Address) { a.User = ""; delete(data, "senderStaffId") }
	for name, c := range map[string]struct {
		to     bridge.Address
		script answer
	}{
		"an outsider":      {f.to(bridge.Direct, nobody), answer{}},
		"no such template": {f.to(bridge.Direct, nil), bad("param.templateNotExist")},
		"no right":         {f.to(bridge.Direct, nil), answer{403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied"}`}},
		"not in the group": {f.to(bridge.Group, nil), bad("invalid.openConversationId")},
	} {
		if c.script.status != 0 {
			f.script(pathShow, c.script)
		}
		if _, err = bot.Send(t.Context(), c.to.WithKey(name), choice("good")); bridge.KindOf(err) != bridge.KindUnsupported || len(f.shown) != 4 {
			t.Errorf("%s: %v, %d shown", name, err, len(f.shown))
		}
	}
}

// TestWhoHasButtons: only a template with a place for them, and a bot that can be
// reached.
func TestWhoHasButtons(t *testing.T) {
	t.Parallel()
	here := func() string { return "https://one.example.com/hook/dt" }
	for name, c := range map[string]struct {
		settings map[string]string
		callback func() string
		want     int
	}{
		"all there":   {clicks(), here, 6},
		"no webhook":  {clicks(), nil, 0},
		"no variable": {map[string]string{"card_template_id": template}, here, 0},
		"no template": {map[string]string{"card_buttons_key": "buttons"}, here, 0},
	} {
		f := newFake(t)
		bot := f.bot(t, c.settings, bridge.Env{Callback: c.callback})
		got := bridge.Capabilities{}
		if own, ok := bot.(bridge.Capable); ok {
			got = own.Capabilities()
		}
		findings, err := bot.Check(t.Context())
		must(t, err)
		found := slices.ContainsFunc(findings, func(f bridge.Finding) bool { return f.Code == "buttons" && f.OK })
		if got.MaxButtons != c.want || got.Buttons != (c.want > 0) || found != (c.want > 0) {
			t.Errorf("%s: %+v, found %v", name, got, findings)
		}
	}
	f := newFake(t)
	findings, err := f.bot(t, clicks(), bridge.Env{Callback: func() string { return "" }}).Check(t.Context())
	must(t, err)
	last := findings[len(findings)-1]
	if e := i18n.Explain(bridge.English, last.Err); last.Code != "buttons" || last.OK || !strings.Contains(e.What, "public address") {
		t.Errorf("without an address: %+v, %s", last, e)
	}
}

// TestTooMuchForButtons: what does not fit is refused while the answer can still be
// shown without.
func TestTooMuchForButtons(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), "https://one.example.com/hook/dt"
	s, _ := clickBot(t, f, &address).(bridge.Streamer)
	d := begin(t, s, f.to(bridge.Direct, nil))
	must(t, d.Update(t.Context(), "One"))
	question := strings.Repeat("问", 60)
	fits := choice(question, question+"?", question+"!", "good", "bad", "again")
	for name, card := range map[string]bridge.Card{
		"a button too many": choice("1", "2", "3", "4", "5", "6", "7"), "too long": choice(strings.Repeat("x", 1000)), "too long together": choice(append(slices.Repeat([]string{question + "??????????"}, 5), "x")...),
	} {
		if _, err := d.Finish(t.Context(), card); bridge.KindOf(err) != bridge.KindTooLarge || f.screen(t).final {
			t.Errorf("%s: %v, %+v", name, err, f.screen(t))
		}
	}
	_, err := d.Finish(t.Context(), fits)
	must(t, err)
	if len(f.sees()) != 6 || !f.screen(t).final {
		t.Errorf("people see %q", f.sees())
	}
}

// TestButtonsRefused: an answer is complete without its buttons.
func TestButtonsRefused(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), "https://one.example.com/hook/dt"
	s, _ := clickBot(t, f, &address).(bridge.Streamer)
	d := begin(t, s, f.to(bridge.Direct, nil))
	must(t, d.Update(t.Context(), "One"))
	f.script(pathCard, bad("param.x"))
	_, err := d.Finish(t.Context(), choice("good"))
	must(t, err)
	if got := f.screen(t); got.text != "Done" || !got.final || len(f.sees()) != 0 {
		t.Errorf("shown %+v", got)
	}
}

// TestRedraw: an answer that is complete can be shown with other buttons.
func TestRedraw(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), "https://one.example.com/hook/dt"
	s, _ := clickBot(t, f, &address).(bridge.Streamer)
	d := begin(t, s, f.to(bridge.Direct, nil))
	must(t, d.Update(t.Context(), "One"))
	_, err := d.Finish(t.Context(), choice("good", "bad"))
	must(t, err)
	for _, card := range []bridge.Card{choice("good ✓", "bad"), {Text: "Done"}} {
		again, err := s.Resume(t.Context(), d.Address())
		must(t, err)
		_, err = again.Finish(t.Context(), card)
		must(t, err)
		var want []string
		for _, b := range card.Buttons {
			want = append(want, b.Text)
		}
		if diff := cmp.Diff(want, f.sees()); diff != "" || f.screen(t).text != "Done" || !f.screen(t).final {
			t.Errorf("%s: %+v", diff, f.screen(t))
		}
	}
}
