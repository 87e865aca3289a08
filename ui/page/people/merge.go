package people

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// candidates is how many people are offered to merge with.
const candidates = 6

// merge is the way to make one person of two: look for the other one, see what
// would become of both, and only then do it.
type merge struct {
	*detail

	root   *fyne.Container
	search *widget.Entry
	hits   *fyne.Container
}

func newMerge(d *detail) *merge {
	m := &merge{detail: d, root: widget.Column(0)}
	m.root.Hide()
	return m
}

func (m *merge) open() bool { return m.root.Visible() }

func (m *merge) close() { m.root.Hide() }

func (m *merge) put(parts ...fyne.CanvasObject) {
	m.root.Objects = []fyne.CanvasObject{section(m.kit.Words.T("people.merge"), parts...)}
	m.root.Show()
	m.root.Refresh()
	m.body.Refresh()
	m.scroll.Refresh()
	m.scroll.ScrollToTop()
}

// begin asks who the other one is.
func (m *merge) begin() {
	w := m.kit.Words
	m.search = widget.NewSearch(w.T("people.search"))
	m.hits = widget.Column(2)
	typed := live.Debounce(m.ctx, m.kit.Hub, settle, m.find)
	m.search.OnChanged = func(string) { typed() }
	m.put(widget.NewQuiet(w.T("people.merge.hint")), m.search, m.hits, widget.Row(0, m.cancel()))
	m.find()
}

func (m *merge) cancel() *fyneui.Button {
	return m.button(m.kit.Words.T("people.cancel"), func() {
		m.close()
		m.view.Refresh()
	})
}

func (m *merge) find() {
	hits, search, me := m.hits, m.search, m.shown.Person.ID
	q := bridge.PeopleQuery{Text: search.Text, Limit: candidates + 1}
	live.Ask(m.ctx, m.kit.Hub, func(ctx context.Context) ([]bridge.PersonRow, error) { return m.backend.People(ctx, q) },
		func(rows []bridge.PersonRow, err error) {
			if err != nil {
				m.kit.Shell.Trouble(err)
				return
			}
			if search.Text != q.Text {
				return // typed on meanwhile
			}
			hits.RemoveAll()
			for _, r := range rows {
				if r.Person.ID != me && len(hits.Objects) < candidates {
					hits.Add(m.hit(r))
				}
			}
			if len(hits.Objects) == 0 {
				hits.Add(widget.NewCaption(m.kit.Words.T("people.no_hits")))
			}
			m.body.Refresh()
			m.scroll.Refresh()
		})
}

func (m *merge) hit(r bridge.PersonRow) fyne.CanvasObject {
	face := newRow(m.kit.Words)
	face.set(describeRow(m.kit.Words, m.kit.Now(), r))
	return widget.NewTile(face, func() { m.preview(r) })
}

// preview shows what would become of both.
func (m *merge) preview(other bridge.PersonRow) {
	w, into := m.kit.Words, m.shown.PersonRow
	from := other
	both := widget.Column(4)
	for _, who := range append(append([]bridge.Identity{}, into.Identities...), from.Identities...) {
		name := who.Name
		if name == "" {
			name = string(who.User)
		}
		both.Add(widget.Row(8, widget.NewBadge(w.Initial(who.Platform), who.Platform, 18), widget.NewLine(name)))
	}
	do := m.button(w.T("people.merge.do"), func() {
		m.act(w.T("people.merged"), into.Person.ID, func(ctx context.Context) error {
			return m.backend.MergePeople(ctx, from.Person.ID, into.Person.ID)
		})
	})
	do.Importance = fyneui.HighImportance
	var parts []fyne.CanvasObject
	for _, text := range append(outcome(w, from, into), w.T("people.merge.accounts")) {
		parts = append(parts, widget.NewParagraph(text))
	}
	parts = append(parts, both,
		widget.NewLine(w.T("people.merge.undo")).Sized(theme.SizeNameCaptionText).Colored(theme.ColorNamePlaceHolder).Elastic(),
		widget.Row(8, do, m.cancel()))
	m.put(parts...)
}
