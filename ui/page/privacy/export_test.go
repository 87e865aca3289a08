package privacy

import (
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/widget"
)

// What the tests look at inside.

func (p *Page) Buttons() (save, discard *fyneui.Button) { return p.save, p.discard }

func (p *Page) Switches() (answers, agents, keep *fyneui.Check) { return p.answers, p.agents, p.keep }

func (p *Page) BuiltIn(rule string) *fyneui.Check { return p.builtIn[rule] }

func (p *Page) Own() int { return len(p.own.Objects) }

func (p *Page) Deletes() bool { return p.deletes.Visible() }

func (p *Page) Sample() *widget.Entry { return p.trial.sample }

func (p *Page) Result() string { return p.trial.result.String() }

func (p *Page) Found() string { return p.trial.found.Text() }

func (p *Page) Wrong() bool { return len(p.trial.wrong.Objects) > 0 }
