package i18n

import (
	"strings"

	"switchboard/internal/bridge"
)

// Budget names a monthly allowance by its account, which may have a host behind
// an @, and its meter.
func Budget(lang bridge.Language, account string, m bridge.Meter) string {
	name, host, elsewhere := strings.Cut(account, "@")
	if words, ok := Find(lang, "platform."+name); ok {
		name = words
	}
	if elsewhere {
		name += " (" + host + ")"
	}
	return Text(lang, "budget."+string(m), "account", name)
}
