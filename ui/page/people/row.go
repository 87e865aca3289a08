package people

import (
	"fyne.io/fyne/v2"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// row is one row of the list of people.
type row struct {
	fyneui.BaseWidget
	words             live.Words
	avatar            *widget.Badge
	name, below, when *widget.Line
	mark              *widget.Mark
	badges            *fyne.Container
	root              fyne.CanvasObject
}

const shownBadges = 3

func newRow(w live.Words) *row {
	r := &row{
		words: w, avatar: widget.NewAvatar("", 36),
		name: widget.NewLine("").Bold().Elastic(), below: widget.NewCaption("").Elastic(), when: widget.NewCaption(""),
		mark: widget.NewMark(widget.ToneOK, ""), badges: widget.Row(3),
	}
	for range shownBadges {
		b := widget.NewBadge("", "", 15)
		b.Hide()
		r.badges.Add(b)
	}
	lines := widget.Column(2, widget.StretchRow(8, 0, r.name, r.when), widget.StretchRow(6, 0, r.below, r.badges, r.mark))
	r.root = widget.Inset(widget.StretchRow(10, 1, r.avatar, lines), 6, 10)
	r.ExtendBaseWidget(r)
	return r
}

func (r *row) set(i item) {
	r.avatar.SetName(i.name)
	r.name.Set(i.name)
	r.below.Set(i.below)
	r.when.Set(i.when)
	if i.marked {
		r.mark.Set(i.tone, "")
	}
	widget.Show(r.mark, i.marked)
	setBadges(r.words, r.badges, i.platforms)
	r.root.Refresh()
}

func setBadges(w live.Words, badges *fyne.Container, platforms []bridge.Platform) {
	for n, o := range badges.Objects {
		b, ok := o.(*widget.Badge)
		if !ok {
			continue
		}
		if n < len(platforms) {
			b.SetPlatform(w.Initial(platforms[n]), platforms[n])
		}
		widget.Show(b, n < len(platforms))
	}
}

// CreateRenderer implements fyne.Widget.
func (r *row) CreateRenderer() fyne.WidgetRenderer { return fyneui.NewSimpleRenderer(r.root) }
