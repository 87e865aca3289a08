package send_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	fyneui "fyne.io/fyne/v2/widget"
	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/ui/page/send"
	"switchboard/ui/uitest"
	"switchboard/ui/widget"
)

// desk is the page in a window.
type desk struct {
	*testing.T
	page  *send.Page
	draft *send.Draft
	house *uitest.House
	shell *uitest.Shell
	again func()       // builds the page anew, as another language does, and ends the old one
	do    func(func()) // acts, and waits until everything is quiet
	file  func(name string, data []byte, err error)
	asked []bool // whether a picture was asked for
}

func atDesk(t *testing.T, house func() *uitest.House, f func(d *desk)) {
	t.Helper()
	atDeskOf(t, house, func(house *uitest.House) send.Backend { return house }, f)
}

// atDeskOf is atDesk with something that stands before the house.
func atDeskOf(t *testing.T, house func() *uitest.House, before func(*uitest.House) send.Backend, f func(d *desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := &desk{T: t, house: house(), draft: &send.Draft{}}
		kit, shell := uitest.NewKit(t, bridge.English, time.Now())
		d.shell = shell
		d.do = func(act func()) {
			kit.Hub.Do(ctx, act)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		backend, end := before(d.house), func() {}
		d.again = func() {
			end()
			var built context.Context
			built, end = context.WithCancel(ctx)
			d.page = send.New(built, kit, backend, d.draft, send.Options{Lasting: ctx, Pick: func(pictures bool, got func(string, []byte, error)) {
				d.asked, d.file = append(d.asked, pictures), got
			}})
			uitest.Show(t, d.page.Content(), 1000, 1600)
			d.do(func() { d.page.Shown(true) })
		}
		d.again()
		f(d)
		end()
		cancel()
		synctest.Wait()
	})
}

func office() *uitest.House { return uitest.NewHouse(bridge.English, time.Now()) }

// says looks for words on the page.
func (d *desk) says(words string) bool {
	for _, o := range test.LaidOutObjects(d.page.Content()) {
		if !o.Visible() {
			continue
		}
		switch o := o.(type) {
		case *widget.Line:
			if strings.Contains(o.Text(), words) {
				return true
			}
		case *fyneui.RichText:
			if strings.Contains(plain(o.String()), words) {
				return true
			}
		}
	}
	return false
}

// plain takes out what only lets lines break.
func plain(s string) string { return strings.NewReplacer("\u200b", "", "\u2060", "").Replace(s) }

func (d *desk) want(words ...string) {
	d.Helper()
	for _, w := range words {
		if !d.says(w) {
			d.Errorf("the page does not say %q", w)
		}
	}
}

func (d *desk) tap(label string) {
	d.Helper()
	b, ok := uitest.Find(d.page.Content(), func(b *fyneui.Button) bool { return b.Text == label })
	if !ok {
		d.Fatalf("no button %q", label)
	}
	d.do(func() { test.Tap(b) })
}

// row taps a receiver.
func (d *desk) row(name string) {
	d.Helper()
	tile, ok := uitest.Find(d.page.Content(), func(t *widget.Tile) bool {
		_, has := uitest.Find(t, func(l *widget.Line) bool { return l.Text() == name })
		return has
	})
	if !ok {
		d.Fatalf("no row %q", name)
	}
	d.do(func() { test.Tap(tile) })
}

func (d *desk) ctrlEnter(e *widget.Entry) {
	d.do(func() {
		e.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierControl})
	})
}

// written is a text to a group, ready to be sent.
func (d *desk) written() {
	d.Helper()
	d.row("Product team")
	d.do(func() { test.Type(d.page.Text(), "hello") })
}

