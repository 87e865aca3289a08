package talks

import (
	"context"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// listSize is how many conversations are read at a time.
const listSize = 100

// settle is how long a search waits for the next letter.
const settle = 200 * time.Millisecond

// Page is the page of conversations.
type Page struct {
	kit     live.Kit
	backend Backend
	view    *live.View[result]
	query   atomic.Pointer[bridge.TalkQuery]

	content       fyne.CanvasObject
	search        *widget.Entry
	filter        *fyneui.Select
	list          *fyneui.List
	detail        *detail
	noHits, empty fyne.CanvasObject
	split         *container.Split
	items         []item
	lane          string // chosen
	complete      bool   // there are no more rows to read
	bots          []string
}

// result is everything the list shows.
type result struct {
	query bridge.TalkQuery
	rows  []bridge.TalkRow
	bots  []string
}

// New builds the page; it lives until ctx ends.
func New(ctx context.Context, kit live.Kit, backend Backend) *Page {
	p := &Page{kit: kit, backend: backend}
	p.query.Store(&bridge.TalkQuery{Limit: listSize})
	p.detail = newDetail(ctx, kit, backend)
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
}

// Refresh reads everything again at once.
func (p *Page) Refresh() {
	p.view.Refresh()
	p.detail.view.Refresh()
}

// Search is the entry that Ctrl+F goes to.
func (p *Page) Search() *widget.Entry { return p.search }

func (p *Page) build(ctx context.Context) {
	w := p.kit.Words
	p.search = widget.NewSearch(w.T("talks.search"))
	p.search.OnChanged = func(string) {}
	typed := live.Debounce(ctx, p.kit.Hub, settle, func() {
		p.ask(func(q *bridge.TalkQuery) { q.Text = p.search.Text })
	})
	p.search.OnChanged = func(string) { typed() }
	p.filter = fyneui.NewSelect([]string{w.T("talks.all")}, nil)
	p.filter.SetSelectedIndex(0)
	p.filter.OnChanged = func(string) { p.filtered() }
	p.list = fyneui.NewList(func() int { return len(p.items) }, func() fyne.CanvasObject { return newRow(w) }, p.fill)
	p.list.OnSelected = p.choose
	p.list.HideSeparators = true
	p.noHits = container.NewCenter(widget.NewCaption(w.T("talks.no_hits")))
	p.noHits.Hide()
	top := widget.Column(8, widget.NewHeading(w.T("page.talks")), p.search, p.filter)
	left := container.NewBorder(widget.Inset(top, 18, 12), nil, nil, nil, container.NewStack(p.list, p.noHits))
	right := widget.NewBar(p.detail.root, "background")
	p.split = container.NewHSplit(left, right)
	p.split.SetOffset(0.36)
	p.empty = none(p.kit)
	p.empty.Hide()
	p.content = container.NewStack(p.split, p.empty)
}

func (p *Page) ask(change func(*bridge.TalkQuery)) {
	q := *p.query.Load()
	q.Limit = listSize
	change(&q)
	p.query.Store(&q)
	p.view.Refresh()
}

func (p *Page) filtered() {
	i := p.filter.SelectedIndex()
	p.ask(func(q *bridge.TalkQuery) {
		q.Bot = ""
		if i > 0 && i <= len(p.bots) {
			q.Bot = p.bots[i-1]
		}
	})
}

func (p *Page) load(ctx context.Context) (result, error) {
	r := result{query: *p.query.Load()}
	o, err := p.backend.Overview(ctx)
	if err != nil {
		return r, err
	}
	for _, b := range o.Bots {
		r.bots = append(r.bots, b.ID)
	}
	r.rows, err = p.backend.Talks(ctx, r.query)
	return r, err
}

func (p *Page) show(r result, err error) {
	if err != nil {
		p.kit.Shell.Trouble(err)
		return
	}
	p.offer(r.bots)
	p.complete = len(r.rows) < r.query.Limit
	p.items = p.items[:0]
	for _, row := range r.rows {
		p.items = append(p.items, describeRow(p.kit.Words, p.kit.Now(), row))
	}
	asked := r.query.Text != "" || r.query.Bot != ""
	widget.Show(p.noHits, len(p.items) == 0 && asked)
	widget.Show(p.empty, len(p.items) == 0 && !asked)
	widget.Show(p.split, len(p.items) > 0 || asked)
	p.list.Refresh()
	p.reselect()
}

// offer puts the bots into the filter.
func (p *Page) offer(bots []string) {
	if len(bots) == len(p.bots) {
		return
	}
	p.bots = bots
	p.filter.SetOptions(append([]string{p.kit.Words.T("talks.all")}, bots...))
}

// reselect keeps the chosen conversation chosen when the rows have moved.
func (p *Page) reselect() {
	if p.lane == "" && len(p.items) > 0 {
		p.list.Select(0)
		return
	}
	for i, it := range p.items {
		if it.lane == p.lane {
			at := p.list.GetScrollOffset()
			p.list.Select(i) // scrolls to it, which nobody asked for
			p.list.ScrollToOffset(at)
			p.detail.choose(it)
			return
		}
	}
	p.list.UnselectAll()
}

func (p *Page) choose(i fyneui.ListItemID) {
	if i >= 0 && i < len(p.items) {
		p.lane = p.items[i].lane
		p.detail.choose(p.items[i])
	}
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
		p.ask(func(q *bridge.TalkQuery) { q.Limit = limit + listSize })
	}
}
