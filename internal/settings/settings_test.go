package settings_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/privacy"
	"switchboard/internal/router"
	"switchboard/internal/settings"
)

func known() settings.Known {
	return settings.Known{
		AgentKinds: []string{"dify", "echo"}, KeylessKinds: []string{"echo"}, CheckMasks: checkMasks, CheckRoutes: checkRoutes,
		Connectors: []bridge.Connector{{
			Platform: "lamp",
			Modes:    []bridge.Mode{{ID: "wire", Webhook: true, Capabilities: bridge.Capabilities{MonthlyCalls: 9}}, {ID: "radio", Listens: true, Capabilities: bridge.Capabilities{MonthlyPushes: 9}}},
			Form: []bridge.Field{
				{Key: "app_id", Required: true},
				{Key: "number", Number: true},
				{Key: "base_url", Default: "https://lamp.example"},
				{Key: "code", Check: func(v string) error {
					if v != "right" {
						return errors.New("wrong code")
					}
					return nil
				}},
				{Key: "app_secret", Secret: true, Required: true},
			},
		}},
	}
}

func checkMasks(off []string, custom []bridge.MaskRule) error {
	rules := privacy.Rules{Custom: custom}
	for _, name := range off {
		rules.Off = append(rules.Off, privacy.Rule(name))
	}
	_, err := privacy.New(rules)
	return err
}

func checkRoutes(rules []any, agents, bots []string) (all []settings.RouteMistake) {
	_, mistakes := router.ParseRules(rules, router.Known{Agents: agents, Bots: bots})
	for _, m := range mistakes {
		all = append(all, settings.RouteMistake(m))
	}
	return all
}

