package people

import (
	"fmt"

	"fyne.io/fyne/v2"

	"switchboard/internal/bridge"
	"switchboard/ui/widget"
)

// What the tests look at inside.

var DescribeRow = describeRow

var Outcome = outcome

func (i item) Look() (name, below string, platforms []bridge.Platform, marked bool) {
	return i.name, i.below, i.platforms, i.marked
}

var DescribeUsage = describeUsage

// Lines is what is shown, a line each.
func (u usage) Lines() []string {
	var all []string
	for _, s := range u.spans {
		all = append(all, s.title)
		for _, c := range s.counts {
			line := c.label + " " + c.value
			if c.limited {
				line += fmt.Sprintf(" (%.0f%%)", 100*c.share)
			}
			all = append(all, line)
		}
		if s.foot != "" {
			all = append(all, s.foot)
		}
	}
	if u.none != "" {
		all = append(all, u.none)
	}
	return all
}

var DescribeAudit = describeAudit

func (l line) Parts() (what string, undoable bool) { return l.what, l.undoable }

func (p *Page) Names() []string {
	var all []string
	for _, i := range p.items {
		all = append(all, i.name)
	}
	return all
}

func (p *Page) Select(i int) { p.list.Select(i) }

func (p *Page) Filter(i int) { p.filter.SetSelectedIndex(i) }

func (p *Page) Search() *widget.Entry { return p.search }

func (p *Page) Chosen() string { return p.detail.shown.Person.Name }

func (p *Page) Body() fyne.CanvasObject { return p.detail.body }

func (p *Page) NameEntry() *widget.Entry { return p.detail.name }

func (p *Page) MergeSearch() *widget.Entry { return p.detail.merge.search }

func (p *Page) MergeHits() []fyne.CanvasObject { return p.detail.merge.hits.Objects }

func (p *Page) Merging() bool { return p.detail.merge.open() }

func (p *Page) EmptyVisible() bool { return p.empty.Visible() }

func (p *Page) NoHitsVisible() bool { return p.noHits.Visible() }

func (p *Page) NobodyChosen() bool { return p.detail.nothing.Visible() && !p.detail.scroll.Visible() }

// Suggestions are shown, or the list again.
func (p *Page) Suggestions(on bool) {
	if on {
		p.tabs[0].Pick(1)
		return
	}
	p.tabs[1].Pick(0)
}

func (p *Page) Tabs() [2][]string { return [2][]string{p.tabs[0].Labels(), p.tabs[1].Labels()} }

func (p *Page) AlikeBody() fyne.CanvasObject { return p.alike.body }

func (p *Page) InFront() string {
	for name, o := range map[string]fyne.CanvasObject{"list": p.split, "suggestions": p.alike.root, "nobody": p.empty} {
		if o.Visible() {
			return name
		}
	}
	return ""
}
