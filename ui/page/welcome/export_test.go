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

func (p *Page) Offering() (first, again *xwidget.Entry, create, cancel *widget.Button, hint string) {
	o := p.offered
	if o == nil || !o.popup.Visible() {
		return nil, nil, nil, nil, ""
	}
	_, key, _ := o.fits()
	return o.first, o.again, o.create, o.cancel, key
}

func (p *Page) OfferRefusals() int { return len(p.offered.words.Objects) }
