package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"switchboard/assets"
)

// Mode chooses between light and dark.
type Mode string

// The modes. System follows the desktop.
const (
	System Mode = "system"
	Light  Mode = "light"
	Dark   Mode = "dark"
)

// Theme wraps the toolkit's own theme: what it does not know comes from there.
type Theme struct {
	fyne.Theme
	mode                Mode
	regular, bold, mono fyne.Resource
}

// New makes a theme; an unknown mode follows the desktop.
func New(mode Mode) *Theme {
	return &Theme{
		Theme:   theme.DefaultTheme(),
		mode:    mode,
		regular: fyne.NewStaticResource("NotoSansSC-Regular.otf", assets.Regular()),
		bold:    fyne.NewStaticResource("NotoSansSC-Bold.otf", assets.Bold()),
		mono:    fyne.NewStaticResource("NotoSansMono-Latin.otf", assets.Mono()),
	}
}

// Color returns our colour of a name, or the toolkit's.
func (t *Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	switch t.mode {
	case Light:
		variant = theme.VariantLight
	case Dark:
		variant = theme.VariantDark
	case System:
	}
	colors := light()
	if variant == theme.VariantDark {
		colors = dark()
	}
	if c, ok := colors[name]; ok {
		return c
	}
	return t.Theme.Color(name, variant)
}

// Font returns our face of a style. There is no italic Chinese; italics stand
// upright.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource {
	switch {
	case style.Symbol:
		return t.Theme.Font(style)
	case style.Monospace:
		return t.mono
	case style.Bold:
		return t.bold
	default:
		return t.regular
	}
}

// Size returns our size of a name, or the toolkit's.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	switch name {
	case theme.SizeNameText:
		return 14
	case theme.SizeNameCaptionText:
		return 12
	case theme.SizeNameSubHeadingText:
		return 17
	case theme.SizeNameHeadingText:
		return 22
	case theme.SizeNameInputRadius, theme.SizeNameSelectionRadius:
		return 7
	case theme.SizeNameScrollBarRadius:
		return 3
	case theme.SizeNameScrollBar:
		return 10
	case theme.SizeNameLineSpacing:
		return 4
	default:
		return t.Theme.Size(name)
	}
}
