package app_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// TestListedSecret: an optional secret may be missing, but not where the settings
// say that there is one: the admin relies on it, as on the key that a platform's
// messages are encrypted with.
func TestListedSecret(t *testing.T) {
	t.Parallel()
	const listed = "bot/fs/encrypt_key"
	for name, c := range map[string]struct {
		extra  string
		broken bool
	}{
		"not listed":        {"", false},
		"listed and there":  {"file:key", false},
		"no such file":      {"file:none", true},
		"no such variable":  {"env:SB_TEST_NO_SUCH_KEY", true},
		"an empty variable": {"env:SB_TEST_EMPTY_KEY", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			text := "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nagents: [{id: help, kind: echo}]\n" +
				"bots: [{id: fs, platform: feishu, mode: webhook, agent: help, settings: {app_id: cli_x}}]\nsecrets:\n"
			for _, key := range []string{"app_secret", "verification_token", "encrypt_key"} {
				if err := os.WriteFile(filepath.Join(data, key), []byte("s3cret-"+key+"\n"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, key := range []string{"app_secret", "verification_token"} {
				text += fmt.Sprintf("  bot/fs/%s: %q\n", key, "file:"+filepath.Join(data, key))
			}
			if c.extra != "" {
				text += fmt.Sprintf("  %s: %q\n", listed, strings.Replace(c.extra, "file:", "file:"+data+"/encrypt_", 1))
			}
			write(t, data, text)
			opt := app.Options{Data: data, Log: slog.New(slog.DiscardHandler)}
			a, err := app.Open(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			said := fmt.Sprint(a.Notices(bridge.English))
			if err := a.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if broken := strings.Contains(said, "bot_broken fs"); broken != c.broken || broken && !strings.Contains(said, listed) {
				t.Errorf("broken %t: %s", broken, said)
			}
			all, err := app.Secrets(t.Context(), opt)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range all {
				if wanted := s.Name != listed || c.extra != ""; s.Required != wanted || s.Name == listed && (s.Err != nil) != (c.broken || c.extra == "") {
					t.Errorf("listed as %+v", s)
				}
			}
		})
	}
}
