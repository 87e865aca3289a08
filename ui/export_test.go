package ui

import (
	"context"

	"fyne.io/fyne/v2"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/widget"
)

// What the tests look at inside.

func (w *Window) Fyne() fyne.Window { return w.win }

func (w *Window) FrontPage() string { return w.front }

func (w *Window) Welcoming() bool { return w.frame == nil }

func (w *Window) SearchEntry() *widget.Entry { return w.talks.Search() }

func (w *Window) Toast() string {
	if len(w.toasts.root.Objects) == 0 {
		return ""
	}
	found := ""
	for _, o := range objects(w.toasts.root) {
		if l, ok := o.(*widget.Line); ok && l.Text() != "" {
			found = l.Text()
		}
		if r, ok := o.(*fyneui.RichText); ok {
			found = r.String()
		}
	}
	return found
}

func (w *Window) StatusText() string { return w.frame.state.Text() }

func (w *Window) Shell() interface {
	Say(string)
	Trouble(error)
	Copy(string)
} {
	return &shell{w}
}

func (w *Window) PauseButton() string { return w.frame.pause.Text }

func (w *Window) TapPause() { w.frame.pause.OnTapped() }

func (w *Window) Close(ctx context.Context) { w.closing(ctx) }

func (w *Window) Search() { w.search() }

func (w *Window) Visit(page string) { w.visit(page) }

func (w *Window) NoticeText() string {
	if !w.frame.notice.Visible() {
		return ""
	}
	return w.frame.noticeText.Text()
}

func (w *Window) Diagnose(ctx context.Context) { w.saveDiagnostics(ctx) }

func objects(o fyne.CanvasObject) []fyne.CanvasObject {
	all := []fyne.CanvasObject{o}
	if c, ok := o.(*fyne.Container); ok {
		for _, child := range c.Objects {
			all = append(all, objects(child)...)
		}
	}
	if p, ok := o.(*widget.Panel); ok {
		all = append(all, objects(p.Content())...)
	}
	return all
}

func (w *Window) Drop(ctx context.Context, file fyne.URI) { w.drop(ctx, []fyne.URI{file}) }

func (w *Window) SendTo(bot string) { w.send.Choose(bot) }

func (w *Window) Submit() { w.submit() }
