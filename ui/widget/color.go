package widget

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"switchboard/assets"
	"switchboard/internal/bridge"
)

// Themed is a colour that is looked up when it is painted, so that a change of
// theme reaches it.
func Themed(name fyne.ThemeColorName) func() color.Color {
	return func() color.Color { return theme.Color(name) }
}

// Tint is a platform's colour.
func Tint(p bridge.Platform) func() color.Color {
	return func() color.Color { return assets.Tint(string(p)) }
}

// Mix blends two colours; share is how much of the first one there is.
func Mix(a, b func() color.Color, share float64) func() color.Color {
	return func() color.Color {
		ca, cb := nrgba(a()), nrgba(b())
		blend := func(x, y uint8) uint8 { return uint8(float64(x)*share + float64(y)*(1-share) + 0.5) }
		return color.NRGBA{blend(ca.R, cb.R), blend(ca.G, cb.G), blend(ca.B, cb.B), 0xFF}
	}
}

func nrgba(c color.Color) color.NRGBA {
	n, _ := color.NRGBAModel.Convert(c).(color.NRGBA)
	return n
}
