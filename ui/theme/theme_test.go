package theme_test

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"switchboard/assets"
	"switchboard/ui/theme"
)

func TestContrast(t *testing.T) { //nolint:paralleltest // the toolkit makes its own theme on one goroutine
	surfaces := []fyne.ThemeColorName{fynetheme.ColorNameBackground, fynetheme.ColorNameOverlayBackground, fynetheme.ColorNameHeaderBackground, fynetheme.ColorNameInputBackground}
	texts := []fyne.ThemeColorName{fynetheme.ColorNameForeground, fynetheme.ColorNamePlaceHolder, fynetheme.ColorNamePrimary, fynetheme.ColorNameSuccess, fynetheme.ColorNameWarning, fynetheme.ColorNameError}
	on := map[fyne.ThemeColorName]fyne.ThemeColorName{
		fynetheme.ColorNameForegroundOnPrimary: fynetheme.ColorNamePrimary, fynetheme.ColorNameForegroundOnError: fynetheme.ColorNameError,
		fynetheme.ColorNameForegroundOnSuccess: fynetheme.ColorNameSuccess, fynetheme.ColorNameForegroundOnWarning: fynetheme.ColorNameWarning,
		fynetheme.ColorNameForeground: fynetheme.ColorNameButton,
	}
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		th := theme.New(mode)
		at := func(n fyne.ThemeColorName) color.Color { return th.Color(n, fynetheme.VariantLight) }
		for _, s := range surfaces {
			for _, text := range texts {
				if c := contrast(at(text), at(s)); c < 4.5 {
					t.Errorf("%s: %s on %s has a contrast of %.1f", mode, text, s, c)
				}
			}
		}
		for text, ground := range on {
			if c := contrast(at(text), at(ground)); c < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.1f", mode, text, ground, c)
			}
		}
	}
}

func TestTintsCarryWhiteLetters(t *testing.T) {
	t.Parallel()
	for _, p := range []string{"feishu", "wecom", "dingtalk", "other"} {
		if c := contrast(color.White, assets.Tint(p)); c < 3 { // large bold letters
			t.Errorf("%s: white has a contrast of %.1f", p, c)
		}
	}
}

func TestMode(t *testing.T) { //nolint:paralleltest // as TestContrast
	ground := func(m theme.Mode, v fyne.ThemeVariant) color.Color {
		return theme.New(m).Color(fynetheme.ColorNameBackground, v)
	}
	light, dark := ground(theme.Light, fynetheme.VariantDark), ground(theme.Dark, fynetheme.VariantLight)
	if light == dark {
		t.Fatal("light and dark are the same")
	}
	if ground(theme.System, fynetheme.VariantLight) != light || ground(theme.System, fynetheme.VariantDark) != dark {
		t.Error("system does not follow the desktop")
	}
	if ground("unheard of", fynetheme.VariantDark) != dark {
		t.Error("an unknown mode does not follow the desktop")
	}
}

func TestFont(t *testing.T) {
	t.Parallel()
	th := theme.New(theme.Light)
	for want, style := range map[string]fyne.TextStyle{
		"NotoSansSC-Regular.otf": {Italic: true}, "NotoSansSC-Bold.otf": {Bold: true}, "NotoSansMono-Latin.otf": {Monospace: true, Bold: true},
	} {
		if got := th.Font(style).Name(); got != want {
			t.Errorf("%+v: got %s, want %s", style, got, want)
		}
	}
}

func contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// luminance is the relative luminance of WCAG 2.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	lin := func(v uint32) float64 {
		s := float64(v) / 0xFFFF
		if s <= 0.03928 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}