func TestWholeFile(t *testing.T) {
	t.Parallel()
	s, problems := settings.Parse([]byte(`
server: {listen: "0.0.0.0:80", public_url: "https://x.example/"}
language: zh-CN
agents:
  - {id: help, kind: dify, base_url: "https://api.example/v1", max_concurrent: 3, timeout: 90s}
bots:
  - {id: one, platform: lamp, settings: {app_id: a, number: 7, code: right}}
  - {id: two, platform: lamp, mode: radio, agent: help, admission: approval, group: thread, allow: {departments: [人事部], chats: [c1]}, settings: {app_id: b, number: "8"}}
routes:
  - {when: {keyword: 7, hours: "Mon-Fri 09:00-18:00"}, agent: help}
people: {default_role: guest, allowed_agents: {guest: [help], member: []}}
privacy:
  mask_answers: false
  content_days: 30
  record_days: 0
  off: [passport, licence_plate]
  custom:
    - {name: 工号, pattern: 'EMP\d{6}', mask: "3+2"}
    - {name: desk, pattern: ' D\d+ '}
engine: {stale_after: 30m, streaming: economy}
log: {level: debug}
secrets: {bot/one/app_secret: "env:X", agent/help/api_key: keyring}
`), known())
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	want := settings.Default()
	want.Server.Listen, want.Server.PublicURL, want.Language = "0.0.0.0:80", "https://x.example", "zh-CN"
	want.Agents = []settings.Agent{{ID: "help", Kind: "dify", BaseURL: "https://api.example/v1", MaxConcurrent: 3, Timeout: 90 * time.Second}}
	want.Bots = []settings.Bot{
		{ID: "one", Platform: "lamp", Mode: "wire", Agent: "help", Settings: map[string]string{"app_id": "a", "number": "7", "code": "right", "base_url": "https://lamp.example"}},
		{ID: "two", Platform: "lamp", Mode: "radio", Agent: "help", Admission: "approval", Group: "thread", Allow: settings.Allow{Chats: []string{"c1"}, Departments: []string{"人事部"}}, Settings: map[string]string{"app_id": "b", "number": "8", "base_url": "https://lamp.example"}},
	}
	want.Routes = []any{map[string]any{"when": map[string]any{"keyword": 7, "hours": "Mon-Fri 09:00-18:00"}, "agent": "help"}}
	want.People = settings.People{DefaultRole: "guest", SelfLink: true, AllowedAgents: map[bridge.Role][]string{"guest": {"help"}, "member": {}}}
	want.Privacy.MaskAnswers, want.Privacy.Off = false, []string{"passport", "licence_plate"}
	want.Privacy.Custom = []bridge.MaskRule{{Name: "工号", Pattern: `EMP\d{6}`, Mask: "3+2"}, {Name: "desk", Pattern: ` D\d+ `}}
	want.Privacy.ContentDays, want.Privacy.RecordDays, want.Log.Level = 30, 0, "debug"
	want.Engine.StaleAfter, want.Engine.Streaming = 30*time.Minute, "economy"
	want.Secrets = map[string]string{"bot/one/app_secret": "env:X", "agent/help/api_key": "keyring"}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	if s.Reference("bot/one/app_secret") != "env:X" || s.Reference("bot/two/app_secret") != "keyring" {
		t.Error("references")
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, want string
		fatal            bool
	}{
		{"not YAML", "a: [", "line 1: this is not valid YAML", true},
		{"not a mapping", "- a", "line 1:  should hold “key: value” lines", true},
		{"mistyped", "language: en\nserver:\n  listn: x", "line 3: “listn” is not a setting here; did you mean “listen”?", true},
		{"unknown", "zzzzzzzzzz: 1", "line 1: “zzzzzzzzzz” is not a setting here; known are: agents,", true},
		{"twice", "language: en\nlanguage: zh-CN", "line 2: “language” is written twice", true},
		{"number", "limits: {per_person_per_day: lots}", "line 1: limits.per_person_per_day should be a whole number", true},
		{"allowance of a stranger", "budgets: {lamb: {calls: 1}}", "line 1: “lamb” is not a setting here; did you mean “lamp”?", true},
		{"allowance not kept", "budgets: {lamp: {requests: 1}}", "“requests” is not a setting here; known are: calls, pushes", true},
		{"negative allowance", "budgets: {ngrok: {requests: -1}}", "line 1: budgets.ngrok.requests should be a whole number", true},
		{"none at a time", "agents: [{id: a, kind: echo, max_concurrent: 0}]", "line 1: agents[0].max_concurrent should be a whole number, 1 or more", true},
		{"fewer at a time", "agents: [{id: a, kind: echo, max_concurrent: -1}]", "line 1: agents[0].max_concurrent should be a whole number", true},
		{"negative", "limits: {per_person_per_day: -1}", "line 1: limits.per_person_per_day should be a whole number", true},
		{"bool", "privacy: {store_content: perhaps}", "line 1: privacy.store_content should be true or false", true},
		{"no such rule", "privacy:\n  off: [mobile,\n    fax]", "line 3: privacy.off[1]: There is no built-in privacy rule called “fax”", true},
		{"rules off", "privacy: {off: mobile}", "line 1: privacy.off should be a list", true},
		{"bad pattern", "privacy:\n  custom:\n    - {name: a, pattern: x}\n    - {name: b, pattern: '('}", "line 4: privacy.custom[1]: The pattern of the rule “b” is not a regular expression", true},
		{"no pattern", "privacy:\n  custom:\n    - {name: a}", "line 3: privacy.custom[0]: The pattern of the rule “a” also fits an empty text", true},
		{"bad mask", "privacy:\n  custom:\n    - {name: a, pattern: x, mask: most}", "line 3: privacy.custom[0]: The rule “a” has a mask that we do not know: “most”", true},
		{"rule without name", "privacy:\n  custom:\n    - pattern: x", "line 3: privacy.custom[0]: A privacy rule has no usable name", true},
		{"rule twice", "privacy:\n  custom:\n    - {name: a, pattern: x}\n    - {name: a, pattern: y}", "line 4: privacy.custom[1]: There are two privacy rules called “a”", true},
		{"rule of ours", "privacy:\n  custom:\n    - {name: email, pattern: x}", "line 3: privacy.custom[0]: There are two privacy rules called “email”", true},
		{"mistyped rule", "privacy:\n  custom:\n    - {name: a, patern: x}", "line 3: “patern” is not a setting here; did you mean “pattern”?", true},
		{"days", "privacy: {content_days: 90d}", "line 1: privacy.content_days should be a whole number", true},
		{"level", "log: {level: loud}", "log.level: “loud” is not known; choose one of: debug, info, warn, error", true},
		{"duration", "engine: {session_ttl: 7 days}", "line 1: engine.session_ttl: “7 days” is not a duration", true},
		{"address", "server: {listen: here}", "line 1: server.listen: “here” is not an address", true},
		{"port", "server: {listen: \"127.0.0.1:99999\"}", "line 1: server.listen: “127.0.0.1:99999” is not an address", true},
		{"admin outside", "server: {admin: \"0.0.0.0:1\"}", "line 1: server.admin: “0.0.0.0:1” would be reachable from outside", true},
		{"route of no agent", "agents: [{id: a, kind: echo}]\nroutes:\n  - agent: a\n  - when: {keyword: x}\n    agent: b", "line 5: routes[1].agent: “b” is not one of a", true},
		{"route of a later bot", "routes:\n  - when:\n      bot: b\n    refuse: true\nagents: [{id: a, kind: echo}]\nbots: [{id: c, platform: lamp, settings: {app_id: x}}]", "line 3: routes[0].when.bot: “b” is not one of c", true},
		{"route without outcome", "routes:\n  - {refuse: true}\n  - {name: x}", "line 3: routes[1]: want one of agent, reply", true},
		{"route key twice", "routes:\n  - {refuse: true}\n  - {refuse: true, refuse: x}", "line 3: routes[1]: ", true},
		{"admission", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, admission: opne, settings: {app_id: x}}]", "bots[0].admission: “opne” is not known; choose one of: open, approval, closed", false},
		{"group", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, group: all, settings: {app_id: x}}]", "bots[0].group: “all” is not known; choose one of: shared, member, thread", false},
		{"allow", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, allow: {chat: [x]}, settings: {app_id: x}}]", "did you mean “chats”", false},
		{"inputs", "agents: [{id: a, kind: echo}]\nbots:\n  - {id: b, platform: lamp, settings: {app_id: x}, inputs: [city]}", "line 3: bots[0].inputs should hold", false},
		{"input", "agents: [{id: a, kind: echo}]\nbots:\n  - id: b\n    platform: lamp\n    settings: {app_id: x}\n    inputs:\n      city: [x]", "line 7: bots[0].inputs.city should be", false},
		{"input of a rule", "agents: [{id: a, kind: echo}]\nroutes:\n  - agent: a\n    inputs:\n      x: y\n      city: {z: 1}", "line 6: routes[0].inputs.city: want a text", true},
		{"inputs of a reply", "routes:\n  - reply: a\n    inputs: {x: y}", "line 3: routes[0].inputs: only a rule with an agent", true},
		{"allow nothing", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, allow: {departments: [x], chats: ['']}, settings: {app_id: x}}]", "bots[0].allow.chats[0] is missing", false},
		{"allowed agent", "people:\n  allowed_agents:\n    guest: [b]\nagents: [{id: a, kind: echo}]", "line 3: people.allowed_agents.guest[0]: there is no agent “b”", true},
		{"allowed agents of nobody", "people: {allowed_agents: {blocked: [a]}}", "“blocked” is not a setting here", true},
		{"allowed agents not told", "people: {allowed_agents: {guest: }}", "people.allowed_agents.guest is missing", true},
		{"routes no list", "routes: {bot: x}", "line 1: routes should be a list", true},
		{"agent without address", "agents: [{id: a, kind: dify}]", "line 1: agents[0].base_url is missing", true},
		{"agent of no kind", "agents: [{id: a, kind: hal}]", "agents[0].kind: “hal” is not known; choose one of: dify, echo", true},
		{"bad URL", "agents: [{id: a, kind: dify, base_url: \"ftp://x\"}]", "“ftp://x” is not a web address", true},
		{"id twice", "agents: [{id: a, kind: echo}, {id: a, kind: echo}]", "the id “a” is used twice", true},
		{"bad id", "agents: [{id: A B, kind: echo}]", "agents[0].id: “A B” cannot be an id", true},
		{"literal secret", "secrets:\n  agent/a/api_key: app-hunter2", "line 2: secrets.agent/a/api_key: a secret must not stand in this file", true},
		{"mistyped secret of an agent", "agents: [{id: a, kind: dify, base_url: \"https://x.example\"}]\nsecrets:\n  agent/a/apikey: env:X", "line 3: “agent/a/apikey” is not a setting here; did you mean “agent/a/api_key”?", true},
		{"secret of nothing", "secrets:\n  bots/gone/app_secret: env:X\n  bot/gone/app_secret: env:X\n  agent/gone/api_key: env:X", "line 2: “bots/gone/app_secret” is not a setting here", true},
		{"mistyped secret of a bot", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x}}]\nsecrets:\n  bot/b/app_secert: env:X", "line 4: “bot/b/app_secert” is not a setting here; did you mean “bot/b/app_secret”?", false},
		{"secret twice", "secrets:\n  tunnel/authtoken: env:X\n  tunnel/authtoken: env:Y", "line 3: “tunnel/authtoken” is written twice", true},
		{"setting twice", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x, app_id: y}}]", "line 2: “app_id” is written twice", false},
		{"another database", "database: mysql://x/y", "line 1: database should be empty", true},
		{"file as database", "database: data.db", "line 1: database should be empty", true},
		{"password in the address", "language: en\ndatabase: postgres://me:hunter2@x/y", "line 2: database holds a password", true},
		{"password behind the address", "database: postgres://me@x/y?password=hunter2", "under secrets as database/password", true},
		{"bot without id", "bots: [{platform: lamp}]", "bots[0].id is missing", true},
		{"secret among settings", "agents: [{id: a, kind: echo}]\nbots:\n  - {id: b, platform: lamp, settings: {app_id: x, app_secret: hunter2}}", "line 3: bots[0].settings.app_secret is a secret", false},
		{"missing setting", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp}]", "line 2: bots[0].settings.app_id is missing", false},
		{"wrong number", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x, number: seven}}]", "bots[0].settings.number should be a whole number", false},
		{"own check", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x, code: y}}]", "bots[0].settings.code: wrong code", false},
		{"unknown setting", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x, colour: y}}]", "“colour” is not a setting here", false},
		{"unknown platform", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: torch}]", "bots[0].platform: “torch” is not known; choose one of: lamp", false},
		{"unknown mode", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, mode: smoke}]", "choose one of: wire, radio", false},
		{"no agent", "agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, agent: c, settings: {app_id: x}}]", "there is no agent “c”", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, problems := settings.Parse([]byte(c.text), known())
			text := problems.Text(bridge.English)
			if !strings.Contains(text, c.want) || strings.Contains(text, "hunter2") {
				t.Errorf("got %q, want %q", text, c.want)
			}
			if fatal := len(problems.Fatal()) > 0; fatal != c.fatal {
				t.Errorf("fatal: %v", fatal)
			}
			if !c.fatal && (len(s.Bots) != 1 || len(s.Bots[0].Broken) == 0) {
				t.Errorf("the bot is not marked as broken: %+v", s.Bots)
			}
			if zh := problems.Text(bridge.Chinese); !strings.Contains(zh, "行：") || strings.Contains(zh, "settings.want") {
				t.Errorf("in Chinese: %q", zh)
			}
		})
	}
}