// TestSend goes the whole way with the keyboard, and finds the id.
func TestSend(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		button, wipe := d.page.Buttons()
		if !button.Disabled() || !wipe.Disabled() || d.page.Hint() != "Choose who gets it" {
			d.Errorf("nothing is written, and the hint is %q", d.page.Hint())
		}
		d.want("Write something, and see here", "Earlier, or from elsewhere")
		d.do(func() { test.Type(d.page.Search(), "product") })
		d.row("Product team")
		if !button.Disabled() || d.page.Hint() != "Ctrl+Enter sends" {
			d.Errorf("an empty message can be sent; the hint is %q", d.page.Hint())
		}
		d.do(func() { test.Type(d.page.Text(), "hello") })
		if button.Disabled() || len(d.page.Preview().Messages) != 1 || d.page.Size() != "5 of 2,048 bytes" {
			d.Errorf("preview %+v, %q", d.page.Preview(), d.page.Size())
		}
		d.ctrlEnter(d.page.Text())
		got := d.house.Sent()
		want := bridge.Sending{Bot: "feishu-main", Chat: "oc_team", Kind: bridge.Group, Content: bridge.Text{Text: "hello"}}
		if len(got) != 1 || got[0].Key == "" {
			d.Fatalf("sent %+v", got)
		}
		want.Key = got[0].Key
		if diff := cmp.Diff(want, got[0]); diff != "" {
			d.Error(diff)
		}
		d.want("Sent to Product team", "om_5f1c9d20b7e84e6a0001")
		if d.page.Text().Text != "hello" || d.page.History() != 1 || button.Text != "Send again" {
			d.Errorf("%q, %d, %q", d.page.Text().Text, d.page.History(), button.Text)
		}
	})
}

// TestEnterNeverSends: while Chinese is composed, Enter belongs to the input
// method.
func TestEnterNeverSends(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.written()
		d.do(func() { d.page.Text().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) })
		if len(d.house.Tried()) != 0 || d.page.Text().Text != "hello\n" {
			d.Errorf("sent %v, wrote %q", d.house.Tried(), d.page.Text().Text)
		}
	})
}

// TestFailure keeps what was written, and the key, so that it is shown once.
func TestFailure(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		button, _ := d.page.Buttons()
		d.written()
		d.house.Fail = &bridge.Error{Kind: bridge.KindUnavailable, Op: "x: send"}
		d.do(func() { test.Tap(button) })
		if d.page.Text().Text != "hello" || button.Disabled() || d.page.History() != 1 || len(d.shell.Troubles) != 0 {
			d.Error("what was written is lost, or cannot be tried again")
		}
		if _, ok := uitest.Find(d.page.Content(), func(b *fyneui.Button) bool { return b.Text == "Take back" }); ok {
			d.Error("what failed can be taken back")
		}
		d.house.Fail = nil
		d.do(func() { test.Tap(button) })
		tried := d.house.Tried()
		if len(tried) != 2 || tried[0].Key != tried[1].Key || tried[0].Key == "" || len(d.house.Sent()) != 1 {
			d.Errorf("tried %+v", tried)
		}
		d.do(func() { test.Tap(button) }) // on purpose
		d.do(func() { test.Type(d.page.Text(), "!") })
		d.do(func() { test.Tap(button) })
		keys := map[string]bool{}
		for _, s := range d.house.Tried() {
			keys[s.Key] = true
		}
		if len(keys) != 3 || len(d.house.Sent()) != 3 || d.page.History() != 4 {
			d.Errorf("%d keys, %d sent, %d remembered", len(keys), len(d.house.Sent()), d.page.History())
		}
	})
}

// TestChangedAfterFailure is another message, with a key of its own.
func TestChangedAfterFailure(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		button, _ := d.page.Buttons()
		d.written()
		d.house.Fail = errors.New("no")
		d.do(func() { test.Tap(button) })
		d.house.Fail = nil
		d.do(func() { test.Type(d.page.Text(), " again") })
		d.do(func() { test.Tap(button) })
		if tried := d.house.Tried(); len(tried) != 2 || tried[0].Key == tried[1].Key {
			d.Errorf("tried %+v", tried)
		}
	})
}

