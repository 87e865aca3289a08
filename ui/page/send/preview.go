package send

import (
	"bytes"
	"context"
	"image"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

const (
	pictureHigh = 180
	// longest is how much of the platform's own JSON is shown.
	longest = 2000
)

// preview shows how the platform will show it.
type preview struct {
	page   *Page
	shown  *fyne.Container
	meter  *widget.Meter
	size   *widget.Line
	soon   func()
	asked  int   // counts the questions, so that a late answer is dropped
	err    error // why it cannot be sent
	latest bridge.Preview
}

func newPreview(p *Page) *preview {
	v := &preview{page: p, shown: widget.Column(12), meter: widget.NewMeter(), size: widget.NewCaption("").Elastic()}
	v.soon = live.Debounce(p.ctx, p.kit.Hub, calm, v.ask)
	return v
}

func (v *preview) card() fyne.CanvasObject {
	return card(v.page.kit.Words.T("send.preview"), v.shown, widget.Column(5, v.meter, v.size))
}

// ask asks how it would be shown.
func (v *preview) ask() {
	p := v.page
	v.asked++
	b, ok := p.bot()
	if !ok || b.Err != nil || p.draft.empty() {
		v.show(bridge.Preview{}, nil)
		return
	}
	asked, s := v.asked, p.draft.sending()
	live.Ask(p.ctx, p.kit.Hub, func(ctx context.Context) (bridge.Preview, error) { return p.backend.PreviewSend(ctx, s) }, func(r bridge.Preview, err error) {
		if asked == v.asked {
			v.show(r, err)
		}
	})
}

func (v *preview) show(r bridge.Preview, err error) {
	v.latest, v.err = r, err
	w := v.page.kit.Words
	v.shown.RemoveAll()
	switch {
	case err != nil:
		v.shown.Add(v.page.trouble(err))
	case len(r.Messages) == 0:
		v.shown.Add(widget.NewQuiet(w.T("send.preview.empty")))
	}
	if r.Simpler {
		v.shown.Add(widget.StretchRow(8, 1, widget.NewMark(widget.ToneAttention, ""), widget.NewParagraph(w.T("send.simpler"))))
	}
	for _, m := range r.Messages {
		v.shown.Add(v.message(m))
	}
	v.measure(r)
	v.page.enable()
	v.page.body.Refresh()
}

// measure shows how much of one message is used.
func (v *preview) measure(r bridge.Preview) {
	w := v.page.kit.Words
	limit := r.Limit
	if limit == 0 && len(r.Messages) == 1 {
		limit = r.Messages[0].Limit
	}
	widget.Show(v.meter, limit > 0 && r.Size > 0)
	widget.Show(v.size, r.Size > 0)
	v.size.SetColor(theme.ColorNamePlaceHolder)
	if limit == 0 {
		v.size.Set(w.T("send.size", "size", live.Grouped(r.Size)))
		return
	}
	v.meter.Set(min(1, float64(r.Size)/float64(limit)))
	v.size.Set(w.T("send.size.of", "size", live.Grouped(r.Size), "limit", live.Grouped(limit)))
	if r.Size > limit {
		v.size.SetColor(theme.ColorNameError)
	}
}

// message is one message as people will see it.
func (v *preview) message(m bridge.Shown) fyne.CanvasObject {
	b, _ := v.page.bot()
	w := v.page.kit.Words
	foot := i18n.Text(w.Lang, "content."+string(m.Kind))
	if m.Type != "" {
		foot += " (" + m.Type + ")"
	}
	foot += w.T("list.dot") + w.T("send.size", "size", live.Grouped(m.Size))
	var body fyne.CanvasObject
	switch m.Kind { //nolint:exhaustive // the others are texts
	case bridge.ContentPicture:
		body = v.picture()
	case bridge.ContentFile, bridge.ContentVoice:
		body = widget.StretchRow(8, 1, fyneui.NewIcon(theme.FileIcon()), widget.NewLine(m.Text).Elastic())
	default:
		text := m.Text
		if m.Kind == bridge.ContentNative {
			text = text[:min(len(text), longest)]
		}
		words := widget.NewText(m.Kind == bridge.ContentMarkdown || m.Kind == bridge.ContentCard)
		words.Set(text)
		body = words
	}
	inside := widget.Column(8, body)
	if len(m.Buttons) > 0 {
		inside.Add(v.buttons(m.Buttons))
	}
	badge := container.NewVBox(widget.Inset(widget.NewBadge(w.Initial(b.Platform), b.Platform, 24), 8, 0)) // at the top
	bubble := container.NewBorder(nil, nil, badge, nil, widget.NewPanel(inside))
	return widget.Column(4, bubble, widget.Inset(widget.NewCaption(foot).Elastic(), 0, 32))
}

// buttons are those below a card; they open what they would open.
func (v *preview) buttons(all []bridge.Button) fyne.CanvasObject {
	rows := widget.Column(6)
	for _, b := range all {
		rows.Add(fyneui.NewButton(b.Text, func() { v.page.kit.Shell.Open(b.URL) }))
	}
	return rows
}

// picture is the picture that was chosen, if it is one that can be shown here.
func (v *preview) picture() fyne.CanvasObject {
	f := v.page.draft.file
	if _, _, err := image.DecodeConfig(bytes.NewReader(f.data)); err != nil {
		return widget.StretchRow(8, 1, fyneui.NewIcon(theme.FileImageIcon()), widget.NewLine(f.name).Elastic())
	}
	picture := canvas.NewImageFromReader(bytes.NewReader(f.data), f.name)
	picture.FillMode = canvas.ImageFillContain
	picture.SetMinSize(fyne.NewSize(60, pictureHigh))
	return picture
}
