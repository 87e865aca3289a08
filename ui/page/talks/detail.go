package talks

import (
	"context"
	"sync/atomic"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// pageSize is how many exchanges are read at a time.
const pageSize = 30

// wanted is what the detail shows; the loader reads it on another goroutine.
type wanted struct {
	lane  string
	limit int
}

// loaded is a page of exchanges and what it was read for.
type loaded struct {
	wanted
	exchanges []bridge.Exchange
}

// detail is the right side: one conversation.
type detail struct {
	kit     live.Kit
	backend Backend
	view    *live.View[loaded]
	want    atomic.Pointer[wanted]
	retry   func(id int64, failed func())

	root          *fyne.Container
	full, nothing fyne.CanvasObject
	avatar        *widget.Badge
	title, below  *widget.Line
	earlier       *fyneui.Button
	list          *fyne.Container
	tail          *widget.Tail
	head          item   // the conversation that was chosen
	lane          string // shown now
	cards         map[int64]*exchange
	order         []int64
}

func newDetail(ctx context.Context, kit live.Kit, backend Backend) *detail {
	d := &detail{kit: kit, backend: backend, cards: map[int64]*exchange{}}
	d.want.Store(&wanted{})
	d.retry = func(id int64, failed func()) {
		live.Act(ctx, kit.Hub, func(ctx context.Context) error { return backend.Retry(ctx, id) }, func(err error) {
			if err != nil {
				failed()
				kit.Shell.Trouble(err)
				return
			}
			kit.Shell.Say(kit.Words.T("talks.retrying"))
			d.view.Refresh()
		})
	}
	d.build()
	d.view = live.NewView(kit.Hub, func(c bridge.Change) bool {
		return c.Kind == live.Tick || c.Kind == bridge.ChangeTalk && (c.Lane == "" || c.Lane == d.want.Load().lane)
	}, d.load, d.show)
	kit.Hub.Go(ctx, d.view.Run)
	return d
}

func (d *detail) build() {
	w := d.kit.Words
	d.avatar = widget.NewAvatar("", 36)
	d.title, d.below = widget.NewSubheading("").Elastic(), widget.NewCaption("").Elastic()
	d.earlier = fyneui.NewButton(w.T("talks.earlier"), d.more)
	d.earlier.Importance = fyneui.LowImportance
	d.earlier.Hide()
	d.list = widget.Column(12)
	content := widget.Inset(widget.Column(8, container.NewCenter(d.earlier), d.list), 12, 18)
	d.tail = widget.NewTail(content, func(n int) string { return w.T("talks.new", "n", n) })
	head := widget.Inset(widget.StretchRow(12, 1, d.avatar, widget.Column(0, d.title, d.below)), 12, 18)
	d.full = container.NewBorder(container.NewVBox(head, fyneui.NewSeparator()), nil, nil, nil, d.tail)
	d.full.Hide()
	d.nothing = container.NewCenter(widget.NewCaption(w.T("talks.choose")))
	d.root = container.NewStack(d.full, d.nothing)
}

// choose shows another conversation. Until that is read, the name above stays that
// of the one below.
func (d *detail) choose(i item) {
	d.head = i
	if d.lane == i.lane {
		d.entitle()
	}
	if d.want.Load().lane == i.lane {
		return
	}
	d.want.Store(&wanted{i.lane, pageSize})
	d.view.Refresh()
}

func (d *detail) entitle() {
	d.avatar.SetName(d.head.title)
	d.title.Set(d.head.title)
	d.below.Set(d.head.below)
}

func (d *detail) more() {
	old := d.want.Load()
	d.want.Store(&wanted{old.lane, old.limit + pageSize})
	d.view.Refresh()
}

func (d *detail) load(ctx context.Context) (loaded, error) {
	want := *d.want.Load()
	if want.lane == "" {
		return loaded{}, nil
	}
	exchanges, err := d.backend.Exchanges(ctx, want.lane, 0, want.limit)
	return loaded{want, exchanges}, err
}

func (d *detail) show(l loaded, err error) {
	if err != nil {
		d.kit.Shell.Trouble(err)
		return
	}
	if l.lane == "" || l.lane != d.want.Load().lane {
		return // meanwhile another one was chosen
	}
	widget.Show(d.full, true)
	widget.Show(d.nothing, false)
	widget.Show(d.earlier, len(l.exchanges) >= l.limit)
	if l.lane != d.lane {
		d.lane, d.cards, d.order = l.lane, map[int64]*exchange{}, nil
		d.entitle()
		d.list.RemoveAll()
		d.add(l.exchanges)
		d.tail.Latest()
		d.tail.Grew(0)
		return
	}
	d.merge(l.exchanges)
}

// merge brings the cards up to date: most often one answer has grown.
func (d *detail) merge(exchanges []bridge.Exchange) {
	older := 0
	for older < len(exchanges) && d.cards[exchanges[older].Job.ID] == nil && len(d.order) > 0 && exchanges[older].Job.ID < d.order[0] {
		older++
	}
	if older > 0 {
		d.tail.Keep(func() {
			d.order, d.cards = nil, map[int64]*exchange{}
			d.list.RemoveAll()
			d.add(exchanges)
		})
		return
	}
	changed, fresh := false, 0
	for i, e := range exchanges {
		if x := d.cards[e.Job.ID]; x != nil {
			changed = x.set(describeExchange(d.kit.Words, d.kit.Now(), e)) || changed
			continue
		}
		d.add(exchanges[i : i+1])
		fresh++
	}
	if changed || fresh > 0 {
		d.tail.Grew(fresh)
	}
}

func (d *detail) add(exchanges []bridge.Exchange) {
	for _, e := range exchanges {
		x := newExchange(d.kit, describeExchange(d.kit.Words, d.kit.Now(), e), d.retry)
		d.cards[e.Job.ID] = x
		d.order = append(d.order, e.Job.ID)
		d.list.Add(x.root)
	}
}

// none is the state without any conversation: what to do to get one.
func none(kit live.Kit) fyne.CanvasObject {
	w := kit.Words
	try := fyneui.NewButtonWithIcon(w.T("overview.try"), theme.MediaPlayIcon(), func() { kit.Shell.Visit(live.PagePlayground) })
	try.Importance = fyneui.HighImportance
	inner := widget.Column(12, widget.NewSubheading(w.T("talks.none")), widget.NewQuiet(w.T("talks.none.hint")), widget.Row(0, try))
	return container.NewCenter(widget.Fixed(widget.NewPanel(widget.Inset(inner, 10, 10)), 420))
}
