package ui

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// shell implements live.Shell for the pages.
type shell struct{ w *Window }

// Say implements live.Shell.
func (s *shell) Say(text string) { s.w.toasts.say(text, widget.ToneOK) }

// Trouble implements live.Shell.
func (s *shell) Trouble(err error) {
	s.w.options.Log.Warn("shown to the user", "error", err) //nolint:sloglint // a callback of the window has no context
	s.w.toasts.say(s.w.words.Explain(err), widget.ToneError)
}

// Copy implements live.Shell.
func (s *shell) Copy(text string) {
	s.w.app.Clipboard().SetContent(text)
	s.Say(s.w.words.T("copied"))
}

// Visit implements live.Shell.
func (s *shell) Visit(page string) { s.w.visit(page) }

// Open implements live.Shell.
func (s *shell) Open(target string) {
	u := &url.URL{Scheme: "file", Path: filepath.ToSlash(target)}
	if strings.HasPrefix(target, "https://") || strings.HasPrefix(target, "http://") {
		parsed, err := url.Parse(target)
		if err != nil {
			s.Trouble(err)
			return
		}
		u = parsed
	}
	if err := s.w.app.OpenURL(u); err != nil {
		s.Trouble(err)
	}
}

// toasts are the short sentences at the bottom of the window.
type toasts struct {
	root *fyne.Container
	hide func()
}

// How long a sentence stays.
const toastLife = 4 * time.Second

func newToasts(ctx context.Context, hub *live.Hub) *toasts {
	t := &toasts{root: container.New(&toastLayout{})}
	t.hide = live.Debounce(ctx, hub, toastLife, func() {
		t.root.RemoveAll()
		t.root.Refresh()
	})
	return t
}

func (t *toasts) say(text string, tone widget.Tone) {
	t.root.Objects = []fyne.CanvasObject{widget.NewToast(tone, text)}
	t.root.Refresh()
	t.hide()
}

// toastLayout centres a sentence near the bottom.
type toastLayout struct{}

// Layout implements fyne.Layout.
func (*toastLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	const edge = 48
	for _, o := range objects {
		want := o.MinSize()
		want.Width = min(want.Width, size.Width-2*edge)
		o.Resize(want)
		o.Move(fyne.NewPos((size.Width-want.Width)/2, size.Height-want.Height-edge))
	}
}

// MinSize implements fyne.Layout.
func (*toastLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.Size{} }
