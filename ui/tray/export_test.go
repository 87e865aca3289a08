package tray

// NewWith is New with another way to set the tooltip.
func NewWith(h Host, a Actions, tooltip func(string)) *Tray {
	t := New(h, a)
	t.label = func(_, text string) { tooltip(text) }
	return t
}
