package ui

import (
	"embed"

	"fyne.io/fyne/v2/lang"

	"switchboard/internal/bridge"
)

// The toolkit has words of its own, such as Copy and Paste in the menu of a
// text box. It takes them from the desktop's language and knows no other way,
// so the chosen language is handed to it under the desktop's name.

//go:embed toolkit
var toolkit embed.FS

// speak makes the toolkit speak a language too. Without its words it speaks
// English, which is no reason to stop.
func speak(l bridge.Language) {
	name := "toolkit/en.json"
	if l == bridge.Chinese {
		name = "toolkit/zh.json"
	}
	if words, err := toolkit.ReadFile(name); err == nil {
		_ = lang.AddTranslationsForLocale(words, lang.SystemLocale())
	}
}
