package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/assets"
	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/page/overview"
	"switchboard/ui/page/people"
	"switchboard/ui/page/playground"
	"switchboard/ui/page/privacy"
	"switchboard/ui/page/routes"
	"switchboard/ui/page/send"
	"switchboard/ui/page/settings"
	"switchboard/ui/page/talks"
	"switchboard/ui/page/welcome"
	"switchboard/ui/theme"
	"switchboard/ui/tray"
)

// The size of the window when nothing else is remembered, and the smallest one
// that still works.
const (
	defaultWidth, defaultHeight = 1100, 720
	leastWidth, leastHeight     = 720, 480
)

// page is one page of the window.
type page interface {
	Content() fyne.CanvasObject
	Shown(on bool)
	Refresh()
}

// Window is the whole of what a person sees of the app.
type Window struct {
	app     fyne.App
	win     fyne.Window
	backend Backend
	options Options
	hub     *live.Hub
	tray    *tray.Tray
	draft   send.Draft    // is not lost with another language
	asked   *fyneui.PopUp // the latest question; nil before the first

	// What follows is rebuilt with another language.
	stop   context.CancelFunc
	words  live.Words
	pages  map[string]page
	talks  *talks.Page
	play   *playground.Page
	people *people.Page
	send   *send.Page
	frame  *frame
	toasts *toasts
	front  string
}

// New makes the window of an app; nothing is shown before Start. Everything it
// starts ends with ctx.
func New(ctx context.Context, app fyne.App, backend Backend, o Options) *Window {
	w := &Window{app: app, backend: backend, options: o.filled()}
	w.hub = live.NewHubOn(w.options.Log, w.options.Run)
	w.front = choice(app.Preferences(), prefPage, pageNames())
	app.Settings().SetTheme(theme.New(theme.Mode(choice(app.Preferences(), prefLook, looks()))))
	app.SetIcon(fyne.NewStaticResource("app.svg", assets.Icon("app.svg")))
	w.win = app.NewWindow("")
	w.win.SetPadded(false)
	w.build(ctx)
	w.resize()
	w.keys()
	w.win.SetOnDropped(func(_ fyne.Position, all []fyne.URI) { w.drop(ctx, all) })
	if host, ok := app.(desktop.App); ok && w.options.TrayHost {
		w.installTray(ctx, host)
	}
	w.win.SetCloseIntercept(w.guard(ctx, func() { w.closing(ctx) }))
	return w
}

// Start begins to follow the house and shows the window, unless it was asked to
// stay in the tray. It is called once, before the app runs.
func (w *Window) Start(ctx context.Context) {
	changes := w.backend.Watch(ctx)
	w.hub.Go(ctx, func(ctx context.Context) { w.hub.Follow(ctx, changes) })
	if !w.options.Hidden || !w.options.TrayHost {
		w.show()
	}
}

// Raise shows the window from any goroutine: a second start of the app asks for it.
func (w *Window) Raise(ctx context.Context) { w.hub.Do(ctx, w.show) }

func (w *Window) guard(ctx context.Context, f func()) func() { return w.hub.Tap(ctx, f) }

func (w *Window) show() {
	w.win.Show()
	w.win.RequestFocus()
	w.hub.Visible(true)
}

func (w *Window) hide() {
	w.remember()
	w.win.Hide()
	w.hub.Visible(false)
}

func pageNames() []string {
	return []string{live.PageOverview, live.PageTalks, live.PagePeople, live.PageSend, live.PagePlayground, live.PageRoutes, live.PagePrivacy, live.PageSettings}
}

// build makes the content in the chosen language; a change of language throws
// the old one away.
func (w *Window) build(ctx context.Context) {
	if w.stop != nil {
		w.stop()
	}
	built, stop := context.WithCancel(ctx)
	w.stop = stop
	chosen := choice(w.app.Preferences(), prefLanguage, languages())
	w.words = live.Words{Lang: language(chosen, w.options.Locale)}
	speak(w.words.Lang)
	w.win.SetTitle(w.words.T("app"))
	w.toasts = newToasts(built, w.hub)
	kit := live.Kit{Hub: w.hub, Words: w.words, Shell: &shell{w}, Now: w.options.Now}
	if w.backend.FirstRun() && !w.app.Preferences().Bool(prefWelcomed) {
		w.pages, w.frame = nil, nil
		w.setContent(w.welcome(ctx, built, kit, chosen))
		return
	}
	w.talks = talks.New(built, kit, w.backend)
	w.play = playground.New(built, kit, w.backend)
	w.people = people.New(built, kit, w.backend)
	pick := func(pictures bool, got func(string, []byte, error)) { w.pick(built, pictures, got) }
	w.send = send.New(built, kit, w.backend, &w.draft, send.Options{Pick: pick, Lasting: ctx})
	w.pages = map[string]page{
		live.PageOverview:   overview.New(built, kit, w.backend),
		live.PageTalks:      w.talks,
		live.PagePeople:     w.people,
		live.PageSend:       w.send,
		live.PagePlayground: w.play,
		live.PageRoutes:     routes.New(built, kit, w.backend),
		live.PagePrivacy:    privacy.New(built, kit, w.backend),
		live.PageSettings: settings.New(kit, w.backend, settings.Options{
			Languages: languages(), Language: chosen, OnLanguage: func(l string) { w.speakNow(ctx, l) },
			Looks: looks(), Look: choice(w.app.Preferences(), prefLook, looks()), OnLook: w.look,
			OnDiagnostics: func() { w.saveDiagnostics(built) },
			Version:       w.options.Version,
		}),
	}
	w.frame = newFrame(built, kit, w.backend, w.visit)
	w.setContent(w.frame.root)
	w.visit(w.front)
}