// TestOneWrongRule: a mistake in one rule is told once and hides no other one.
func TestOneWrongRule(t *testing.T) {
	t.Parallel()
	s, problems := settings.Parse([]byte("privacy:\n  custom:\n    - {name: a, pattern: '('}\n    - {name: b, pattern: x}\n    - {name: c, pattern: ')'}\n"), known())
	if len(problems) != 2 || problems[0].Line != 3 || problems[1].Line != 5 {
		t.Errorf("problems %v", problems)
	}
	if want := []bridge.MaskRule{{Name: "b", Pattern: "x"}}; cmp.Diff(want, s.Privacy.Custom) != "" {
		t.Errorf("rules %+v", s.Privacy.Custom)
	}
}

// TestOneBrokenBotLeavesTheOther keeps a mistake where it was made.
func TestOneBrokenBotLeavesTheOther(t *testing.T) {
	t.Parallel()
	s, problems := settings.Parse([]byte("agents: [{id: a, kind: echo}]\nbots:\n  - {id: good, platform: lamp, settings: {app_id: x}}\n  - {id: bad, platform: lamp}\n"), known())
	if len(problems) != 1 || len(problems.Fatal()) != 0 || len(s.Bots[0].Broken) != 0 || len(s.Bots[1].Broken) != 1 {
		t.Errorf("%v, %+v", problems, s.Bots)
	}
}

