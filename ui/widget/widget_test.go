package widget_test

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/theme"
	"switchboard/ui/widget"
)

// window shows something in our theme.
func window(t *testing.T, o fyne.CanvasObject, w, h float32) fyne.Window {
	t.Helper()
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light))
	win := test.NewTempWindow(t, o)
	win.SetPadded(false)
	win.Resize(fyne.NewSize(w, h))
	return win
}

func TestBreakable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"between characters":     {"年假", "年|假"},
		"not before a comma":     {"好，行", "好，|行"},
		"not after an opening":   {"看（图）吧", "看|（图）|吧"},
		"beside Latin":           {"用VPN吗", "用|VPN|吗"},
		"a space is enough":      {"用 VPN 吗", "用 VPN 吗"},
		"English stays":          {"hello, world", "hello, world"},
		"English quotes":         {"the “API” page", `the "API" page`},
		"Chinese quotes":         {"点“测试”吧", "点|“测|试”|吧"},
		"dots do not start":      {"在写…", "在|写…"},
		"nothing":                {"", ""},
		"full-width punctuation": {"！！", "！！"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.ReplaceAll(widget.Breakable(tt.in), "\u200A", "|"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzBreakable(f *testing.F) {
	f.Add("年假 can be “carried” over。")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.ContainsAny(s, "\u200A“”‘’") || strings.ToValidUTF8(s, "") != s {
			return
		}
		if got := strings.ReplaceAll(widget.Breakable(s), "\u200A", ""); got != s {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func TestLineGetsAnEllipsis(t *testing.T) {
	test.NewTempApp(t)
	full := "那剩下的年假可以结转到明年吗"
	if got := widget.Fit(full, 10000, 14); got != full {
		t.Errorf("shortened for nothing: %q", got)
	}
	got := widget.Fit(full, 80, 14)
	if !strings.HasSuffix(got, "…") || !strings.HasPrefix(full, strings.TrimSuffix(got, "…")) || fyne.MeasureText(got, 14, fyne.TextStyle{}).Width > 80.5 {
		t.Errorf("got %q", got)
	}
	if got := widget.Fit(full, 1, 14); got != "…" {
		t.Errorf("got %q", got)
	}
}

func TestLineKeepsItsText(t *testing.T) {
	line := widget.NewLine("A long sentence that has no room here").Elastic()
	window(t, line, 60, 30)
	if line.Text() != "A long sentence that has no room here" {
		t.Error("the text is lost")
	}
	if line.MinSize().Width > 60 {
		t.Error("an elastic line insists on its width")
	}
}

// TestEnterNeverSends is about input methods: Enter reaches us while a person is
// still choosing characters.
func TestEnterNeverSends(t *testing.T) {
	var sent []string
	c := widget.NewComposer("", "", "Send", func(s string) { sent = append(sent, s) })
	win := window(t, c, 300, 200)
	win.Canvas().Focus(c.Entry)
	test.Type(c.Entry, "年假")
	c.Entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	test.Type(c.Entry, "还有几天")
	if len(sent) != 0 {
		t.Fatalf("Enter sent %q", sent)
	}
	c.Entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierControl})
	if len(sent) != 1 || sent[0] != "年假\n还有几天" {
		t.Fatalf("Ctrl+Enter sent %q", sent)
	}
	if c.Entry.Text != "" {
		t.Error("the box is not empty after sending")
	}
	test.Tap(c.Button)
	c.Entry.SetText(" 　\n")
	test.Tap(c.Button)
	if len(sent) != 1 {
		t.Errorf("sent a blank message: %q", sent)
	}
	c.Entry.SetText("x")
	c.Enable(false)
	c.Entry.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyEnter, Modifier: fyne.KeyModifierControl})
	if len(sent) != 1 {
		t.Error("sent although it is switched off")
	}
	c.Enable(true)
	test.Tap(c.Button)
	if len(sent) != 2 {
		t.Error("the button does not send")
	}
}

