package overview

import (
	"fmt"

	"fyne.io/fyne/v2"

	"switchboard/ui/widget"
)

// What the tests look at inside.

var (
	DescribeBot   = describeBot
	DescribeAgent = describeAgent

	DescribeBudgets = describeBudgets
)

func (c botCard) Look() (tone widget.Tone, state, counts, callback, trouble string) {
	return c.tone, c.state, c.counts, c.callback, c.trouble
}

func (c agentCard) Look() (tone widget.Tone, state, running, last string, load float64) {
	return c.tone, c.state, c.running, c.last, c.load
}

func (c agentCard) Kind() string { return c.kind }

func (p *Page) Agent(n int) (kind string) { return p.agentCards[n].kind.Text() }

func (p *Page) Numbers() []string {
	return []string{p.received.value.Text(), p.answered.value.Text(), p.waiting.value.Text(), p.failed.value.Text()}
}

func (p *Page) NoticeCards() []fyne.CanvasObject { return p.notices.Objects }

func (p *Page) Cards() (bots, agents int) { return len(p.bots.Objects), len(p.agents.Objects) }

func (p *Page) FirstCard() fyne.CanvasObject { return p.bots.Objects[0] }

func (p *Page) Teaching() bool { return p.empty.Visible() && !p.full.Visible() }

func (c budgetCard) Look() string {
	return fmt.Sprintf("%s: %s, %.2f, %s, %s", c.title, c.used, c.share, c.outlook, c.color)
}

func (p *Page) Budgets() (cards int, shown bool) { return len(p.budgets.Objects), p.month.Visible() }
