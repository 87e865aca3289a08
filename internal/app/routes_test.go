package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/settings"
)

const handWritten = `agents: [{id: help, kind: echo}]
routes:
  # the works council asked for it
  - {name: pay, when: {keyword: [salary, 工资], role: member}, agent: help} # in May
  - when: {regexp: "^a,b", bot: demo-feishu, outside_hours: "Mon-Fri 09:00-18:00 UTC"}
    reply: We are back at nine.
  - {when: {department: Interns}, refuse: true}
  - {when: {prefix: rude}, refuse: "Please."}
  - {when: {keyword: human}, human: {for: 90m, bot: demo-wecom, chat: desk}}
  - {when: {keyword: people}, human: true}
  - {when: {chat: 7}, forward: {bot: demo-wecom, chat: accounting}}
  - {when: {person: Li}, intent: help}
`

// TestRoutesAreEdited: an editor sees every form in which rules are written,
// saves one more, and leaves the others as they stand in the file.
func TestRoutesAreEdited(t *testing.T) {
	t.Parallel()
	a, ctx, sim := onSimulator(t, handWritten)
	condition := func(by string, values ...string) bridge.RouteCondition {
		return bridge.RouteCondition{By: by, Values: values}
	}
	want := []bridge.Route{
		{Name: "pay", When: []bridge.RouteCondition{condition("keyword", "salary", "工资"), condition("role", "member")}, Then: bridge.RouteOutcome{Kind: "agent", Agent: "help"}},
		{
			When: []bridge.RouteCondition{condition("bot", "demo-feishu"), condition("outside_hours", "Mon-Fri 09:00-18:00 UTC"), condition("regexp", "^a,b")},
			Then: bridge.RouteOutcome{Kind: "reply", Text: "We are back at nine."},
		},
		{When: []bridge.RouteCondition{condition("department", "Interns")}, Then: bridge.RouteOutcome{Kind: "refuse"}},
		{When: []bridge.RouteCondition{condition("prefix", "rude")}, Then: bridge.RouteOutcome{Kind: "refuse", Text: "Please."}},
		{When: []bridge.RouteCondition{condition("keyword", "human")}, Then: bridge.RouteOutcome{Kind: "human", For: 90 * time.Minute, Bot: "demo-wecom", Chat: "desk"}},
		{When: []bridge.RouteCondition{condition("keyword", "people")}, Then: bridge.RouteOutcome{Kind: "human", For: 30 * time.Minute}},
		{When: []bridge.RouteCondition{condition("chat", "7")}, Then: bridge.RouteOutcome{Kind: "forward", Bot: "demo-wecom", Chat: "accounting"}},
		{When: []bridge.RouteCondition{condition("person", "Li")}, Then: bridge.RouteOutcome{Kind: "intent", Command: "help"}},
	}
	if diff := cmp.Diff(want, a.Routes()); diff != "" {
		t.Fatal(diff)
	}
	p := sim.Employees()[0].Platforms[0]
	if got := answered(t, ctx, sim, p, "opening times?"); !strings.Contains(got, "opening times?") {
		t.Errorf("before: %q", got)
	}
	added := bridge.Route{Name: "new", When: []bridge.RouteCondition{condition("keyword", "opening")}, Then: bridge.RouteOutcome{Kind: "reply", Text: "Nine to six."}}
	changed := append([]bridge.Route{added}, want...)
	changed[5].Then.For = time.Hour
	if err := a.SaveRoutes(ctx, changed); err != nil {
		t.Fatal(err)
	}
	if got := answered(t, ctx, sim, p, "opening times?"); got != "Nine to six." {
		t.Errorf("after: %q", got)
	}
	if diff := cmp.Diff(changed, a.Routes()); diff != "" {
		t.Error(diff)
	}
	file := filepath.Join(a.DataDir(), "switchboard.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, stays := range []string{"# the works council asked for it", "agent: help} # in May", "human: true", "{chat: 7}", "for: 1h\n"} {
		if !strings.Contains(string(text), stays) {
			t.Errorf("no %q in\n%s", stays, text)
		}
	}
	if _, problems, err := settings.Load(file, app.Known()); err != nil || len(problems.Fatal()) > 0 {
		t.Error(err, problems.Text(bridge.English))
	}
	audits(t, ctx, a, bridge.AuditSettings, "routes")
}

// TestRoutesWithMistakes: they are told where they are, and nothing is saved.
// pausing is a log that does something at a certain message.
type pausing struct {
	slog.Handler
	at string
	do func()
}

func (pausing) Enabled(context.Context, slog.Level) bool { return true }

func (p pausing) Handle(_ context.Context, r slog.Record) error {
	if r.Message == p.at {
		p.do()
	}
	return nil
}

func (p pausing) WithAttrs([]slog.Attr) slog.Handler { return p }

// TestRoutesAreShownWhileTheyAreSaved: the window asks for the rules while it paints,
// and must not wait for a disk or a database that is slow.
func TestRoutesAreShownWhileTheyAreSaved(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var a *app.App
	shown := make(chan struct{})
	log := pausing{slog.DiscardHandler, "the settings file is looked at anew next time", sync.OnceFunc(func() {
		go func() {
			defer close(shown)
			_, _ = a.Routes(), a.RouteChoices()
		}()
		select {
		case <-shown:
		case <-time.After(10 * time.Second):
			t.Error("the rules cannot be looked at while they are saved")
		}
	})}
	a, ctx := houseWith(t, data, "agents: [{id: help, kind: echo}]\n", func(o *app.Options) { o.Log = slog.New(log) })
	seen := filepath.Join(data, "settings.seen")
	if err := errors.Join(os.Remove(seen), os.Mkdir(seen, 0o700)); err != nil { // so that saving says a word halfway
		t.Fatal(err)
	}
	if err := a.SaveRoutes(ctx, nil); err != nil {
		t.Fatal(err)
	}
	<-shown
}

