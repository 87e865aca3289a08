package ui

import (
	"log/slog"
	"time"

	"fyne.io/fyne/v2"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/theme"
)

// Options are how the window is made; the zero value works.
type Options struct {
	// Log takes what goes wrong in the window; nil drops it.
	Log *slog.Logger
	// Hidden starts in the tray, if there is one.
	Hidden bool
	// TrayHost says that the desktop shows tray icons. Without one the window is
	// never hidden.
	TrayHost bool
	// Locale is the desktop's, such as "zh_CN.UTF-8", for the language "auto".
	Locale string
	// Version is shown in the settings.
	Version string
	// Now is the clock; nil is the real one.
	Now func() time.Time
	// Run puts work on the window's goroutine; nil is the toolkit's way.
	Run func(func())
}

func (o Options) filled() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Run == nil {
		o.Run = live.OnWindow
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// The keys of what is remembered from one start to the next.
const (
	prefLanguage = "language"
	prefLook     = "look"
	prefPage     = "page"
	prefWidth    = "width"
	prefHeight   = "height"
	prefTold     = "told_about_tray"
	prefWelcomed = "welcomed"
)

const auto = "auto"

func languages() []string { return []string{auto, string(bridge.Chinese), string(bridge.English)} }

func looks() []string {
	return []string{string(theme.System), string(theme.Light), string(theme.Dark)}
}

// choice is what a person chose before, if it is still one of the choices.
func choice(p fyne.Preferences, key string, all []string) string {
	chosen := p.String(key)
	for _, c := range all {
		if c == chosen {
			return c
		}
	}
	return all[0]
}

func language(chosen, locale string) bridge.Language {
	if chosen == auto {
		return i18n.Parse(locale)
	}
	return bridge.Language(chosen)
}
