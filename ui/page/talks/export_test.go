package talks

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"switchboard/ui/widget"
)

// What the tests look at inside.

type Card = card

var (
	DescribeRow      = describeRow
	DescribeExchange = describeExchange
	StateOf          = stateOf
)

func (c card) AsCopied() (question, answer, note string) { return c.question, c.answer, c.note }

func (c card) Stage() (int, bool, bool) { return c.reached, c.failed, c.retry }

func (c card) Steps() []step { return c.steps }

func (s step) Parts() []string { return []string{s.name, s.note, s.took} }

func (p *Page) Titles() []string {
	var all []string
	for _, i := range p.items {
		all = append(all, i.title)
	}
	return all
}

func (p *Page) Select(i int) { p.list.Select(i) }

func (p *Page) Chosen() string { return p.detail.title.Text() }

func (p *Page) Filter(i int) { p.filter.SetSelectedIndex(i) }

func (p *Page) Questions() []string {
	var all []string
	for _, id := range p.detail.order {
		all = append(all, p.detail.cards[id].question.Source())
	}
	return all
}

func (p *Page) Retry(i int) { test.Tap(p.detail.cards[p.detail.order[i]].retry) }

func (p *Page) CanRetry(i int) bool { return p.detail.cards[p.detail.order[i]].retry.Visible() }

func (p *Page) Unfold(i int) int {
	x := p.detail.cards[p.detail.order[i]]
	x.fold.OnTapped()
	if !x.steps.Visible() {
		return 0
	}
	return len(x.steps.Objects)
}

func (p *Page) Steps(i int) fyne.CanvasObject {
	return p.detail.cards[p.detail.order[i]].steps
}

func (p *Page) Tail() *widget.Tail { return p.detail.tail }

func (p *Page) EmptyVisible() bool { return p.empty.Visible() }

func (p *Page) NoHitsVisible() bool { return p.noHits.Visible() }
