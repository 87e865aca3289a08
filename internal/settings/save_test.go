package settings_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/privacy"
	"switchboard/internal/settings"
)

// TestRoundTrip: whatever is saved reads back as it was, into a new file and
// over one with other content.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	stamp := ""
	for n := range 150 {
		want := anySettings(rand.New(rand.NewPCG(uint64(n), 7)))
		want.Stamp = stamp
		saved, err := settings.Save(path, want, known())
		if err != nil {
			t.Fatalf("seed %d: %v", n, err)
		}
		got, problems, err := settings.Load(path, known())
		if err != nil || len(problems) != 0 {
			t.Fatalf("seed %d: %v, %v", n, problems, err)
		}
		if diff := cmp.Diff(saved, got); diff != "" {
			text, _ := os.ReadFile(path)
			t.Fatalf("seed %d: %s\n%s", n, diff, text)
		}
		stamp = got.Stamp
		if n%10 == 0 {
			stamp = ""
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// anySettings makes up settings without mistakes.
func anySettings(r *rand.Rand) settings.Settings {
	s := settings.Default()
	word := func(words ...string) string { return words[r.IntN(len(words))] }
	odd := func() string {
		return word("", "a", "007", "true", "null", "~", "1e3", "#no comment", "a: b", "- x", "中文 🙂", "'q'", `"d"`, "{x}", "[y]", "&a", "*a", "!t", "%p", "two\nlines", "tab\tin", "2001-01-01", "=")
	}
	some := func() bool { return r.IntN(2) == 0 }
	s.Server = settings.Server{Listen: word("127.0.0.1:0", "0.0.0.0:80", "[::1]:1"), Admin: word("127.0.0.1:8781", "localhost:1"), PublicURL: word("", "https://x.example", "http://y.example/z")}
	s.Tunnel = settings.Tunnel{Kind: word("none", "url", "ngrok"), Domain: odd(), Pooling: some()}
	s.Database, s.Language = word("", "postgres://x@y/z"), word("auto", "zh-CN", "en")
	for account, meters := range map[string][]bridge.Meter{"lamp": {bridge.MeterCalls, bridge.MeterPushes}, settings.TunnelAccount: {bridge.MeterRequests}} {
		for _, meter := range meters {
			if some() {
				continue
			}
			if s.Budgets[account] == nil {
				s.Budgets[account] = map[bridge.Meter]int{}
			}
			s.Budgets[account][meter] = r.IntN(1e6)
		}
	}
	for n := range 1 + r.IntN(3) {
		a := settings.Agent{ID: fmt.Sprintf("a%d", n), Kind: "echo", MaxConcurrent: 1 + r.IntN(9), Timeout: time.Duration(1+r.IntN(1e6)) * time.Second}
		if some() {
			a.Kind, a.BaseURL = "dify", "https://api.example/v1"
			a.Inputs = map[string]string{"x" + odd(): odd()}
		}
		a.NameConversations = some()
		s.Agents = append(s.Agents, a)
	}
	for n := range r.IntN(4) {
		b := settings.Bot{
			ID: fmt.Sprintf("b%d", r.IntN(2)*10+n), Platform: "lamp", Mode: bridge.ModeID(word("wire", "radio")), Agent: s.Agents[r.IntN(len(s.Agents))].ID,
			Settings: map[string]string{"app_id": "x" + odd(), "base_url": word("https://lamp.example", "http://other")},
		}
		if some() {
			b.Settings["number"] = fmt.Sprint(r.IntN(1e6))
		}
		b.Admission, b.Group = word("", "open", "approval", "closed"), word("", "shared", "member", "thread")
		if some() {
			b.Inputs = map[string]string{"x" + odd(): odd()}
		}
		for range r.IntN(3) {
			b.Allow.Chats = append(b.Allow.Chats, "c"+odd())
		}
		if some() {
			b.Allow.Departments = []string{"人事部"}
		}
		s.Bots = append(s.Bots, b)
		s.Secrets[settings.BotSecret(b.ID, "app_secret")] = word("keyring", "env:X", "file:/a b/#c", "credential:k")
	}
	s.People = settings.People{DefaultRole: bridge.Role(word("member", "guest", "admin", "blocked")), SelfLink: some(), AutoLink: some()}
	for _, role := range []bridge.Role{bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest} {
		if some() {
			continue
		}
		if s.People.AllowedAgents == nil {
			s.People.AllowedAgents = map[bridge.Role][]string{}
		}
		s.People.AllowedAgents[role] = []string{}
		for range r.IntN(3) {
			s.People.AllowedAgents[role] = append(s.People.AllowedAgents[role], s.Agents[r.IntN(len(s.Agents))].ID)
		}
	}
	for n := range r.IntN(4) {
		s.Routes = append(s.Routes, map[string]any{"name": "r" + odd(), "when": map[string]any{"keyword": []any{"k" + odd(), n}, "role": "guest"}, "reply": "x" + odd()})
	}
	s.Privacy = bridge.Privacy{MaskAnswers: some(), MaskToAgent: some(), StoreContent: some(), ContentDays: r.IntN(3), RecordDays: r.IntN(1e3)}
	s.Log.Level = word("debug", "info", "warn", "error")
	for _, rule := range privacy.BuiltIn() {
		if r.IntN(5) == 0 {
			s.Privacy.Off = append(s.Privacy.Off, string(rule))
		}
	}
	for n := range r.IntN(4) {
		s.Privacy.Custom = append(s.Privacy.Custom, bridge.MaskRule{
			Name: fmt.Sprintf("规则%d", r.IntN(2)*10+n), Pattern: word(" x", "x ", `\d+`, "'q'", `"d"`, "a: b", "#x", "null", "007", "a\nb", "{x}", `\\`, "~"), Mask: word("", "full", "label", "3+4", "0+0"),
		})
	}
	s.Limits = settings.Limits{PerMinute: r.IntN(3), PerDay: r.IntN(1e6), TokensPerDay: r.IntN(1e9)}
	for _, role := range []bridge.Role{bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest} {
		if some() {
			continue
		}
		if s.Limits.Roles == nil {
			s.Limits.Roles = map[bridge.Role]settings.RoleLimits{}
		}
		s.Limits.Roles[role] = settings.RoleLimits{PerDay: maybe(r), TokensPerDay: maybe(r)}
	}
	s.Engine = settings.Engine{
		StaleAfter: time.Duration(1+r.IntN(1e9)) * time.Millisecond, SessionTTL: time.Duration(1+r.IntN(500)) * time.Hour, Streaming: word("auto", "smooth", "economy", "off"),
	}
	return s
}

// TestLastOneGoes: a comment behind a key does not spoil the file when nothing is
// left below the key.
func TestLastOneGoes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	text := "agents: # ours\n  - {id: help, kind: echo}\n# about secrets\nsecrets: # theirs\n  agent/help/api_key: env:X\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _, err := settings.Load(path, known())
	if err != nil {
		t.Fatal(err)
	}
	s.Agents, s.Secrets = nil, nil
	if _, err := settings.Save(path, s, known()); err != nil {
		t.Error(err)
	}
	saved, err := os.ReadFile(path)
	for _, comment := range []string{"# ours", "# about secrets", "# theirs"} {
		if err != nil || !strings.Contains(string(saved), comment) {
			t.Errorf("%s is gone from %s, %v", comment, saved, err)
		}
	}
	got, problems, err := settings.Load(path, known())
	if err != nil || len(problems) > 0 || len(got.Agents)+len(got.Secrets) > 0 {
		t.Errorf("reads back as %+v, %v, %v:\n%s", got, problems, err, saved)
	}
}

const byHand = `# ours, do not touch
language: en # for the team
server: {listen: "127.0.0.1:1"} # behind the proxy
agents:
  # the good one
  - {id: help, kind: echo} # slow
  - id: old
    kind: echo
bots:
  - id: one # main
    agent: help
    platform: lamp
    # asked for by HR
    settings: {app_id: 0007, number: 5}
  - {id: bad, platform: torch, settings: {colour: "red"}} # to do
routes:
  # first of all
  - {name: late, when: {outside_hours: Mon-Fri 09:00-18:00}, reply: "At nine."} # decided in May
  - name: gone too
    agent: help
  - when: {keyword: [salary]} # the third
    refuse: true
privacy:
  off: [passport] # we have none
  custom:
    # of the factory
    - {name: badge, pattern: "B\\d{4}", mask: full} # since May
    - name: gone
      pattern: G
    - {name: bad, pattern: ' x'}
secrets:
  bot/one/app_secret: env:A # from ops
  bot/gone/app_secret: env:B
`

// TestHandWritten: what a person wrote around the values stays.
func TestHandWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	if err := os.WriteFile(path, []byte(byHand), 0o644); err != nil {
		t.Fatal(err)
	}
	s, _, err := settings.Load(path, known())
	if err != nil {
		t.Fatal(err)
	}
	s.Language = "zh-CN"
	s.Agents = append(s.Agents[:1], settings.Agent{ID: "new", Kind: "echo", MaxConcurrent: 2, Timeout: 90 * time.Second})
	s.Privacy.Custom = append(s.Privacy.Custom[:1], bridge.MaskRule{Name: "bad", Pattern: "x"}, bridge.MaskRule{Name: "desk", Pattern: `D\d`})
	s.Routes = []any{s.Routes[2], s.Routes[0], map[string]any{"name": "another", "agent": "help"}}
	delete(s.Bots[0].Settings, "number")
	delete(s.Secrets, "bot/gone/app_secret")
	saved, err := settings.Save(path, s, known())
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	text := string(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# ours, do not touch\n", "language: zh-CN # for the team\n", "# behind the proxy", "# the good one\n", "# slow\n", "- id: one # main\n", "# asked for by HR\n",
		"app_id: 0007", `{id: bad, platform: torch, settings: {colour: "red"}} # to do`, "  - when: {keyword: [salary]} # the third\n    refuse: true\n  # first of all\n  - {name: late, when: {outside_hours: 'Mon-Fri 09:00-18:00'}, reply: \"At nine.\"} # decided in May\n", "name: another\n",
		"bot/one/app_secret: env:A # from ops\n", "id: new", "timeout: 1m30s",
		"off: [passport] # we have none\n", "# of the factory\n", `- {name: badge, pattern: "B\\d{4}", mask: full} # since May`, "{name: bad, pattern: 'x'}", "- name: desk\n      pattern: 'D\\d'\n",
		"stale_after: 2h\n", "session_ttl: 168h\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
	for _, gone := range []string{"id: old", "number", "bot/gone", "name: gone", "gone too"} {
		if strings.Contains(text, gone) {
			t.Errorf("%q is still there", gone)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
	if again, _, err := settings.Load(path, known()); err != nil || cmp.Diff(saved.Bots[0], again.Bots[0]) != "" || len(again.Bots[1].Broken) == 0 || again.Bots[1].Settings["colour"] != "red" {
		t.Errorf("read back %+v, %v", again.Bots, err)
	}
	if bak, err := os.ReadFile(path + ".bak"); err != nil || string(bak) != byHand {
		t.Errorf("the copy is %q, %v", bak, err)
	}
	for _, file := range []string{path, path + ".bak"} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Error(file, info.Mode(), err)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 2 {
		t.Error(left, err)
	}
	// Saving the same once more changes nothing.
	if _, err := settings.Save(path, saved, known()); err != nil {
		t.Fatal(err)
	}
	if twice, err := os.ReadFile(path); err != nil || string(twice) != text {
		t.Errorf("a second time it is %s", cmp.Diff(text, string(twice)))
	}
}

// TestSaveRefuses: nothing is lost that somebody else wrote, and nothing is
// written that could not be read again.
func TestSaveRefuses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.yaml")
	fresh, err := settings.Save(path, settings.Default(), known())
	if err != nil {
		t.Fatal(err)
	}
	changed := func(s settings.Settings) {
		t.Helper()
		before, _ := os.ReadFile(path)
		_, err := settings.Save(path, s, known())
		var e *bridge.Error
		if !errors.As(err, &e) || e.Code != "changed" || !strings.Contains(i18n.Explain(bridge.English, err).What, path) {
			t.Errorf("saved over somebody else's change: %v", err)
		}
		if after, _ := os.ReadFile(path); string(after) != string(before) {
			t.Error("the file changed all the same")
		}
	}
	changed(settings.Default()) // knows of no file
	if err := os.WriteFile(path, []byte("language: en\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	changed(fresh)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	changed(fresh) // somebody removed it
	wrong := settings.Default()
	wrong.Secrets["agent/a/api_key"] = "app-hunter2"
	var problems settings.Problems
	if _, err := settings.Save(path, wrong, known()); !errors.As(err, &problems) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a literal secret is %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("it was written")
	}
	bad := settings.Default()
	bad.Tunnel.Domain = "\xff"
	if _, err := settings.Save(path, bad, known()); err == nil {
		t.Error("took broken UTF-8")
	}
}

// FuzzSave saves whatever a file without mistakes holds over that file.
func FuzzSave(f *testing.F) {
	f.Add(byHand)
	f.Add("agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x}}]\nsecrets: {a: env:B}")
	f.Add("limits: &x {per_person_per_day: 1}\nserver:\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "s.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, problems, err := settings.Load(path, known())
		if err != nil || len(problems) > 0 {
			t.Skip()
		}
		saved, err := settings.Save(path, s, known())
		if err != nil {
			t.Fatal(err)
		}
		again, problems, err := settings.Load(path, known())
		if err != nil || len(problems) > 0 || cmp.Diff(saved, again) != "" {
			t.Errorf("%v, %v, %s", problems, err, cmp.Diff(saved, again))
		}
	})
}

func maybe(r *rand.Rand) *int {
	if n := r.IntN(5); n > 1 {
		return &n
	}
	return nil
}
