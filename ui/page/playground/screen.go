package playground

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// screen is what one simulated employee sees: the chats of all platforms in one
// thread, because for the agent they are one conversation.
type screen struct {
	kit      live.Kit
	employee bridge.Employee
	root     fyne.CanvasObject
	pick     *widget.Segments
	composer *widget.Composer
	list     *fyne.Container
	hint     fyne.CanvasObject
	tail     *widget.Tail
	platform bridge.Platform
	click    func(bubble, button string)
	bubbles  map[string]*widget.Bubble
	last     bridge.Platform // of the last bubble
}

func newScreen(ctx context.Context, kit live.Kit, backend Backend, e bridge.Employee) *screen {
	w := kit.Words
	s := &screen{kit: kit, employee: e, bubbles: map[string]*widget.Bubble{}}
	s.composer = widget.NewComposer("", w.T("send.hint"), w.T("send"), func(text string) {
		p := s.platform
		live.Act(ctx, kit.Hub, func(ctx context.Context) error { return backend.Say(ctx, e.ID, p, text) }, func(err error) {
			if err == nil {
				return
			}
			kit.Shell.Trouble(err)
			if s.composer.Entry.Text == "" {
				s.composer.Entry.SetText(text)
			}
		})
	})
	s.click = func(bubble, button string) {
		live.Act(ctx, kit.Hub, func(ctx context.Context) error { return backend.Click(ctx, e.ID, bubble, button) }, func(err error) {
			if err != nil {
				kit.Shell.Trouble(err)
			}
		})
	}
	labels := make([]string, len(e.Platforms))
	for i, p := range e.Platforms {
		labels[i] = w.Platform(p)
	}
	s.pick = widget.NewSegments(labels, func(i int) fyne.CanvasObject { return widget.NewBadge("", e.Platforms[i], 9) }, func(i int) { s.use(e.Platforms[i]) })
	s.list = widget.Column(10)
	s.hint = widget.NewQuiet(w.T("playground.hint"))
	s.tail = widget.NewTail(widget.Inset(widget.Column(10, s.hint, s.list), 12, 12), func(n int) string { return w.T("talks.new", "n", n) })
	name := widget.Row(8, widget.NewAvatar(e.Name, 26), widget.NewLine(e.Name).Bold())
	top := widget.Inset(widget.NewFlow(name, widget.Row(0, s.pick)), 10, 12)
	bottom := widget.Inset(s.composer, 10, 12)
	body := widget.NewBar(s.tail, theme.ColorNameBackground)
	s.root = widget.NewFrame(container.NewBorder(container.NewVBox(top, fyneui.NewSeparator()), container.NewVBox(fyneui.NewSeparator(), bottom), nil, nil, body))
	s.pick.Pick(0)
	return s
}

// use writes on another platform from now on.
func (s *screen) use(p bridge.Platform) {
	s.platform = p
	for i, q := range s.employee.Platforms {
		if p == q {
			s.pick.Mark(i)
		}
	}
	s.composer.Entry.SetPlaceHolder(s.kit.Words.T("playground.placeholder", "platform", s.kit.Words.Platform(p)))
}

// show brings the bubbles up to date.
func (s *screen) show(bubbles []bridge.Bubble) {
	w := s.kit.Words
	if len(bubbles) < len(s.bubbles) { // the simulator was stopped and started
		s.bubbles, s.last = map[string]*widget.Bubble{}, ""
		s.list.RemoveAll()
	}
	fresh, changed := 0, false
	for _, b := range bubbles {
		old := s.bubbles[b.ID]
		text, foot := b.Text, s.foot(b)
		if old == nil {
			if s.last != "" && s.last != b.Platform {
				s.list.Add(divider(w.T("playground.moved", "platform", w.Platform(b.Platform))))
			}
			s.last = b.Platform
			old = widget.NewBubble(w.Initial(b.Platform), b.Platform, b.FromBot)
			s.bubbles[b.ID] = old
			s.list.Add(old)
			fresh++
		}
		if old.Text() != text || old.Foot() != foot {
			old.Set(text, foot)
			changed = true
		}
		if old.Offer(choices(w, b.Buttons), func(button string) { s.click(b.ID, button) }) {
			changed = true
		}
	}
	widget.Show(s.hint, len(bubbles) == 0)
	if fresh > 0 || changed {
		s.tail.Grew(fresh)
	}
}

// choices are the buttons of a bubble. The thumbs are words here: the letters of
// the window have no pictures of them, and those of the toolkit are cut off.
func choices(w live.Words, buttons []string) []widget.Choice {
	all := make([]widget.Choice, 0, len(buttons))
	for _, button := range buttons {
		label := button
		for thumb, word := range map[string]string{"👍": "playground.good", "👎": "playground.bad"} {
			if rest, ok := strings.CutPrefix(button, thumb); ok && (rest == "" || rest == " ✓") {
				label = w.T(word) + rest
			}
		}
		all = append(all, widget.Choice{Label: label, Value: button})
	}
	return all
}

func (s *screen) foot(b bridge.Bubble) string {
	w := s.kit.Words
	state := b.At.In(s.kit.Now().Location()).Format("15:04")
	switch {
	case b.Growing:
		state = w.T("playground.writing")
	case b.FromBot && b.Updates > 1:
		state += w.T("list.dot") + w.T("playground.updates", "n", b.Updates)
	}
	var parts []string
	for _, part := range []string{b.Chat, b.From, state} { // a group says where and who
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, w.T("list.dot"))
}

func divider(text string) fyne.CanvasObject {
	return container.NewCenter(widget.NewPill(widget.NewCaption(text), widget.Themed(theme.ColorNameHeaderBackground)))
}
