package ui

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/assets"
	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/tray"
	"switchboard/ui/widget"
)

const sidebarWidth = 186

// frame is what stands around every page: the way to the others on the left and
// the state of the house at the bottom.
type frame struct {
	kit    live.Kit
	root   fyne.CanvasObject
	stage  *fyne.Container
	tiles  map[string]*widget.Tile
	icons  map[string]*fyneui.Icon
	pause  *fyneui.Button
	paused bool

	state, listen *widget.Line
	address       string // where it listens
	mark          *widget.Mark
	notice        *widget.Tile
	noticeText    *widget.Line
}

// house is what the frame shows of it.
type house struct {
	overview bridge.Overview
	notices  []bridge.Notice
}

func newFrame(ctx context.Context, kit live.Kit, backend Backend, visit func(string)) *frame {
	f := &frame{kit: kit, tiles: map[string]*widget.Tile{}, icons: map[string]*fyneui.Icon{}}
	f.stage = container.NewStack()
	side := widget.NewBar(f.sidebar(ctx, backend, visit), theme.ColorNameHeaderBackground)
	status := widget.NewBar(f.status(visit), theme.ColorNameHeaderBackground)
	f.root = container.NewBorder(nil, status, widget.Fixed(side, sidebarWidth), nil, f.stage)
	view := live.NewView(kit.Hub, live.Kind(bridge.ChangeOverview, live.Tick), func(ctx context.Context) (house, error) {
		o, err := backend.Overview(ctx)
		return house{o, backend.Notices(kit.Words.Lang)}, err
	}, f.update)
	view.Shown(true)
	kit.Hub.Go(ctx, view.Run)
	return f
}

func (f *frame) sidebar(ctx context.Context, backend Backend, visit func(string)) fyne.CanvasObject {
	w := f.kit.Words
	logo := canvas.NewImageFromResource(fyne.NewStaticResource("app.svg", assets.Icon("app.svg")))
	logo.FillMode = canvas.ImageFillContain
	head := widget.Inset(widget.Row(10, widget.Sized(logo, 30), widget.NewSubheading(w.T("app"))), 18, 8)
	nav := widget.Column(4)
	for _, name := range pageNames() {
		f.icons[name] = fyneui.NewIcon(nil)
		content := widget.Inset(widget.Row(12, widget.Sized(f.icons[name], 18), widget.NewLine(w.T("page."+name))), 8, 10)
		f.tiles[name] = widget.NewTile(content, func() { visit(name) })
		nav.Add(f.tiles[name])
	}
	f.pause = fyneui.NewButtonWithIcon(w.T("pause"), theme.MediaPauseIcon(), f.kit.Hub.Tap(ctx, func() {
		on := !f.paused
		live.Act(ctx, f.kit.Hub, func(ctx context.Context) error { return backend.Pause(ctx, on) }, func(err error) {
			if err != nil {
				f.kit.Shell.Trouble(err)
			}
		})
	}))
	return widget.Inset(container.NewBorder(head, widget.Inset(f.pause, 12, 0), nil, nil, nav), 0, 10)
}

func (f *frame) status(visit func(string)) fyne.CanvasObject {
	f.mark = widget.NewMark(widget.ToneWaiting, "")
	f.state = widget.NewCaption("").Elastic()
	f.listen = widget.NewCaption("")
	listen := widget.NewTile(widget.Inset(f.listen, 3, 8), func() { f.kit.Shell.Copy(f.address) })
	f.noticeText = widget.NewLine("").Sized(theme.SizeNameCaptionText).Bold()
	f.notice = widget.NewTile(widget.Inset(f.noticeText, 3, 8), func() { visit(live.PageOverview) })
	f.notice.Hide()
	return container.NewBorder(fyneui.NewSeparator(), nil, nil, nil,
		widget.Inset(widget.StretchRow(10, 1, f.mark, f.state, f.notice, listen), 4, 12))
}

func (f *frame) show(name string, content fyne.CanvasObject) {
	for n, t := range f.tiles {
		t.Choose(n == name)
		color := theme.ColorNamePlaceHolder
		if n == name {
			color = theme.ColorNamePrimary
		}
		f.icons[n].SetResource(navIcon(n, color))
	}
	f.stage.Objects = []fyne.CanvasObject{content}
	f.stage.Refresh()
}

func navIcon(name string, color fyne.ThemeColorName) fyne.Resource {
	if name == live.PageSettings {
		return theme.NewColoredResource(theme.SettingsIcon(), color)
	}
	return widget.Icon("nav-"+name+".svg", color)
}

func (f *frame) update(h house, err error) {
	if err != nil {
		f.kit.Shell.Trouble(err)
		return
	}
	w, o := f.kit.Words, h.overview
	picture := tray.Describe(w, o, h.notices)
	f.mark.Set(toneOf(picture.State, o), "")
	f.state.Set(summary(w, o))
	f.address = o.Listen
	f.listen.Set(w.T("status.listen", "address", o.Listen))
	f.paused = o.Paused
	if o.Paused {
		f.pause.SetText(w.T("resume"))
		f.pause.SetIcon(theme.MediaPlayIcon())
	} else {
		f.pause.SetText(w.T("pause"))
		f.pause.SetIcon(theme.MediaPauseIcon())
	}
	if n := len(h.notices); n > 0 {
		f.noticeText.Set(w.T("status.notices", "n", n))
		f.notice.Show()
	} else {
		f.notice.Hide()
	}
	f.root.Refresh()
}

func summary(w live.Words, o bridge.Overview) string {
	switch {
	case o.Paused:
		return w.T("status.paused")
	case len(o.Bots) == 0:
		return w.T("status.empty")
	case o.Demo:
		return w.T("status.demo", "n", len(o.Bots))
	default:
		return w.T("status.running", "n", len(o.Bots))
	}
}

func toneOf(s tray.State, o bridge.Overview) widget.Tone {
	switch {
	case s == tray.OK && len(o.Bots) == 0:
		return widget.ToneWaiting
	case s == tray.Attention:
		return widget.ToneAttention
	case s == tray.Error:
		return widget.ToneError
	case s == tray.Paused:
		return widget.TonePaused
	default:
		return widget.ToneOK
	}
}
