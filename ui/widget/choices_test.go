package widget_test

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"switchboard/ui/widget"
)

// TestChoicesTakeLines: buttons that do not fit beside one another go on a new
// line, and the same ones again change nothing.
func TestChoicesTakeLines(t *testing.T) {
	test.NewTempApp(t)
	tapped := ""
	c := widget.NewChoices()
	three := []widget.Choice{{"one", "1"}, {"two", "2"}, {"three", "3"}}
	if c.Any() || !c.Set(three, func(value string) { tapped = value }) || c.Set(three, nil) {
		t.Error("what is set is not what is there")
	}
	c.Box.Resize(c.Box.MinSize().AddWidthHeight(1000, 0))
	wide := c.Box.MinSize().Height
	all := c.Buttons()
	if all[0].Position().Y != all[2].Position().Y || all[2].Position().X <= all[1].Position().X {
		t.Error("not beside one another")
	}
	c.Box.Resize(all[0].MinSize())
	if high := c.Box.MinSize().Height; high <= 2*wide || all[2].Position().X != 0 || all[2].Size().Width > all[0].MinSize().Width {
		t.Errorf("%v high in a narrow place, %v in a wide one", high, wide)
	}
	test.Tap(all[1])
	if tapped != "2" || all[1].Text != "two" {
		t.Errorf("tapped %q", tapped)
	}
	if c.Set(nil, nil); c.Any() || len(c.Buttons()) > 0 {
		t.Error("they stay")
	}
}
