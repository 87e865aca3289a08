package unlock

import (
	"fyne.io/fyne/v2/widget"

	xwidget "switchboard/ui/widget"
)

// What the tests look at inside.

func (p *Page) Parts() (passphrase *xwidget.Entry, unlock, without, quit *widget.Button) {
	return p.entry, p.unlock, p.without, p.quit
}

func (p *Page) Said() string { return p.said }
