package playground

import (
	"slices"

	fyneui "fyne.io/fyne/v2/widget"
)

// trouble is a way in which the simulated platforms can misbehave.
type trouble struct{ key, spec string }

func allTrouble() []trouble {
	return []trouble{
		{"none", ""},
		{"busy", "busy=0.3"},
		{"slow", "slow=600ms"},
		{"duplicate", "duplicate=0.5"},
	}
}

// troubles is the choice of what goes wrong, to see that nothing is lost.
func (p *Page) troubles() *fyneui.Select {
	var names []string
	for _, t := range allTrouble() {
		names = append(names, p.kit.Words.T("playground.trouble."+t.key))
	}
	choice := fyneui.NewSelect(names, nil)
	choice.SetSelectedIndex(0)
	choice.OnChanged = func(name string) {
		if err := p.backend.Disturb(allTrouble()[slices.Index(names, name)].spec); err != nil {
			p.kit.Shell.Trouble(err)
		}
	}
	return choice
}
