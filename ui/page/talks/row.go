package talks

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// row is one row of the list of conversations.
type row struct {
	fyneui.BaseWidget
	words               live.Words
	avatar              *widget.Badge
	title, preview, ago *widget.Line
	mark                *widget.Mark
	badges              *fyne.Container
	root                fyne.CanvasObject
}

const shownBadges = 3

func newRow(w live.Words) *row {
	r := &row{
		words: w, avatar: widget.NewAvatar("", 36),
		title: widget.NewLine("").Bold().Elastic(), preview: widget.NewCaption("").Elastic(), ago: widget.NewCaption(""),
		mark: widget.NewMark(widget.ToneOK, ""), badges: widget.Row(3),
	}
	for range shownBadges {
		b := widget.NewBadge("", "", 15)
		b.Hide()
		r.badges.Add(b)
	}
	lines := widget.Column(2,
		widget.StretchRow(8, 0, r.title, r.ago),
		widget.StretchRow(6, 0, r.preview, r.badges, r.mark),
	)
	r.root = widget.Inset(widget.StretchRow(10, 1, r.avatar, lines), 6, 10)
	r.ExtendBaseWidget(r)
	return r
}

func (r *row) set(i item) {
	r.avatar.SetName(i.title)
	r.title.Set(i.title)
	r.preview.Set(i.preview)
	r.ago.Set(i.when)
	r.mark.Set(i.tone, "")
	for n, o := range r.badges.Objects {
		b, ok := o.(*widget.Badge)
		if !ok {
			continue
		}
		if n < len(i.platforms) {
			b.SetPlatform(r.words.Initial(i.platforms[n]), i.platforms[n])
			b.Show()
		} else {
			b.Hide()
		}
	}
	r.root.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (r *row) CreateRenderer() fyne.WidgetRenderer { return fyneui.NewSimpleRenderer(r.root) }

// stepper is the row of words under an answer: how far it has come.
type stepper struct {
	words live.Words
	lines []*widget.Line
	root  *fyne.Container
}

// stageKeys are the words of the stages in the catalogue; "….failed" is said
// of the one that was not reached.
func stageKeys() []string {
	return []string{"stage.received", "stage.asked", "stage.answered", "stage.delivered"}
}

func newStepper(w live.Words) *stepper {
	s := &stepper{words: w, root: widget.Row(6)}
	for i, key := range stageKeys() {
		if i > 0 {
			s.root.Add(widget.NewCaption("→").Colored(theme.ColorNameDisabled))
		}
		line := widget.NewCaption(w.T(key))
		s.lines = append(s.lines, line)
		s.root.Add(line)
	}
	return s
}

func (s *stepper) set(reached int, failed bool) {
	for i, key := range stageKeys() {
		line := s.lines[i]
		line.Set(s.words.T(key))
		switch {
		case i <= reached:
			line.SetColor(theme.ColorNameSuccess)
		case failed && i == reached+1:
			line.SetColor(theme.ColorNameError)
			line.Set(s.words.T(key + ".failed"))
		case i == reached+1:
			line.SetColor(theme.ColorNamePrimary)
		default:
			line.SetColor(theme.ColorNameDisabled)
		}
	}
}