func TestRoutesWithMistakes(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "agents: [{id: help, kind: echo}]\n")
	wrong := []bridge.Route{
		{When: []bridge.RouteCondition{{By: "keyword", Values: []string{"x"}}}, Then: bridge.RouteOutcome{Kind: "agent", Agent: "help"}},
		{When: []bridge.RouteCondition{{By: "keyword"}, {By: "regexp", Values: []string{"("}}}, Then: bridge.RouteOutcome{Kind: "agent", Agent: "gone"}},
		{},
	}
	v, err := a.TryRoutes(ctx, wrong, bridge.RouteTrial{Text: "x"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range v.Mistakes {
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			if what := i18n.Explain(lang, m.Err).What; what == "" || strings.HasPrefix(what, "error.") {
				t.Errorf("no words for %v", m)
			}
		}
		got[strings.Repeat("+", m.Rule)+m.Path] = true
	}
	if diff := cmp.Diff(map[string]bool{"+when.keyword": true, "+when.regexp": true, "+agent": true, "++": true}, got); diff != "" {
		t.Error(diff)
	}
	if err := a.SaveRoutes(ctx, wrong); err == nil {
		t.Error("saved")
	}
	if len(a.Routes()) != 0 {
		t.Error("there are rules now")
	}
}

func TestTryRoutes(t *testing.T) {
	t.Parallel()
	a, ctx, _ := onSimulator(t, handWritten)
	rules := a.Routes()
	monday := time.Date(2026, 5, 4, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		m    bridge.RouteTrial
		then string // and the rule
		why  string // of the last rule that was tried
	}{
		{bridge.RouteTrial{Bot: "demo-feishu", Text: "my salary", Role: bridge.RoleMember}, "agent pay", "keyword"},
		{bridge.RouteTrial{Bot: "demo-feishu", Text: "my salary", Role: bridge.RoleGuest}, "agent", "person"},
		{bridge.RouteTrial{Bot: "demo-feishu", Text: "a,b", Role: bridge.RoleMember, At: monday}, "reply #2", "outside_hours"},
		{bridge.RouteTrial{Bot: "demo-feishu", Text: "a,b", Role: bridge.RoleMember, At: monday.Add(-8 * time.Hour)}, "agent", "person"},
		{bridge.RouteTrial{Bot: "demo-wecom", Text: "hello", Department: "HQ/Interns"}, "refuse #3", "department"},
		{bridge.RouteTrial{Bot: "demo-wecom", Text: "hello", Chat: "7"}, "forward #7", "chat"},
		{bridge.RouteTrial{Bot: "demo-wecom", Text: "hello", Person: "Li"}, "intent #8", "person"},
		{bridge.RouteTrial{Bot: "demo-wecom", Text: "hello", Person: "Han"}, "agent", "person"},
	} {
		v, err := a.TryRoutes(ctx, rules, c.m)
		if err != nil || len(v.Mistakes) > 0 || len(v.Tried) == 0 {
			t.Fatal(err, v)
		}
		last := v.Tried[len(v.Tried)-1]
		then := string(v.Then.Kind)
		if last.Holds {
			then += " " + last.Rule
		}
		if then != c.then || last.By != c.why {
			t.Errorf("%+v: %s because of %s, want %s because of %s", c.m, then, last.By, c.then, c.why)
		}
	}
	if v, err := a.TryRoutes(ctx, nil, bridge.RouteTrial{Bot: "demo-wecom", Text: "/help"}); err != nil || v.Command != "help" {
		t.Error(err, v)
	}
}

// TestForwardByTitle: a rule may name a group by its title, as soon as it was heard
// of.
func TestForwardByTitle(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		if c := l.RouteChoices(); !slices.Contains(c.Commands, "help") || len(c.Commands) < 10 {
			t.Errorf("commands %v", c.Commands)
		}
		to := func(chat string) bridge.Route {
			return bridge.Route{
				When: []bridge.RouteCondition{{By: "keyword", Values: []string{chat}}},
				Then: bridge.RouteOutcome{Kind: bridge.RouteForward, Bot: "one", Chat: chat},
			}
		}
		if err := l.SaveRoutes(l.ctx, []bridge.Route{to("Lunch"), to("g1"), to("Supper")}); err != nil {
			t.Fatal(err)
		}
		for n, want := range []string{"g1", "g1", "Supper"} {
			m := message("two", fmt.Sprintf("f%d", n), "for "+[]string{"lunch", "G1", "supper"}[n])
			m.Platform, m.Address = "pigeon", bridge.Address{Bot: "two", Chat: "c", Kind: bridge.Direct}
			before := len(l.chat.Shown())
			if status := l.request(t, l.door, "POST", "/hook/two", packed(t, m)); status != 200 {
				t.Fatal(status)
			}
			rest(time.Minute)
			if got := l.chat.Shown()[before:]; len(got) < 2 || got[0].To.Chat != want || got[0].To.Bot != "one" || got[0].To.Kind != bridge.Group {
				t.Errorf("shown %+v, want it in %s", got, want)
			}
		}
	})
}
