package ui

import (
	"context"
	"time"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/theme"
)

// settled is how long a page gets to load and paint before its picture is taken.
const settled = 500 * time.Millisecond

// Tour shows every page in both languages, light and dark, and calls visit for
// each with a name such as "zh-light-talks". It is for pictures and smoke tests,
// runs beside the app, and leaves the choices of the user as they were.
func (w *Window) Tour(ctx context.Context, visit func(name string) error) error {
	p := w.app.Preferences()
	before := map[string]string{prefLanguage: p.String(prefLanguage), prefLook: p.String(prefLook), prefPage: p.String(prefPage)}
	defer func() {
		for key, value := range before {
			p.SetString(key, value)
		}
	}()
	for _, l := range []bridge.Language{bridge.Chinese, bridge.English} {
		for _, look := range []theme.Mode{theme.Light, theme.Dark} {
			if err := w.tourLook(ctx, l, look, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Window) tourLook(ctx context.Context, l bridge.Language, look theme.Mode, visit func(string) error) error {
	w.hub.Do(ctx, func() {
		w.app.Preferences().SetString(prefLanguage, string(l))
		w.look(string(look))
		w.build(ctx)
	})
	prefix := string(l)[:2] + "-" + string(look) + "-"
	if w.backend.FirstRun() && !w.app.Preferences().Bool(prefWelcomed) {
		return w.halt(ctx, prefix+"welcome", func() {}, visit)
	}
	for _, name := range pageNames() {
		show := func() { w.visit(name) }
		if name == live.PagePlayground {
			show = func() {
				w.visit(name)
				w.play.Demo()
			}
		}
		if err := w.halt(ctx, prefix+name, show, visit); err != nil {
			return err
		}
		if name == live.PagePeople {
			if err := w.halt(ctx, prefix+name+"-alike", w.people.Alike, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Window) halt(ctx context.Context, name string, show func(), visit func(string) error) error {
	w.hub.Do(ctx, show)
	pause := time.NewTimer(settled)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-pause.C:
	}
	if err := w.hub.Quiet(ctx); err != nil {
		return err
	}
	painted := make(chan struct{})
	w.hub.Do(ctx, func() { close(painted) })
	pause.Reset(settled)
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-painted:
	}
	<-pause.C
	return visit(name)
}
