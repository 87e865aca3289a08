package people

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// listSize is how many people are read at a time.
const listSize = 100

// settle is how long a search waits for the next letter.
const settle = 200 * time.Millisecond

// Page is the page of people.
type Page struct {
	kit     live.Kit
	backend Backend
	view    *live.View[result]
	query   atomic.Pointer[bridge.PeopleQuery]

	content       fyne.CanvasObject
	search        *widget.Entry
	filter        *fyneui.Select
	list          *fyneui.List
	detail        *detail
	alike         *alike
	tabs          [2]*widget.Segments // the same choice, above the list and above the suggestions
	noHits, empty fyne.CanvasObject
	split         *container.Split
	items         []item
	nobody        bool   // there is nobody at all
	chosen        string // Person.ID
	complete      bool   // there are no more rows to read
}

// result is everything the list shows.
type result struct {
	query bridge.PeopleQuery
	rows  []bridge.PersonRow
}

// New builds the page; it lives until ctx ends.
func New(ctx context.Context, kit live.Kit, backend Backend) *Page {
	p := &Page{kit: kit, backend: backend}
	p.query.Store(&bridge.PeopleQuery{Limit: listSize})
	p.detail = newDetail(ctx, kit, backend, p.acted)
	p.build(ctx)
	p.view = live.NewView(kit.Hub, live.Kind(bridge.ChangeTalk, live.Tick), p.load, p.show)
	kit.Hub.Go(ctx, p.view.Run)
	return p
}

// Content is what the window shows.
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Shown says whether the page is in front.
func (p *Page) Shown(on bool) {
	p.view.Shown(on)
	p.detail.view.Shown(on)
	p.alike.view.Shown(on)
}

// Refresh reads everything again at once.
func (p *Page) Refresh() {
	p.view.Refresh()
	p.detail.view.Refresh()
	p.alike.view.Refresh()
}

func (p *Page) build(ctx context.Context) {
	w := p.kit.Words
	p.search = widget.NewSearch(w.T("people.search"))
	typed := live.Debounce(ctx, p.kit.Hub, settle, func() {
		p.ask(func(q *bridge.PeopleQuery) { q.Text = p.search.Text })
	})
	p.search.OnChanged = func(string) { typed() }
	names := []string{w.T("people.all"), w.T("people.waiting")}
	for _, r := range roles() {
		names = append(names, roleWords(w, r))
	}
	p.filter = fyneui.NewSelect(names, nil)
	p.filter.SetSelectedIndex(0)
	p.filter.OnChanged = func(string) { p.filtered() }
	p.list = fyneui.NewList(func() int { return len(p.items) }, func() fyne.CanvasObject { return newRow(w) }, p.fill)
	p.list.OnSelected = p.choose
	p.list.HideSeparators = true
	p.noHits = container.NewCenter(widget.NewCaption(w.T("people.no_hits")))
	p.noHits.Hide()
	for i := range p.tabs {
		p.tabs[i] = widget.NewSegments([]string{w.T("people.tab.all"), w.T("people.tab.alike", "n", 0)}, nil, p.front)
		p.tabs[i].Mark(0)
	}
	top := widget.Column(8, widget.NewHeading(w.T("page.people")), widget.Row(0, p.tabs[0]), p.search, p.filter)
	left := container.NewBorder(widget.Inset(top, 18, 12), nil, nil, nil, container.NewStack(p.list, p.noHits))
	p.split = container.NewHSplit(left, widget.NewBar(p.detail.root, theme.ColorNameBackground))
	p.split.SetOffset(0.34)
	p.empty = nobody(p.kit)
	p.empty.Hide()
	head := widget.Column(8, widget.NewHeading(w.T("page.people")), widget.Row(0, p.tabs[1])) // where it stands above the list, too
	p.alike = newAlike(ctx, p.kit, p.backend, head, p.reveal, func(total int) {
		for _, t := range p.tabs {
			t.Label(1, w.T("people.tab.alike", "n", total))
		}
	})
	p.content = container.NewStack(p.split, p.alike.root, p.empty)
}

