package theme

import (
	"image/color"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"switchboard/assets"
)

// Every text colour has a contrast of at least 4.5:1 on the surfaces it is used
// on; a test computes it.

type palette = map[fyne.ThemeColorName]color.Color

var light = sync.OnceValue(func() palette { //nolint:gochecknoglobals // a memoised constant
	brand := assets.Hex("#0F6E78")
	return palette{
		theme.ColorNameBackground:          assets.Hex("#F4F6F7"),
		theme.ColorNameHeaderBackground:    assets.Hex("#E8EDEF"),
		theme.ColorNameOverlayBackground:   assets.Hex("#FFFFFF"),
		theme.ColorNameMenuBackground:      assets.Hex("#FFFFFF"),
		theme.ColorNameInputBackground:     assets.Hex("#EDF1F4"),
		theme.ColorNameInputBorder:         assets.Hex("#C3CDD4"),
		theme.ColorNameSeparator:           assets.Hex("#DCE3E7"),
		theme.ColorNameForeground:          assets.Hex("#17212B"),
		theme.ColorNamePlaceHolder:         assets.Hex("#566472"),
		theme.ColorNameDisabled:            assets.Hex("#8E9AA5"),
		theme.ColorNameButton:              assets.Hex("#D5DEE3"),
		theme.ColorNameDisabledButton:      assets.Hex("#E9EDEF"),
		theme.ColorNamePrimary:             brand,
		theme.ColorNameHyperlink:           brand,
		theme.ColorNameForegroundOnPrimary: color.White,
		theme.ColorNameSuccess:             assets.Hex("#19764A"),
		theme.ColorNameForegroundOnSuccess: color.White,
		theme.ColorNameWarning:             assets.Hex("#9A5200"),
		theme.ColorNameForegroundOnWarning: color.White,
		theme.ColorNameError:               assets.Hex("#C02537"),
		theme.ColorNameForegroundOnError:   color.White,
		theme.ColorNameHover:               fade(brand, 0x14),
		theme.ColorNamePressed:             fade(brand, 0x28),
		theme.ColorNameSelection:           fade(brand, 0x30),
		theme.ColorNameFocus:               fade(brand, 0x50),
		theme.ColorNameScrollBar:           fade(assets.Hex("#17212B"), 0x60),
		theme.ColorNameScrollBarBackground: color.Transparent,
		theme.ColorNameShadow:              fade(assets.Hex("#17212B"), 0x28),
	}
})

var dark = sync.OnceValue(func() palette { //nolint:gochecknoglobals // a memoised constant
	brand := assets.Hex("#45BDC4")
	ink := assets.Hex("#062326")
	return palette{
		theme.ColorNameBackground:          assets.Hex("#13181C"),
		theme.ColorNameHeaderBackground:    assets.Hex("#0E1216"),
		theme.ColorNameOverlayBackground:   assets.Hex("#1C2329"),
		theme.ColorNameMenuBackground:      assets.Hex("#232B32"),
		theme.ColorNameInputBackground:     assets.Hex("#11161A"),
		theme.ColorNameInputBorder:         assets.Hex("#3B4751"),
		theme.ColorNameSeparator:           assets.Hex("#2C363E"),
		theme.ColorNameForeground:          assets.Hex("#E8EDF0"),
		theme.ColorNamePlaceHolder:         assets.Hex("#9DABB6"),
		theme.ColorNameDisabled:            assets.Hex("#66737E"),
		theme.ColorNameButton:              assets.Hex("#2A343C"),
		theme.ColorNameDisabledButton:      assets.Hex("#222A31"),
		theme.ColorNamePrimary:             brand,
		theme.ColorNameHyperlink:           brand,
		theme.ColorNameForegroundOnPrimary: ink,
		theme.ColorNameSuccess:             assets.Hex("#4FC38B"),
		theme.ColorNameForegroundOnSuccess: ink,
		theme.ColorNameWarning:             assets.Hex("#F2AE49"),
		theme.ColorNameForegroundOnWarning: ink,
		theme.ColorNameError:               assets.Hex("#FF7A84"),
		theme.ColorNameForegroundOnError:   assets.Hex("#2B0508"),
		theme.ColorNameHover:               fade(brand, 0x18),
		theme.ColorNamePressed:             fade(brand, 0x30),
		theme.ColorNameSelection:           fade(brand, 0x38),
		theme.ColorNameFocus:               fade(brand, 0x60),
		theme.ColorNameScrollBar:           fade(color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}, 0x60),
		theme.ColorNameScrollBarBackground: color.Transparent,
		theme.ColorNameShadow:              fade(color.NRGBA{A: 0xFF}, 0x70),
	}
})

func fade(c color.NRGBA, alpha uint8) color.Color {
	c.A = alpha
	return c
}
