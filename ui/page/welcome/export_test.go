package welcome

import (
	"fyne.io/fyne/v2/widget"

	xwidget "switchboard/ui/widget"
)

// What the tests look at inside.

var Describe = describe

func (p *Page) Parts() (address, key *xwidget.Entry, test, save *widget.Button) {
	return p.address, p.key, p.test, p.save
}

func (p *Page) Findings() int { return len(p.findings.Objects) }
