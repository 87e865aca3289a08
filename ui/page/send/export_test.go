package send

import (
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/widget"
)

// What the tests look at inside.

func (p *Page) Buttons() (send, wipe *fyneui.Button) { return p.send, p.clear }

func (p *Page) Channel() *fyneui.Select { return p.channel }

func (p *Page) Search() *widget.Entry { return p.receivers.search }

func (p *Page) Text() *widget.Entry { return p.editor.text }

func (p *Page) Kind(k bridge.ContentKind) { p.editor.pick(k) }

func (p *Page) Hint() string { return p.hint.Text() }

func (p *Page) Size() string { return p.preview.size.Text() }

func (p *Page) Preview() bridge.Preview { return p.preview.latest }

func (p *Page) History() int { return len(p.draft.sent) }

func (p *Page) Empty() bool { return p.empty.Visible() }

// Changed is what a change of the house does.
func (p *Page) Changed() { p.view.Refresh() }