// Alike shows who may be one human being.
func (p *Page) Alike() { p.front(1) }

// front brings the list to the front, or the suggestions.
func (p *Page) front(i int) {
	for _, t := range p.tabs {
		t.Mark(i)
	}
	p.arrange()
}

// arrange shows what is in front.
func (p *Page) arrange() {
	suggestions := p.tabs[0].Picked() == 1
	widget.Show(p.empty, p.nobody)
	widget.Show(p.split, !p.nobody && !suggestions)
	widget.Show(p.alike.root, !p.nobody && suggestions)
}

// reveal shows somebody in the list, which is asked for everybody again.
func (p *Page) reveal(person string) {
	p.search.SetText("")
	p.filter.SetSelectedIndex(0)
	p.front(0)
	p.acted(person)
}

// nobody is the state before anybody wrote.
func nobody(kit live.Kit) fyne.CanvasObject {
	w := kit.Words
	try := fyneui.NewButtonWithIcon(w.T("overview.try"), theme.MediaPlayIcon(), func() { kit.Shell.Visit(live.PagePlayground) })
	try.Importance = fyneui.HighImportance
	inner := widget.Column(12, widget.NewSubheading(w.T("people.none")), widget.NewQuiet(w.T("people.none.hint")), widget.Row(0, try))
	return container.NewCenter(widget.Fixed(widget.NewPanel(widget.Inset(inner, 10, 10)), 420))
}

func (p *Page) ask(change func(*bridge.PeopleQuery)) {
	q := *p.query.Load()
	q.Limit = listSize
	change(&q)
	p.query.Store(&q)
	p.view.Refresh()
}

func (p *Page) filtered() {
	i := p.filter.SelectedIndex()
	p.ask(func(q *bridge.PeopleQuery) {
		q.Waiting, q.Role = i == 1, ""
		if all := roles(); i >= 2 && i < 2+len(all) {
			q.Role = all[i-2]
		}
	})
}

func (p *Page) load(ctx context.Context) (result, error) {
	q := *p.query.Load()
	rows, err := p.backend.People(ctx, q)
	return result{q, rows}, err
}

func (p *Page) show(r result, err error) {
	if err != nil {
		p.kit.Shell.Trouble(err)
		return
	}
	p.complete = len(r.rows) < r.query.Limit
	p.items = p.items[:0]
	for _, row := range r.rows {
		p.items = append(p.items, describeRow(p.kit.Words, p.kit.Now(), row))
	}
	asked := r.query.Text != "" || r.query.Role != "" || r.query.Waiting
	widget.Show(p.noHits, len(p.items) == 0 && asked)
	p.nobody = len(p.items) == 0 && !asked
	p.arrange()
	p.list.Refresh()
	p.reselect()
}

// reselect keeps the chosen person chosen when the rows have moved.
func (p *Page) reselect() {
	if p.chosen == "" && len(p.items) > 0 {
		p.list.Select(0)
		return
	}
	i := slices.IndexFunc(p.items, func(i item) bool { return i.id == p.chosen })
	if i < 0 {
		p.list.UnselectAll()
		return
	}
	at := p.list.GetScrollOffset()
	p.list.Select(i) // scrolls to it, which nobody asked for
	p.list.ScrollToOffset(at)
}

func (p *Page) choose(i fyneui.ListItemID) {
	if i >= 0 && i < len(p.items) {
		p.chosen = p.items[i].id
		p.detail.choose(p.chosen)
	}
}

// acted is told that something was done, and whom to show now.
func (p *Page) acted(person string) {
	p.chosen = person
	p.detail.choose(person)
	p.Refresh()
}

func (p *Page) fill(i fyneui.ListItemID, o fyne.CanvasObject) {
	r, ok := o.(*row)
	if !ok || i >= len(p.items) {
		return
	}
	r.set(p.items[i])
	if i == len(p.items)-1 && !p.complete {
		p.complete = true // ask once
		limit := p.query.Load().Limit
		p.ask(func(q *bridge.PeopleQuery) { q.Limit = limit + listSize })
	}
}