func (w *Window) welcome(ctx, built context.Context, kit live.Kit, chosen string) fyne.CanvasObject {
	done := func() {
		w.app.Preferences().SetBool(prefWelcomed, true)
		w.build(ctx)
	}
	return welcome.New(built, kit, w.backend, welcome.Options{
		Languages: languages(), Language: chosen, OnLanguage: func(l string) { w.speakNow(ctx, l) },
		OnTry: func() {
			w.front = live.PagePlayground
			done()
			w.play.Demo()
		},
		OnDone: done,
	}).Content()
}

func (w *Window) setContent(o fyne.CanvasObject) {
	w.win.SetContent(container.NewStack(container.New(&floor{w}, o), w.toasts.root))
}

// visit brings a page to the front.
func (w *Window) visit(name string) {
	if w.frame == nil || !slices.Contains(pageNames(), name) {
		return
	}
	for other, p := range w.pages {
		p.Shown(other == name)
	}
	w.front = name
	if choice(w.app.Preferences(), prefPage, pageNames()) != name { // each change is a write to the disk
		w.app.Preferences().SetString(prefPage, name)
	}
	w.frame.show(name, w.pages[name].Content())
}

// speakNow changes the language at once.
func (w *Window) speakNow(ctx context.Context, chosen string) {
	w.app.Preferences().SetString(prefLanguage, chosen)
	w.hub.Do(ctx, func() { w.build(ctx) }) // not inside the callback of what is thrown away
}

// look changes between light and dark at once.
func (w *Window) look(chosen string) {
	w.app.Preferences().SetString(prefLook, chosen)
	w.app.Settings().SetTheme(theme.New(theme.Mode(chosen)))
}

func (w *Window) resize() {
	p := w.app.Preferences()
	width := max(leastWidth, p.FloatWithFallback(prefWidth, defaultWidth))
	height := max(leastHeight, p.FloatWithFallback(prefHeight, defaultHeight))
	w.win.Resize(fyne.NewSize(float32(width), float32(height)))
	w.win.CenterOnScreen()
}

func (w *Window) remember() {
	size := w.win.Canvas().Size()
	if size.Width < leastWidth || size.Height < leastHeight {
		return
	}
	w.app.Preferences().SetFloat(prefWidth, float64(size.Width))
	w.app.Preferences().SetFloat(prefHeight, float64(size.Height))
}

// floor keeps the window from being made smaller than it can work.
type floor struct{ w *Window }

// Layout implements fyne.Layout.
func (*floor) Layout(objects []fyne.CanvasObject, size fyne.Size) { objects[0].Resize(size) }

// MinSize implements fyne.Layout.
func (*floor) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(leastWidth, leastHeight) }

// installTray shows the icon and keeps it up to date, also while the window is
// hidden.
func (w *Window) installTray(ctx context.Context, host desktop.App) {
	w.tray = tray.New(host, tray.Actions{
		Open:  w.guard(ctx, w.show),
		Pause: func(on bool) { w.pause(ctx, on) },
		Quit:  w.guard(ctx, func() { w.quit(ctx) }),
	})
	w.tray.OnTap(func() { w.Raise(ctx) })
	w.tray.Show(w.words, tray.Describe(w.words, bridge.Overview{}, nil)) // the toolkit wants a menu before it runs
	view := live.NewView(w.hub, live.Kind(bridge.ChangeOverview, live.Tick), func(ctx context.Context) (bridge.Overview, error) {
		return w.backend.Overview(ctx)
	}, func(o bridge.Overview, err error) {
		if err == nil {
			w.tray.Show(w.words, tray.Describe(w.words, o, w.backend.Notices(w.words.Lang)))
		}
	}).Always()
	w.hub.Go(ctx, view.Run)
}

// Quit ends the app from any goroutine, without asking.
func (w *Window) Quit(ctx context.Context) { w.hub.Do(ctx, w.end) }

// TrayHost says whether the desktop shows tray icons at all.
func TrayHost(ctx context.Context) bool { return tray.Watched(ctx) }