// TestNothingIsLost: neither other pages nor another language nor another kind.
func TestNothingIsLost(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.written()
		d.do(func() { d.page.Shown(false) })
		d.do(func() { d.page.Shown(true) })
		d.again()
		button, _ := d.page.Buttons()
		if d.page.Text().Text != "hello" || button.Disabled() {
			d.Errorf("%q is left", d.page.Text().Text)
		}
		d.want("Product team")
		d.do(func() { d.page.Kind(bridge.ContentNative) })
		if !button.Disabled() {
			d.Error("empty JSON can be sent")
		}
		d.do(func() { d.page.Kind(bridge.ContentMarkdown) })
		if d.page.Text().Text != "hello" || button.Disabled() {
			d.Error("another kind loses the text")
		}
		d.do(func() { test.Tap(button) })
		if got := d.house.Sent(); len(got) != 1 || got[0].Content != (bridge.Markdown{Text: "hello"}) {
			d.Errorf("sent %+v", got)
		}
		d.tap("Clear")
		if d.page.Text().Text != "" || !button.Disabled() || d.page.History() != 1 {
			d.Error("not cleared")
		}
	})
}

// TestCard with link buttons; the second channel shows it in a simpler way.
func TestCard(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.written()
		d.do(func() { d.page.Kind(bridge.ContentCard) })
		d.tap("Add a link button")
		d.tap("Add a link button") // and leaves one empty
		entry := func(placeholder string) *widget.Entry {
			e, ok := uitest.Find(d.page.Content(), func(e *widget.Entry) bool { return e.PlaceHolder == placeholder })
			if !ok {
				d.Fatalf("no entry %s", placeholder)
			}
			return e
		}
		d.do(func() { test.Type(entry("Title"), "Lunch") })
		d.do(func() { test.Type(entry("Words"), "Menu") })
		d.do(func() { test.Type(entry("https://…"), " https://example.com/m ") })
		button, _ := d.page.Buttons()
		d.do(func() { test.Tap(button) })
		want := bridge.Card{Title: "Lunch", Text: "hello", Buttons: []bridge.Button{{Text: "Menu", URL: "https://example.com/m"}}}
		if got := d.house.Sent(); len(got) != 1 || cmp.Diff(want, got[0].Content) != "" {
			d.Errorf("sent %+v", got)
		}
		d.tap("Menu")
		if diff := cmp.Diff([]string{"https://example.com/m"}, d.shell.Opened); diff != "" {
			d.Error(diff)
		}
		d.do(func() { d.page.Channel().SetSelectedIndex(1) })
		d.want("does not know this kind of content")
		if !button.Disabled() || d.page.Hint() != "Choose who gets it" {
			d.Error("the receiver of another channel is kept")
		}
	})
}

// TestFixed: a group robot needs no receiver.
func TestFixed(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.do(func() { d.page.Channel().SetSelectedIndex(3) })
		d.want("its own group only")
		d.do(func() { test.Type(d.page.Text(), "hello") })
		button, _ := d.page.Buttons()
		d.do(func() { test.Tap(button) })
		if got := d.house.Sent(); len(got) != 1 || got[0].Bot != "news" || got[0].Chat+got[0].Person != "" {
			d.Errorf("sent %+v", got)
		}
	})
}

// TestByID: what nobody is called may be an id of the platform.
func TestByID(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.do(func() { test.Type(d.page.Search(), "oc_9") })
		d.want("Nobody known is called that")
		d.row("Use “oc_9” as the id of a group")
		d.do(func() { test.Type(d.page.Text(), "hello") })
		d.ctrlEnter(d.page.Text())
		d.tap("Change")
		d.row("Use “oc_9” as the id of a person")
		d.ctrlEnter(d.page.Text())
		got := d.house.Sent()
		if len(got) != 2 || got[0].Kind != bridge.Group || got[1].Kind != bridge.Direct || got[1].Chat != "oc_9" {
			d.Errorf("sent %+v", got)
		}
	})
}

// TestTooLong cannot be sent, and says how much too long it is.
func TestTooLong(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.written()
		d.do(func() { d.page.Text().SetText(strings.Repeat("x", 2049)) })
		button, _ := d.page.Buttons()
		if !button.Disabled() || d.page.Size() != "2,049 of 2,048 bytes" {
			d.Errorf("it can be sent: %q", d.page.Size())
		}
		d.want("one message of this channel may have 2048")
		d.ctrlEnter(d.page.Text())
		d.do(d.page.Submit)
		if len(d.house.Tried()) != 0 {
			d.Error("it was sent")
		}
		d.do(func() { d.page.Text().SetText(strings.Repeat("x", 2048)) })
		if button.Disabled() {
			d.Error("what fits cannot be sent")
		}
	})
}