func TestEntryLeavesKeysToTheWindow(t *testing.T) {
	e := widget.NewEntry("")
	win := window(t, e, 300, 60)
	var keys []string
	win.Canvas().SetOnTypedKey(func(k *fyne.KeyEvent) { keys = append(keys, string(k.Name)) })
	win.Canvas().Focus(e)
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyF5})
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	test.Type(e, "ab")
	e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
	if got := strings.Join(keys, " "); got != "F5 Escape" || e.Text != "a" {
		t.Errorf("keys %q, text %q", got, e.Text)
	}
}

func TestTailFollowsUntilScrolledUp(t *testing.T) {
	list := container.NewVBox()
	tail := widget.NewTail(list, func(n int) string { return strings.Repeat("n", n) })
	window(t, tail, 200, 100)
	add := func(n int) {
		for range n {
			r := canvas.NewRectangle(nil)
			r.SetMinSize(fyne.NewSize(50, 40))
			list.Add(r)
		}
		tail.Grew(n)
	}
	add(10)
	bottom := tail.Offset()
	if bottom <= 0 || !tail.Following() {
		t.Fatalf("does not follow: offset %v", bottom)
	}
	tail.ScrollTo(0)
	add(2)
	add(1)
	if tail.Offset() != 0 || tail.Following() {
		t.Errorf("moved what is being read: offset %v", tail.Offset())
	}
	if !tail.Pill().Visible() || tail.Pill().Text != "nnn" {
		t.Errorf("the button says %q, visible %v", tail.Pill().Text, tail.Pill().Visible())
	}
	test.Tap(tail.Pill())
	if tail.Offset() <= bottom || tail.Pill().Visible() || !tail.Following() {
		t.Errorf("did not go to the newest: offset %v", tail.Offset())
	}
}

func TestMarkdownOfAgents(t *testing.T) {
	text := widget.NewText(true)
	window(t, text, 300, 200)
	text.Set("# 标题\n\n最多 **5 天**，到期 `命令` 和 `ls -l`。")
	for _, s := range text.Rich().Segments {
		seg, ok := s.(*fyneui.TextSegment)
		if !ok {
			continue
		}
		plain := strings.ReplaceAll(seg.Text, "\u200A", "")
		switch plain {
		case "标题":
			if seg.Style.SizeName != fynetheme.SizeNameText || !seg.Style.TextStyle.Bold {
				t.Error("a heading shouts")
			}
		case "命令":
			if seg.Style.TextStyle.Monospace {
				t.Error("Chinese in the face that has none")
			}
		case "ls -l":
			if !seg.Style.TextStyle.Monospace {
				t.Error("code is not set as code")
			}
		}
		if strings.HasPrefix(plain, "，") {
			t.Errorf("a comma may start a line: %q", plain)
		}
	}
	if text.Source() != "# 标题\n\n最多 **5 天**，到期 `命令` 和 `ls -l`。" {
		t.Error("the source was changed")
	}
}

func TestSegments(t *testing.T) {
	var picked []int
	s := widget.NewSegments([]string{"a", "b"}, nil, func(i int) { picked = append(picked, i) })
	window(t, s, 200, 60)
	s.Mark(0)
	test.Tap(s.Tiles()[1])
	test.Tap(s.Tiles()[1])
	s.Pick(7)
	if len(picked) != 1 || picked[0] != 1 || s.Picked() != 1 || !s.Tiles()[1].Chosen() || s.Tiles()[0].Chosen() {
		t.Errorf("picked %v", picked)
	}
}

