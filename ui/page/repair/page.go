package repair

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// Options say what happened and what comes next.
type Options struct {
	// Cause is why the house does not open, and Data where it is.
	Cause error
	Data  string
	// OnOpened is called when it is open, and OnQuit when nobody wants it any more.
	OnOpened, OnQuit func()
	// Save asks where a file is to be saved, and suggests a name; picked is not called
	// when nobody wants it any more.
	Save func(name string, picked func(path string))
}

// pageWide is how wide the page gets.
const pageWide = 640

// Page shows why the house does not open.
type Page struct {
	kit     live.Kit
	backend Backend
	options Options
	content *fyne.Container
	busy    *fyneui.Activity
	buttons []*fyneui.Button
}

// New builds the page; what it starts ends with ctx.
func New(ctx context.Context, kit live.Kit, backend Backend, o Options) *Page {
	p := &Page{kit: kit, backend: backend, options: o, content: container.NewStack()}
	p.tell(ctx, o.Cause)
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// tell shows an error and the ways out of it.
func (p *Page) tell(ctx context.Context, err error) {
	w := p.kit.Words
	why := widget.Column(6)
	for line := range strings.Lines(p.backend.Words(w.Lang, err)) {
		why.Add(widget.NewParagraph(strings.TrimRight(line, "\n")))
	}
	ways := widget.Column(12, widget.NewPanel(why))
	p.buttons = nil
	if p.backend.Repairable(err) {
		ways.Add(p.backups(ctx, err))
		ways.Add(p.salvage(ctx))
		ways.Add(p.fresh(ctx, err))
	}
	again := p.button(w.T("repair.again"), func() { p.try(ctx, p.backend.Open) })
	if !p.backend.Repairable(err) {
		again.Importance = fyneui.HighImportance
	}
	folder := fyneui.NewButtonWithIcon(w.T("repair.folder"), theme.FolderOpenIcon(), p.kit.Hub.Tap(ctx, func() { p.kit.Shell.Open(p.options.Data) }))
	p.show(w.T("repair"), ways, again, folder, p.diagnostics(ctx, err), p.button(w.T("close.quit"), p.options.OnQuit))
}

// diagnostics are for somebody who helps from far away.
func (p *Page) diagnostics(ctx context.Context, cause error) fyne.CanvasObject {
	w := p.kit.Words
	return p.button(w.T("repair.diagnostics"), func() {
		p.options.Save("switchboard-diagnostics-"+p.kit.Now().Format("20060102-150405")+".zip", func(path string) {
			p.aside(ctx, path, func(ctx context.Context) error { return p.backend.DiagnoseTrouble(ctx, path, cause) }, func() string {
				return w.T("repair.diagnostics.saved", "file", filepath.Base(path))
			})
		})
	})
}

// backups is the choice between the backups there are.
func (p *Page) backups(ctx context.Context, cause error) fyne.CanvasObject {
	w := p.kit.Words
	all, err := p.backend.Backups()
	inner := widget.Column(8, widget.NewSubheading(w.T("repair.restore")))
	switch {
	case err != nil:
		inner.Add(widget.NewParagraph(w.Explain(err)))
		return widget.NewPanel(inner)
	case len(all) == 0:
		inner.Add(widget.NewQuiet(w.T("repair.no_backup")))
		return widget.NewPanel(inner)
	}
	labels := make([]string, len(all))
	for i, b := range all {
		labels[i] = label(b)
	}
	chosen := all[0]
	pick := fyneui.NewRadioGroup(labels, nil)
	pick.Required = true
	pick.SetSelected(labels[0])
	pick.OnChanged = func(text string) {
		for i, l := range labels {
			if l == text {
				chosen = all[i]
			}
		}
	}
	restore := p.button(w.T("repair.restore.button"), func() {
		p.confirm(ctx, cause, "repair.restore", chosen, func(ctx context.Context) error { return p.backend.Restore(ctx, chosen.Path) })
	})
	restore.Importance = fyneui.HighImportance
	inner.Add(widget.NewQuiet(w.T("repair.restore.hint")))
	inner.Add(pick)
	inner.Add(widget.Row(0, restore))
	return widget.NewPanel(inner)
}

// salvage takes along what can still be read.
func (p *Page) salvage(ctx context.Context) fyne.CanvasObject {
	w := p.kit.Words
	button := p.button(w.T("repair.salvage.button"), func() {
		p.options.Save("switchboard-"+p.kit.Now().Format("20060102-1504")+".csv", func(path string) {
			var got bridge.Salvaged
			p.aside(ctx, path, func(ctx context.Context) (err error) {
				got, err = p.backend.Salvage(ctx, path)
				return err
			}, func() string {
				return w.T("repair.salvage.done", "n", got.Rows, "gaps", got.Gaps, "file", filepath.Base(path))
			})
		})
	})
	return widget.NewPanel(widget.Column(8, widget.NewSubheading(w.T("repair.salvage")), widget.NewQuiet(w.T("repair.salvage.hint")), widget.Row(0, button)))
}

// aside writes a file, which leads out of nothing: the page stays, and says what came
// of it.
func (p *Page) aside(ctx context.Context, path string, write func(context.Context) error, said func() string) {
	p.wait(true)
	live.Act(ctx, p.kit.Hub, write, func(err error) {
		p.wait(false)
		if err != nil {
			p.kit.Shell.Trouble(err)
			return
		}
		p.kit.Shell.Say(said())
		p.kit.Shell.Open(filepath.Dir(path))
	})
}

// wait keeps hands off while something goes on.
func (p *Page) wait(on bool) {
	for _, b := range p.buttons {
		if on {
			b.Disable()
		} else {
			b.Enable()
		}
	}
	widget.Show(p.busy, on)
	if on {
		p.busy.Start()
	} else {
		p.busy.Stop()
	}
}

func (p *Page) fresh(ctx context.Context, cause error) fyne.CanvasObject {
	w := p.kit.Words
	button := p.button(w.T("repair.fresh.button"), func() { p.confirm(ctx, cause, "repair.fresh", bridge.Backup{}, p.backend.StartFresh) })
	return widget.NewPanel(widget.Column(8, widget.NewSubheading(w.T("repair.fresh")), widget.NewQuiet(w.T("repair.fresh.hint")), widget.Row(0, button)))
}

// confirm says what a way out takes away, and goes it when that is wanted.
func (p *Page) confirm(ctx context.Context, cause error, key string, b bridge.Backup, way func(context.Context) error) {
	w := p.kit.Words
	p.buttons = nil
	lost := w.T(key+".lost", "at", b.At.Format("2006-01-02 15:04"))
	back := p.button(w.T("repair.back"), func() { p.tell(ctx, cause) })
	do := p.button(w.T(key+".do"), func() {
		p.try(ctx, func(ctx context.Context) error {
			if err := way(ctx); err != nil {
				return fmt.Errorf("repair: %w", err)
			}
			return p.backend.Open(ctx)
		})
	})
	do.Importance = fyneui.DangerImportance
	p.show(w.T(key+".sure"), widget.NewPanel(widget.NewParagraph(lost)), do, back)
}

// try does something that may take a while; when it works, the house is open.
func (p *Page) try(ctx context.Context, way func(context.Context) error) {
	p.wait(true)
	live.Act(ctx, p.kit.Hub, way, func(err error) {
		if err != nil {
			p.tell(ctx, err)
			return
		}
		p.options.OnOpened()
	})
}

func (p *Page) button(text string, tap func()) *fyneui.Button {
	b := fyneui.NewButton(text, tap)
	p.buttons = append(p.buttons, b)
	return b
}

func (p *Page) show(title string, content fyne.CanvasObject, buttons ...fyne.CanvasObject) {
	p.busy = fyneui.NewActivity()
	p.busy.Hide()
	row := widget.Row(8, append(buttons, widget.Sized(p.busy, 20))...)
	body := container.NewVScroll(widget.Inset(widget.Measure(widget.Column(16, widget.NewHeading(title), content), pageWide, true), 28, 28))
	foot := widget.Inset(widget.Measure(row, pageWide, true), 12, 28) // in sight in a low window, too
	p.content.Objects = []fyne.CanvasObject{container.NewBorder(nil, foot, nil, nil, body)}
	p.content.Refresh()
}

func label(b bridge.Backup) string {
	return fmt.Sprintf("%s · %.1f MB", b.At.Format("2006-01-02 15:04:05"), float64(b.Size)/1e6)
}