// TestTakeBack once, from the history.
func TestTakeBack(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		d.written()
		d.ctrlEnter(d.page.Text())
		d.house.Fail = errors.New("too late")
		d.tap("Take back")
		if len(d.shell.Troubles) != 1 {
			d.Error("a failure is not told")
		}
		d.house.Fail = nil
		d.tap("Take back")
		if got := d.house.Gone(); len(got) != 1 || got[0] != d.house.Sent()[0].Key {
			d.Errorf("gone %v", got)
		}
		d.want("Taken back")
		if _, ok := uitest.Find(d.page.Content(), func(b *fyneui.Button) bool { return b.Text == "Take back" }); ok {
			d.Error("it can be taken back twice")
		}
	})
}

// TestPicture is chosen or dropped, and shown.
func TestPicture(t *testing.T) {
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewNRGBA(image.Rect(0, 0, 4, 4))); err != nil {
		t.Fatal(err)
	}
	atDesk(t, office, func(d *desk) {
		d.row("Product team")
		d.do(func() { d.page.Kind(bridge.ContentPicture) })
		d.tap("Choose a picture…")
		d.do(func() { d.file("", nil, errors.New("cannot be read")) })
		button, _ := d.page.Buttons()
		if len(d.shell.Troubles) != 1 || !button.Disabled() {
			d.Error("a file that cannot be read")
		}
		d.do(func() { d.file("a.png", picture.Bytes(), nil) })
		if _, ok := uitest.Find(d.page.Content(), func(i *canvas.Image) bool { return i.FillMode == canvas.ImageFillContain && i.MinSize().Height > 100 }); !ok {
			d.Error("the picture is not shown")
		}
		d.do(func() { test.Tap(button) })
		d.do(func() { d.page.Take("b.pdf", []byte("%PDF"), false) })
		d.do(d.page.Submit)
		d.do(func() { d.page.Kind(bridge.ContentText) })
		d.do(func() { d.page.Take("c.png", []byte("not really"), true) })
		d.do(d.page.Submit)
		var sent []string
		for _, s := range d.house.Sent() {
			switch c := s.Content.(type) {
			case bridge.Picture:
				sent = append(sent, "picture "+c.Name)
			case bridge.Attachment:
				sent = append(sent, "file "+c.Name)
			}
		}
		if diff := cmp.Diff([]string{"picture a.png", "file b.pdf", "picture c.png"}, sent); diff != "" || !cmp.Equal(d.asked, []bool{true}) {
			d.Error(diff, d.asked)
		}
	})
}

// TestNoChannel teaches what to do.
func TestNoChannel(t *testing.T) {
	atDesk(t, func() *uitest.House { return uitest.NewEmptyHouse(time.Now()) }, func(d *desk) {
		if !d.page.Empty() {
			d.Error("no words for an empty house")
		}
		d.tap("Try it now")
		if len(d.shell.Visited) != 1 {
			d.Error("no way on")
		}
	})
}

// TestReceiversAfterAnotherLanguage: a page that is built anew offers who is there.
func TestReceiversAfterAnotherLanguage(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		for range 2 {
			if !d.says("Zhao Lei") || d.says("Nobody has written") {
				d.Error("nobody is offered")
			}
			d.again()
		}
	})
}

// TestEarlierSends are listed below those of this window, with what became of them
// and from where they were sent.
func TestEarlierSends(t *testing.T) {
	atDesk(t, office, func(d *desk) {
		for _, want := range []string{"Earlier, or from elsewhere", "Chen Yue", "Text · feishu-main", "Markdown · news · at the terminal"} {
			if !d.says(want) {
				d.Errorf("does not say %q", want)
			}
		}
		if d.says("Nothing yet") {
			d.Error("says that nothing was sent")
		}
	})
	atDesk(t, func() *uitest.House { return uitest.NewEmptyHouse(time.Now()) }, func(d *desk) {
		if d.says("Earlier, or") {
			d.Error("something was sent")
		}
	})
}
