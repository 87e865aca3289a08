package privacy

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/theme"
	fyneui "fyne.io/fyne/v2/widget"

	"switchboard/ui/widget"
)

// masks are the ways in which a value is shown that the page offers. Another one
// that stands in the settings file is kept.
func masks() []string { return []string{"full", "label", "3+4", "6+4", "0+4"} }

// rule is the row of one of the admin's rules.
func (p *Page) rule(i int) fyne.CanvasObject {
	w, r := p.kit.Words, &p.draft.want.Custom[i]
	name := widget.NewEntry(w.T("privacy.name"))
	name.SetText(r.Name)
	name.OnChanged = func(s string) {
		r.Name = s
		p.changed()
	}
	pattern := widget.NewEntry(w.T("privacy.pattern"))
	pattern.TextStyle.Monospace = true
	pattern.SetText(r.Pattern)
	pattern.OnChanged = func(s string) {
		r.Pattern = s
		p.changed()
	}
	remove := fyneui.NewButtonWithIcon("", theme.DeleteIcon(), p.kit.Hub.Tap(p.ctx, func() {
		p.draft.remove(i)
		p.showOwn()
		p.changed()
	}))
	remove.Importance = fyneui.LowImportance
	first := container.NewBorder(nil, nil, nil, container.NewHBox(widget.Fixed(p.mask(&r.Mask), 170), remove), name)
	return widget.Column(6, first, pattern)
}

// mask is the choice of how a value is shown.
func (p *Page) mask(value *string) fyne.CanvasObject {
	all := masks()
	chosen := *value
	if chosen == "" {
		chosen = all[0]
	}
	if !slices.Contains(all, chosen) {
		all = append(all, chosen)
	}
	labels := make([]string, len(all))
	for i, m := range all {
		labels[i] = p.maskWords(m)
	}
	s := fyneui.NewSelect(labels, nil)
	s.SetSelectedIndex(slices.Index(all, chosen))
	s.OnChanged = func(string) {
		*value = all[s.SelectedIndex()]
		p.changed()
	}
	return s
}

func (p *Page) maskWords(mask string) string {
	w := p.kit.Words
	switch mask {
	case "full", "label":
		return w.T("privacy.mask." + mask)
	default:
		return w.T("privacy.mask.ends", "ends", mask)
	}
}
