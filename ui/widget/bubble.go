package widget

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
)

// Bubble is a message as a chat shows it: on the right what the person wrote,
// in the platform's colour, on the left the answer with the platform's badge.
type Bubble struct {
	widget.BaseWidget
	text    *Text
	buttons *Choices
	foot    *Line
	badge   *Badge
	ground  *canvas.Rectangle
	fill    func() color.Color
	stroke  func() color.Color
	fromBot bool
}

// NewBubble makes an empty bubble. Answers are rendered as Markdown.
func NewBubble(letter string, p bridge.Platform, fromBot bool) *Bubble {
	surface := Themed(theme.ColorNameOverlayBackground)
	b := &Bubble{
		text: NewText(fromBot), buttons: NewChoices(), foot: NewCaption(""), badge: NewBadge(letter, p, 24),
		ground: canvas.NewRectangle(color.Transparent), fromBot: fromBot,
	}
	b.ground.CornerRadius, b.ground.StrokeWidth = 12, 1
	b.fill, b.stroke = Mix(Tint(p), surface, 0.22), Mix(Tint(p), surface, 0.42)
	if fromBot {
		b.fill, b.stroke = surface, Themed(theme.ColorNameSeparator)
	}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes the text and the small line below it.
func (b *Bubble) Set(text, foot string) {
	b.text.Set(text)
	b.foot.Set(foot)
	b.Refresh()
}

// Offer puts buttons below the text, in place of those that were there; false when
// they are the same.
func (b *Bubble) Offer(choices []Choice, tapped func(value string)) bool {
	changed := b.buttons.Set(choices, tapped)
	if changed {
		b.Refresh()
	}
	return changed
}

// Buttons returns the buttons below the text.
func (b *Bubble) Buttons() []*widget.Button { return b.buttons.Buttons() }

// Text returns what the bubble says.
func (b *Bubble) Text() string { return b.text.Source() }

// Foot returns the small line below.
func (b *Bubble) Foot() string { return b.foot.Text() }

// CreateRenderer implements fyne.Widget.
func (b *Bubble) CreateRenderer() fyne.WidgetRenderer {
	r := &bubbleRenderer{Bubble: b}
	r.paint()
	return r
}

const (
	bubblePadX, bubblePadY = 12, 8
	bubbleBadge            = 32   // the badge and its gap
	bubbleShare            = 0.86 // of the room there is, unless there is little
	bubbleNarrow           = 340
)

type bubbleRenderer struct{ *Bubble }

// Destroy implements fyne.WidgetRenderer.
func (*bubbleRenderer) Destroy() {}

// Objects implements fyne.WidgetRenderer.
func (r *bubbleRenderer) Objects() []fyne.CanvasObject {
	objects := []fyne.CanvasObject{r.ground, r.text, r.foot}
	if r.buttons.Any() {
		objects = append(objects, r.buttons.Box)
	}
	if r.fromBot {
		objects = append(objects, r.badge)
	}
	return objects
}

// MinSize implements fyne.WidgetRenderer.
func (r *bubbleRenderer) MinSize() fyne.Size {
	return fyne.NewSize(140, r.inside()+2*bubblePadY+r.foot.MinSize().Height+3)
}

// inside is the height of what the bubble says and offers.
func (r *bubbleRenderer) inside() float32 {
	h := r.text.MinSize().Height
	if r.buttons.Any() {
		h += bubblePadY + r.buttons.Box.MinSize().Height
	}
	return h
}

// Layout implements fyne.WidgetRenderer.
func (r *bubbleRenderer) Layout(size fyne.Size) {
	left := float32(0)
	if r.fromBot {
		left = bubbleBadge
		r.badge.Resize(r.badge.MinSize())
		r.badge.Move(fyne.NewPos(0, 4))
	}
	room := size.Width - left
	if size.Width > bubbleNarrow {
		room *= bubbleShare
	}
	inner := min(max(natural(r.text.Source(), r.fromBot), r.buttons.natural()), room-2*bubblePadX)
	r.text.Resize(fyne.NewSize(inner, r.text.MinSize().Height))
	r.buttons.fit(inner)
	height := r.inside() + 2*bubblePadY
	width := inner + 2*bubblePadX
	foot := r.foot.MinSize()
	at := fyne.NewPos(left, 0)
	footAt := fyne.NewPos(left+4, height+2)
	if !r.fromBot {
		at.X = size.Width - width
		footAt.X = size.Width - foot.Width - 4
	}
	r.ground.Resize(fyne.NewSize(width, height))
	r.ground.Move(at)
	r.text.Move(at.AddXY(bubblePadX, bubblePadY))
	r.buttons.Box.Move(at.AddXY(bubblePadX, bubblePadY+r.text.MinSize().Height+bubblePadY))
	r.foot.Resize(foot)
	r.foot.Move(footAt)
}

func (r *bubbleRenderer) paint() { r.ground.FillColor, r.ground.StrokeColor = r.fill(), r.stroke() }

// Refresh implements fyne.WidgetRenderer.
func (r *bubbleRenderer) Refresh() {
	r.paint()
	r.Layout(r.Size())
	r.ground.Refresh()
	r.text.Refresh()
	r.buttons.Box.Refresh()
	r.foot.Refresh()
}

// natural is the width a text would like to have: that of its longest line.
func natural(text string, markdown bool) float32 {
	style := fyne.TextStyle{}
	widest := float32(24)
	for line := range strings.Lines(text) {
		if markdown && (strings.HasPrefix(line, "```") || strings.HasPrefix(line, "|") || len(line) > 400) {
			return 10000 // code and tables take what there is
		}
		widest = max(widest, fyne.MeasureText(strings.TrimRight(line, "\n"), theme.TextSize(), style).Width)
	}
	if markdown {
		widest += 36 // room for the dots of a list and for bold letters
	}
	return widest + 2
}
