package send

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/widget"
)

// editor is where the content is written.
type editor struct {
	page   *Page
	root   *fyne.Container
	kinds  *widget.Segments
	fields *fyne.Container

	text, title, native, nativeType *widget.Entry
	rows                            *fyne.Container // of buttons
	file                            *widget.Line
}

func newEditor(p *Page) *editor {
	w := p.kit.Words
	e := &editor{page: p, fields: widget.Column(8), rows: widget.Column(6), file: widget.NewLine("").Elastic()}
	var names []string
	for _, k := range kinds() {
		names = append(names, kindWords(p, k))
	}
	e.kinds = widget.NewSegments(names, nil, func(i int) { e.pick(kinds()[i]) })
	e.text = e.entry(w.T("send.text"), 7, func(s string) { p.draft.text = s })
	e.title = e.entry(w.T("send.title"), 0, func(s string) { p.draft.title = s })
	e.native = e.entry(`{"text": "…"}`, 7, func(s string) { p.draft.native = s })
	e.nativeType = e.entry(w.T("send.native.type"), 0, func(s string) { p.draft.nativeType = s })
	e.root = widget.Column(8, e.kinds, e.fields)
	e.show()
	return e
}

// kindWords names a kind in the little room there is.
func kindWords(p *Page, k bridge.ContentKind) string {
	if k == bridge.ContentNative {
		return "JSON"
	}
	return i18n.Text(p.kit.Words.Lang, "content."+string(k))
}

// entry makes an entry; without rows it is one line.
func (e *editor) entry(placeholder string, rows int, set func(string)) *widget.Entry {
	entry := widget.NewEntry(placeholder)
	entry.OnCtrlEnter = e.page.Submit
	if rows > 0 {
		entry.MultiLine = true
		entry.Wrapping = fyne.TextWrapWord
		entry.SetMinRowsVisible(rows)
	}
	entry.OnChanged = func(s string) {
		set(s)
		e.page.changed()
	}
	return entry
}

func (e *editor) pick(k bridge.ContentKind) {
	e.page.draft.kind = k
	e.show()
	e.page.changed()
	e.page.body.Refresh()
}

// show brings every field in line with the draft.
func (e *editor) show() {
	d, w := e.page.draft, e.page.kit.Words
	e.kinds.Mark(slices.Index(kinds(), d.chosen()))
	put(e.text, d.text)
	put(e.title, d.title)
	put(e.native, d.native)
	put(e.nativeType, d.nativeType)
	e.fields.RemoveAll()
	switch d.chosen() { //nolint:exhaustive // the others are texts
	case bridge.ContentCard:
		e.fields.Add(e.title)
		e.fields.Add(e.text)
		e.showButtons()
		e.fields.Add(e.rows)
	case bridge.ContentPicture, bridge.ContentFile:
		e.showFile(d.chosen() == bridge.ContentPicture)
	case bridge.ContentNative:
		e.fields.Add(e.nativeType)
		e.fields.Add(e.native)
		e.fields.Add(widget.NewQuiet(w.T("send.native.hint")))
	default:
		e.fields.Add(e.text)
	}
}

// put is SetText without telling.
func put(e *widget.Entry, text string) {
	if e.Text == text {
		return
	}
	tell := e.OnChanged
	e.OnChanged = nil
	e.SetText(text)
	e.OnChanged = tell
}

// showButtons shows the links below a card.
func (e *editor) showButtons() {
	d, w := e.page.draft, e.page.kit.Words
	e.rows.RemoveAll()
	for i := range d.buttons {
		words := e.entry(w.T("send.button.words"), 0, func(s string) { d.buttons[i].Text = s })
		put(words, d.buttons[i].Text)
		link := e.entry("https://…", 0, func(s string) { d.buttons[i].URL = s })
		put(link, d.buttons[i].URL)
		remove := fyneui.NewButtonWithIcon("", theme.DeleteIcon(), e.page.kit.Hub.Tap(e.page.ctx, func() {
			d.buttons = slices.Delete(d.buttons, i, i+1)
			e.again()
		}))
		remove.Importance = fyneui.LowImportance
		e.rows.Add(widget.StretchRow(6, 1, widget.Fixed(words, 130), link, remove))
	}
	add := fyneui.NewButtonWithIcon(w.T("send.button.add"), theme.ContentAddIcon(), e.page.kit.Hub.Tap(e.page.ctx, func() {
		d.buttons = append(d.buttons, bridge.Button{})
		e.again()
	}))
	e.rows.Add(widget.Row(0, add))
}

func (e *editor) again() {
	e.show()
	e.page.changed()
	e.page.body.Refresh()
}

// showFile shows what is chosen, and the way to choose.
func (e *editor) showFile(picture bool) {
	d, w := e.page.draft, e.page.kit.Words
	e.file.Set(d.file.name)
	label := w.T("send.file.choose")
	if picture {
		label = w.T("send.picture.choose")
	}
	choose := fyneui.NewButtonWithIcon(label, theme.FolderOpenIcon(), e.page.kit.Hub.Tap(e.page.ctx, func() {
		e.page.opt.Pick(picture, e.got)
	}))
	e.fields.Add(widget.StretchRow(10, 1, choose, e.file))
	if d.file.name == "" {
		e.fields.Add(widget.NewQuiet(w.T("send.file.hint")))
	}
}

func (e *editor) got(name string, data []byte, err error) {
	if err != nil {
		e.page.kit.Shell.Trouble(err)
		return
	}
	e.page.draft.file = file{name, data}
	e.again()
}

// Take takes a file that was dropped on the window.
func (p *Page) Take(name string, data []byte, picture bool) {
	if kind := p.draft.chosen(); kind != bridge.ContentPicture && kind != bridge.ContentFile || kind == bridge.ContentPicture && !picture {
		p.draft.kind = bridge.ContentFile
		if picture {
			p.draft.kind = bridge.ContentPicture
		}
	}
	p.editor.got(name, data, nil)
}