// TestAdminOutside: with a token of the admin's choice it may be reached.
func TestAdminOutside(t *testing.T) {
	t.Parallel()
	s, problems := settings.Parse([]byte("server: {admin: \"0.0.0.0:1\"}\nsecrets: {server/admin_token: \"env:X\"}"), known())
	if len(problems) != 0 || s.Server.Admin != "0.0.0.0:1" {
		t.Error(problems, s.Server)
	}
}

func TestNoFile(t *testing.T) {
	t.Parallel()
	s, problems, err := settings.Load(filepath.Join(t.TempDir(), "none.yaml"), known())
	if diff := cmp.Diff(settings.Default(), s); err != nil || len(problems) != 0 || diff != "" {
		t.Error(err, problems, diff)
	}
}

// TestRoleLimits: a role has the limits of everybody but for those that are
// written, of which 0 is none.
func TestRoleLimits(t *testing.T) {
	t.Parallel()
	s, problems := settings.Parse([]byte("limits:\n  roles: {guest: {per_person_per_day: 10}, admin: {per_person_per_minute: 0}}\n  per_person_per_minute: 6\n  tokens_per_person_per_day: 7\n"), known())
	if len(problems) > 0 {
		t.Fatal(problems.Text(bridge.English))
	}
	for role, want := range map[bridge.Role]settings.Limits{
		bridge.RoleGuest:  {PerMinute: 6, PerDay: 10, TokensPerDay: 7},
		bridge.RoleAdmin:  {PerMinute: 0, TokensPerDay: 7},
		bridge.RoleMember: {PerMinute: 6, TokensPerDay: 7},
	} {
		if diff := cmp.Diff(want, s.Limits.Of(role)); diff != "" {
			t.Errorf("%s: %s", role, diff)
		}
	}
	_, problems = settings.Parse([]byte("limits:\n  roles:\n    guest: {per_person_per_day: -1}\n    blocked: {}\n"), known())
	if len(problems.Fatal()) != 2 || problems[0].Line != 3 || problems[1].Line != 4 {
		t.Error(problems.Text(bridge.English))
	}
}

func FuzzParse(f *testing.F) {
	f.Add("agents: [{id: a, kind: echo}]\nbots: [{id: b, platform: lamp, settings: {app_id: x}}]\nsecrets: {a: env:B}")
	f.Add("server: {listen: [1]}\nbots: {a: 1}\nlimits: &x {a: *x}")
	f.Fuzz(func(t *testing.T, text string) {
		_, problems := settings.Parse([]byte(text), known())
		for _, p := range problems {
			if p.Line < 1 || strings.HasPrefix(p.Text(bridge.English), "settings.") {
				t.Errorf("%+v", p)
			}
		}
	})
}