func TestSidesOneAtATime(t *testing.T) {
	a, b := widget.NewLine("a"), widget.NewLine("b")
	s := widget.NewSides([]string{"A", "B"}, []fyne.CanvasObject{a, b}, 200)
	win := window(t, s, 500, 200)
	if !a.Visible() || !b.Visible() || s.Chooser().Visible() {
		t.Error("there was room for both")
	}
	win.Resize(fyne.NewSize(300, 200))
	if !a.Visible() || b.Visible() || !s.Chooser().Visible() {
		t.Error("there was room for one")
	}
	s.Front(1)
	if a.Visible() || !b.Visible() {
		t.Error("the other one does not come to the front")
	}
}

func TestGridFindsColumns(t *testing.T) {
	var cards []fyne.CanvasObject
	for range 3 {
		cards = append(cards, widget.NewPanel(widget.NewLine("x")))
	}
	grid := widget.NewGrid(100, 10, cards...)
	win := window(t, container.NewVBox(grid), 340, 200)
	if cards[1].Position().Y != 0 || cards[2].Position().Y != 0 {
		t.Error("three cards have room side by side")
	}
	win.Resize(fyne.NewSize(220, 200))
	if cards[1].Position().Y != 0 || cards[2].Position().Y == 0 {
		t.Error("two cards have room side by side")
	}
}

func TestAvatar(t *testing.T) {
	b := widget.NewAvatar("林雯", 30)
	window(t, b, 60, 60)
	if b.Letter() != "林" {
		t.Errorf("got %q", b.Letter())
	}
	b.SetName("")
	if b.Letter() != "?" {
		t.Errorf("got %q", b.Letter())
	}
}

func TestLooks(t *testing.T) {
	win := window(t, widget.NewLine(""), 320, 260)
	bubble := widget.NewBubble("F", "feishu", true)
	own := widget.NewBubble("F", "feishu", false)
	mark := widget.NewMark(widget.ToneAttention, "Failing")
	win.SetContent(container.NewVBox(mark, own, bubble, widget.NewToast(widget.ToneOK, "Copied")))
	own.Set("Hello", "14:02")
	bubble.Set("Yes, **5 days**", "14:03")
	test.AssertRendersToMarkup(t, "looks.xml", win.Canvas())
}

func TestTileWorksWithKeys(t *testing.T) {
	taps := 0
	tile := widget.NewTile(widget.NewLine("Overview"), func() { taps++ })
	win := window(t, container.NewVBox(tile), 200, 100)
	var reached []fyne.KeyName
	win.Canvas().SetOnTypedKey(func(e *fyne.KeyEvent) { reached = append(reached, e.Name) })
	win.Canvas().FocusNext()
	if win.Canvas().Focused() != fyne.Focusable(tile) {
		t.Fatal("Tab does not reach it")
	}
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeySpace, fyne.KeyEscape, fyne.KeyA} {
		tile.TypedKey(&fyne.KeyEvent{Name: key})
	}
	if taps != 2 || len(reached) != 2 || reached[0] != fyne.KeyEscape {
		t.Errorf("%d taps, passed on %v", taps, reached)
	}
}

func TestComposerUsesTheRoomThereIs(t *testing.T) {
	c := widget.NewComposer("", "Ctrl+Enter sends", "Send", func(string) {})
	window(t, c, 260, 300)
	if c.Button.Position().Y < c.Entry.Size().Height || c.Entry.Size().Width != 260 {
		t.Errorf("narrow: button at %v, entry %v", c.Button.Position(), c.Entry.Size())
	}
	narrow := c.MinSize().Height
	window(t, c, 600, 300)
	if c.Button.Position().X < c.Entry.Size().Width || c.MinSize().Height >= narrow {
		t.Errorf("wide: button at %v, entry %v", c.Button.Position(), c.Entry.Size())
	}
}

func TestMeter(t *testing.T) {
	m := widget.NewMeter()
	window(t, container.NewVBox(m), 108, 40)
	m.Set(0.25)
	parts := test.WidgetRenderer(m).Objects()
	if track, fill := parts[0].Size().Width, parts[1].Size().Width; fill != track/4 {
		t.Errorf("%v of %v is filled", fill, track)
	}
}
