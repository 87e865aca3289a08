package settings

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// Options are the present choices and who to tell when they change. Every
// change applies at once.
type Options struct {
	// Languages and Looks are the choices there are, in order; their words are
	// in the catalogue under "ui.settings.language.<choice>" and "….look.<choice>".
	Languages, Looks []string
	Language, Look   string
	OnLanguage       func(string)
	OnLook           func(string)
	OnDiagnostics    func() // saves the diagnostics
	Version          string
}

// Page is the settings page.
type Page struct{ content fyne.CanvasObject }

// New builds the page.
func New(kit live.Kit, backend Backend, o Options) *Page {
	w := kit.Words
	cards := widget.Column(12,
		card(w.T("settings.language"), w.T("settings.language.hint"), widget.Row(0, choices(w, "settings.language.", o.Languages, o.Language, o.OnLanguage))),
		card(w.T("settings.look"), w.T("settings.look.hint"), widget.Row(0, choices(w, "settings.look.", o.Looks, o.Look, o.OnLook))),
		card(w.T("settings.folder"), w.T("settings.folder.hint"), folder(kit, backend.DataDir())),
		card(w.T("settings.diagnostics"), w.T("settings.diagnostics.hint"), widget.Row(0, diagnostics(w, o.OnDiagnostics))),
		card(w.T("settings.keys"), "", keys(w)),
		card(w.T("settings.about"), "", about(w, o.Version)),
	)
	body := container.NewVScroll(widget.Inset(widget.Measure(cards, 760, false), 4, 24))
	return &Page{container.NewBorder(widget.Inset(widget.NewHeading(w.T("page.settings")), 18, 24), nil, nil, nil, body)}
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown does nothing: nothing here changes by itself.
func (*Page) Shown(bool) {}

// Refresh does nothing, for the same reason.
func (*Page) Refresh() {}

func card(title, hint string, content fyne.CanvasObject) fyne.CanvasObject {
	inner := widget.Column(8, widget.NewSubheading(title))
	if hint != "" {
		inner.Add(widget.NewQuiet(hint))
	}
	inner.Add(content)
	return widget.NewPanel(inner)
}

func choices(w live.Words, area string, all []string, now string, pick func(string)) fyne.CanvasObject {
	labels := make([]string, len(all))
	chosen := 0
	for i, c := range all {
		labels[i] = w.T(area + c)
		if c == now {
			chosen = i
		}
	}
	s := widget.NewSegments(labels, nil, func(i int) { pick(all[i]) })
	s.Mark(chosen)
	return s
}

func folder(kit live.Kit, dir string) fyne.CanvasObject {
	w := kit.Words
	path := widget.NewLine(dir).Mono().Sized(theme.SizeNameCaptionText).Elastic()
	open := fyneui.NewButtonWithIcon(w.T("open"), theme.FolderOpenIcon(), func() { kit.Shell.Open(dir) })
	copyButton := fyneui.NewButtonWithIcon(w.T("copy"), theme.ContentCopyIcon(), func() { kit.Shell.Copy(dir) })
	return widget.StretchRow(8, 0, path, copyButton, open)
}

func keys(w live.Words) fyne.CanvasObject {
	rows := widget.Column(5)
	for _, k := range []struct{ keys, word string }{
		{"Ctrl 1 … 9", "keys.pages"}, {"Ctrl F", "keys.search"}, {"Ctrl Enter", "keys.send"}, {"F5", "keys.refresh"}, {"Esc", "keys.escape"},
	} {
		keycap := widget.NewPill(widget.NewLine(k.keys).Sized(theme.SizeNameCaptionText), widget.Themed(theme.ColorNameHeaderBackground))
		rows.Add(widget.StretchRow(12, 1, widget.Fixed(widget.Row(0, keycap), 110), widget.NewLine(w.T(k.word)).Elastic()))
	}
	return rows
}

func diagnostics(w live.Words, save func()) fyne.CanvasObject {
	return fyneui.NewButtonWithIcon(w.T("settings.diagnostics.button"), theme.DocumentSaveIcon(), save)
}

func about(w live.Words, version string) fyne.CanvasObject {
	return widget.Column(3, widget.NewLine(w.T("settings.version", "version", version)), widget.NewCaption(w.T("settings.fonts")).Elastic())
}
