package settings_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/settings"
)

func TestPrints(t *testing.T) {
	t.Parallel()
	const file = "language: en\nbots:\n  - {id: a, agent: one, settings: {app_id: x1}}\n  - {id: b, agent: one}\nroutes:\n  - {name: late, when: {hours: x}}\nlist: [p, q]\n"
	for _, c := range []struct {
		name, after string
		want        []string
	}{
		{"nothing", file, nil},
		{"a comment and the order", "# hello\n" + strings.Replace(file, "language: en\n", "", 1) + "language: en\n", nil},
		{"a value", strings.Replace(file, "app_id: x1", "app_id: x2", 1), []string{"bots.a.settings.app_id"}},
		{"taken away", strings.Replace(file, "language: en\n", "", 1), []string{"language"}},
		{"added in front", strings.Replace(file, "  - {id: a,", "  - {id: z, agent: q}\n  - {id: a,", 1), []string{"bots.z.agent", "bots.z.id"}},
		{"a rule", strings.Replace(file, "hours: x", "hours: y", 1), []string{"routes.late.when.hours"}},
		{"by number", strings.Replace(file, "[p, q]", "[p, r, s]", 1), []string{"list.2", "list.3"}},
		{"broken", "a: [", []string{"", "bots.a.agent", "bots.a.id", "bots.a.settings.app_id", "bots.b.agent", "bots.b.id", "language", "list.1", "list.2", "routes.late.name", "routes.late.when.hours"}},
	} {
		if diff := cmp.Diff(c.want, settings.ChangedKeys(settings.Prints([]byte(file)), settings.Prints([]byte(c.after)))); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	for key, value := range settings.Prints([]byte("a: secret-looking-value\n")) {
		if key != "a" || strings.Contains(value, "secret") || len(value) != 16 {
			t.Errorf("%s: %s", key, value)
		}
	}
}
