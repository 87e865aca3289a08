package playground

import (
	"fyne.io/fyne/v2/widget"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	xwidget "switchboard/ui/widget"
)

// What the tests look at inside.

var (
	Answers = answers
	Choices = choices
)

func Foot(kit live.Kit, b bridge.Bubble) string { return (&screen{kit: kit}).foot(b) }

func (p *Page) Start() *widget.Button { return p.start }

func (p *Page) PlayButton() *widget.Button { return p.play }

func (p *Page) StopButton() *widget.Button { return p.stop }

func (p *Page) Seats() int { return len(p.screens) }

func (p *Page) Composer(i int) *xwidget.Composer { return p.screens[i].composer }

func (p *Page) Use(i, platform int) { p.screens[i].pick.Pick(platform) }

func (p *Page) Objects(i int) int { return len(p.screens[i].list.Objects) }

func (p *Page) BubbleTexts(i int) []string {
	var all []string
	for _, o := range p.screens[i].list.Objects {
		if b, ok := o.(*xwidget.Bubble); ok {
			all = append(all, b.Text()+" / "+b.Foot())
		}
	}
	return all
}

// Buttons are those below the last bubble.
func (p *Page) Buttons(i int) []*widget.Button {
	objects := p.screens[i].list.Objects
	b, _ := objects[len(objects)-1].(*xwidget.Bubble)
	return b.Buttons()
}

func (p *Page) Click(i int, bubble, button string) { p.screens[i].click(bubble, button) }

func (p *Page) Playing() bool { return p.cancel != nil }

func (p *Page) Trouble() *widget.Select { return p.trouble }
