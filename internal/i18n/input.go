package i18n

import (
	"strings"

	"switchboard/internal/bridge"
)

// Input names a variable of an agent: by its label, and by its name where that is
// another.
func Input(lang bridge.Language, in bridge.Input) string {
	if in.Label == "" || in.Label == in.Name {
		return in.Name
	}
	return Text(lang, "input.name", "label", in.Label, "name", in.Name)
}

// InputTrouble says what is wrong with the value of a variable, "" when nothing is.
func InputTrouble(lang bridge.Language, v bridge.InputValue) string {
	if v.Trouble == "" {
		return ""
	}
	return Text(lang, "input.trouble."+string(v.Trouble), "name", Input(lang, v.Input), "value", v.Text,
		"options", strings.Join(v.Input.Options, Text(lang, "ui.list.separator")), "most", v.Input.MaxLength)
}
