package send

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// offered is how many receivers are shown at a time.
const offered = 5

// receivers is the choice of who gets it.
type receivers struct {
	page   *Page
	root   *fyne.Container
	search *widget.Entry
	rows   *fyne.Container
	again  func()
	asked  int // counts the questions, so that a late answer is dropped
	found  []bridge.Receiver
	heard  bool // the bot's platform has been looked at
	failed error
}

func newReceivers(p *Page) *receivers {
	r := &receivers{page: p, root: widget.Column(6), rows: widget.Column(2)}
	r.search = widget.NewSearch(p.kit.Words.T("send.to.search"))
	r.search.OnCtrlEnter = p.Submit
	r.again = live.Debounce(p.ctx, p.kit.Hub, calm, r.find)
	r.search.OnChanged = func(string) { r.again() }
	return r
}

// begin asks anew for another bot.
func (r *receivers) begin() {
	r.found, r.heard = nil, false
	r.search.SetText("")
	r.find()
}

// find asks for those who match what is typed.
func (r *receivers) find() {
	p := r.page
	r.asked++
	b, ok := p.bot()
	if !ok || b.Fixed || b.Err != nil {
		return
	}
	asked, text := r.asked, r.search.Text
	live.Ask(p.ctx, p.kit.Hub, func(ctx context.Context) ([]bridge.Receiver, error) {
		return p.backend.Receivers(ctx, b.ID, strings.TrimSpace(text))
	}, func(found []bridge.Receiver, err error) {
		if asked != r.asked {
			return
		}
		r.found, r.failed, r.heard = found, err, true
		r.list()
		p.body.Refresh()
	})
}

// show is in line with the draft: nothing to choose, who is chosen, or the choice.
func (r *receivers) show() {
	w := r.page.kit.Words
	r.root.RemoveAll()
	b, _ := r.page.bot()
	switch {
	case b.Fixed:
		r.root.Add(widget.NewQuiet(w.T("send.to.fixed")))
	case r.page.draft.receives():
		change := fyneui.NewButton(w.T("send.to.change"), r.page.kit.Hub.Tap(r.page.ctx, func() { r.take(bridge.Receiver{}) }))
		r.root.Add(widget.StretchRow(10, 1, widget.NewAvatar(r.page.draft.to.Name, 26), widget.NewLine(r.page.draft.to.Name).Bold().Elastic(), change))
	default:
		r.root.Add(r.search)
		r.root.Add(r.rows)
		r.list()
	}
}

// list shows those who were found, and the ways to name somebody by id.
func (r *receivers) list() {
	w, p := r.page.kit.Words, r.page
	r.rows.RemoveAll()
	if r.failed != nil {
		r.rows.Add(p.trouble(r.failed))
		return
	}
	for _, to := range r.found[:min(len(r.found), offered)] {
		below := w.T("send.to.group")
		if to.Person != "" {
			below = w.Ago(to.Seen, p.kit.Now())
		}
		r.rows.Add(r.row(to, to.Name, below))
	}
	typed := strings.TrimSpace(r.search.Text)
	switch {
	case !r.heard: // nothing can be said yet
	case len(r.found) > offered:
		r.rows.Add(widget.Inset(widget.NewCaption(w.T("send.to.more", "n", len(r.found)-offered)), 3, 8))
	case len(r.found) == 0 && typed == "":
		r.rows.Add(widget.NewQuiet(w.T("send.to.none")))
	case len(r.found) == 0:
		r.rows.Add(widget.NewQuiet(w.T("send.to.no_hits")))
		if b, _ := p.bot(); b.Groups {
			r.rows.Add(r.row(bridge.Receiver{Chat: typed, Kind: bridge.Group, Name: typed}, w.T("send.to.as_group", "id", typed), ""))
		}
		r.rows.Add(r.row(bridge.Receiver{Chat: typed, Kind: bridge.Direct, Name: typed}, w.T("send.to.as_person", "id", typed), ""))
	}
}

func (r *receivers) row(to bridge.Receiver, name, below string) fyne.CanvasObject {
	inside := widget.StretchRow(10, 1, widget.NewAvatar(to.Name, 24), widget.NewLine(name).Elastic(), widget.NewCaption(below))
	return widget.NewTile(widget.Inset(inside, 5, 8), r.page.kit.Hub.Tap(r.page.ctx, func() { r.take(to) }))
}

// take chooses somebody; nobody opens the choice again.
func (r *receivers) take(to bridge.Receiver) {
	r.page.draft.to = to
	r.show()
	r.page.changed()
	r.page.body.Refresh()
}

// name is what the chosen one is called.
func (r *receivers) name() string {
	if b, _ := r.page.bot(); b.Fixed {
		return b.ID
	}
	return r.page.draft.to.Name
}
