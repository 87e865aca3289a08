package app_test

import (
	"context"
	"encoding/json"
	"flag"
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
	"switchboard/internal/platform/simulator"
)

var update = flag.Bool("update", false, "write the golden files")

// cell is one trouble, met on each platform.
type cell struct {
	name   string
	faults []string // of the platform, in the short form
	moods  []mood   // of the agent
	away   bool     // nothing listens at the agent's address
	flow   bool     // the agent is a chatflow
	cards  bool     // DingTalk's answers grow in cards
	crowd  int      // how many people there are, if not a few
	group  bool
	// on is where it happens, by default everywhere; lacks says why it cannot
	// happen elsewhere.
	on    []bridge.Platform
	lacks map[bridge.Platform]string
	// ask says something; by default one question.
	ask func(s *stage, p bridge.Platform)
	// during happens once, when everybody has asked; after, when it is settled.
	during, after func(s *stage)

	// What has to come of it: how many messages of the bot's can be seen, what
	// stands in the last, how often the agent is asked, and what the admin reads.
	shown   map[bridge.Platform]int // one, where it is not said
	sees    string                  // the complete answer, if it is not said
	asks    int                     // one, if it is not said; never or anyhow
	notices map[bridge.Platform]string
	doubled []bridge.Platform // where it may have been shown twice, which is noted
	waits   bool              // it is not settled as long as the trouble lasts
	gone    bool              // there is nobody left who could read it
	late    bool              // it was kept so far, and tried some number of times
	unheard bool              // DingTalk's secret in the settings is wrong, and nothing is accepted
	then    *cell             // what follows on the same stage
}

// How often the agent is asked where that is no number.
const (
	never  = -1
	anyhow = -2
)

// wantAsks is how often the agent has to be asked.
func (c cell) wantAsks() int {
	if c.asks == never {
		return 0
	}
	return max(c.asks, 1)
}

func everywhere() []bridge.Platform { return []bridge.Platform{"feishu", "wecom", "dingtalk"} }

// same is the same number on all platforms.
func same(n int) map[bridge.Platform]int {
	return map[bridge.Platform]int{"feishu": n, "wecom": n, "dingtalk": n}
}

// notice is the same notice on all platforms.
func notice(code string) map[bridge.Platform]string {
	return map[bridge.Platform]string{"feishu": code, "wecom": code, "dingtalk": code}
}

// TestMatrix meets every trouble of the platforms and of the agent on each
// platform, in the whole program. Whatever happens, the person reads one thing
// that is complete, no draft stays unfinished and the agent is not asked more
// often than the table says. The matrix of what everybody saw is a golden file.
func TestMatrix(t *testing.T) { //nolint:tparallel // the cells are waited for
	t.Parallel()
	var mu sync.Mutex
	rows := map[string][]string{}
	cells := slices.Concat(platformCells(), cardCells(), agentCells(), flowCells())
	t.Run("cells", func(t *testing.T) { //nolint:paralleltest // they are waited for
		for _, c := range cells {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				got := c.play(t)
				mu.Lock()
				defer mu.Unlock()
				rows[c.name] = got
			})
		}
	})
	if len(rows) < len(cells) {
		return // some were left out, or ended early
	}
	text := "# What everybody sees when something goes wrong\n\nWritten by the tests; Q is the question, A the complete answer.\n\n" +
		"| trouble | on | the person sees | message | lost or doubled | the admin sees | in the log |\n|---|---|---|---|---|---|---|\n"
	for _, c := range cells {
		text += strings.Join(rows[c.name], "")
	}
	file := filepath.Join("testdata", "matrix.golden")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
		t.Error(diff)
	}
}

// stage is a house on simulated platforms with an agent for each of them.
type stage struct {
	*app.App
	t     *testing.T
	cell  *cell
	ctx   context.Context //nolint:containedctx // of the test
	sim   *simulator.Simulator
	agent *sick
	data  string
	stop  func()
	bots  map[bridge.Platform]string
	said  map[bridge.Platform][]bridge.MessageID
	count map[bridge.Platform]int
	began time.Time // of the present cell
	// What was there before the present cell: messages of the bot's, questions to
	// the agent and messages of people.
	old, asked, before map[bridge.Platform]int
}

// platforms are where a cell happens.
func (c cell) platforms() []bridge.Platform {
	if c.on == nil {
		return slices.DeleteFunc(everywhere(), func(p bridge.Platform) bool { return c.lacks[p] != "" })
	}
	return c.on
}

func (c cell) play(t *testing.T) []string {
	t.Helper()
	s := &stage{
		t: t, cell: &c, ctx: t.Context(), data: t.TempDir(), bots: map[bridge.Platform]string{},
		said: map[bridge.Platform][]bridge.MessageID{}, count: map[bridge.Platform]int{}, agent: newSick(t, c.moods),
	}
	s.agent.flow = c.flow
	var err error
	if s.sim, err = simulator.Start(t.Context(), simulator.Options{RetryPause: 20 * time.Millisecond, Patience: time.Minute, DingCards: c.cards, Crowd: c.crowd}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.sim.Close() })
	s.settle()
	s.open()
	t.Cleanup(func() { s.stop() })
	return s.act(c)
}

// act lets everybody ask, and looks at what came of it.
func (s *stage) act(c cell) []string {
	s.t.Helper()
	s.cell, s.began = &c, time.Now()
	s.old, s.asked, s.before = map[bridge.Platform]int{}, map[bridge.Platform]int{}, map[bridge.Platform]int{}
	on := c.platforms()
	for _, p := range on {
		s.old[p], s.asked[p], s.before[p] = len(s.seen(p)), s.agent.asks(agentKey(p)), len(s.said[p])
	}
	s.disturb(c.faults)
	for _, p := range on {
		if c.ask == nil {
			s.ask(p)
		} else {
			c.ask(s, p)
		}
	}
	if c.during != nil {
		c.during(s)
	}
	var rows []string
	for _, p := range on {
		rows = append(rows, s.look(p))
	}
	for _, p := range everywhere() {
		if why := c.lacks[p]; why != "" {
			rows = append(rows, fmt.Sprintf("| %s | %s | cannot happen: %s | | | | |\n", c.name, p, why))
		}
	}
	if c.after != nil {
		c.after(s)
	}
	if v := s.sim.Violations(); len(v) > 0 {
		s.t.Errorf("rules of the platforms were broken: %v", v)
	}
	if c.then != nil {
		rows = append(rows, s.act(*c.then)...)
	}
	return rows
}

// settle writes the settings.
func (s *stage) settle() {
	s.t.Helper()
	address := s.agent.address
	if s.cell.away {
		address = "http://127.0.0.1:1"
	}
	agents, bots, secrets := "agents:\n", "bots:\n", "secrets:\n"
	keep := func(name, value string) {
		file := filepath.Join(s.data, strings.ReplaceAll(name, "/", "-"))
		if err := os.WriteFile(file, []byte(value), 0o600); err != nil {
			s.t.Fatal(err)
		}
		secrets += fmt.Sprintf("  %s: %q\n", name, "file:"+file)
	}
	for _, c := range s.sim.Configs() {
		s.bots[c.Platform] = c.ID
		settings, err := json.Marshal(c.Settings) // JSON is YAML
		if err != nil {
			s.t.Fatal(err)
		}
		agents += fmt.Sprintf("  - {id: for-%s, kind: dify, base_url: %q}\n", c.Platform, address)
		keep("agent/for-"+string(c.Platform)+"/api_key", agentKey(c.Platform))
		bots += fmt.Sprintf("  - {id: %s, platform: %s, mode: %s, agent: for-%s, settings: %s}\n", c.ID, c.Platform, c.Mode, c.Platform, settings)
		for key, value := range c.Secrets {
			secret := value.Reveal()
			if s.cell.unheard && key == "client_secret" {
				secret = "that of another app"
			}
			keep("bot/"+c.ID+"/"+key, secret)
		}
	}
	write(s.t, s.data, "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nlanguage: en\n"+agents+bots+secrets)
}

// open starts the program.
func (s *stage) open() {
	s.t.Helper()
	var err error
	if s.App, err = app.Open(s.t.Context(), app.Options{Data: s.data, Log: slog.New(slog.DiscardHandler), RetryPause: 20 * time.Millisecond}); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 1)
	go func(a *app.App) { ended <- a.Run(ctx) }(s.App)
	s.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
		if err := s.Close(context.WithoutCancel(ctx)); err != nil {
			s.t.Error(err)
		}
	})
	until(s.t, func() bool {
		o, err := s.Overview(s.t.Context())
		if err != nil || o.Listen == "" {
			return false
		}
		for _, bot := range s.bots {
			s.sim.Attach(bot, "http://"+o.Listen+"/hook/"+bot)
		}
		return true
	})
}

// disturb switches troubles on, for each platform by itself.
func (s *stage) disturb(faults []string) {
	s.t.Helper()
	var all []string
	for _, p := range everywhere() {
		for _, f := range faults {
			if !strings.Contains(f, ":") {
				f = string(p) + ":" + f
			}
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	parsed, err := simulator.ParseFaults(strings.Join(all, ","))
	if err != nil {
		s.t.Fatal(err)
	}
	s.sim.SetFaults(parsed)
}

// expire ends every token, now.
func (s *stage) expire() { s.sim.SetFaults(simulator.Faults{Expire: true}) }

// ask writes the next question of a platform.
func (s *stage) ask(p bridge.Platform) { s.say(p, questionOf(p, s.next(p))) }

func (s *stage) next(p bridge.Platform) int {
	s.count[p]++
	return s.count[p]
}

func (s *stage) say(p bridge.Platform, text string) { s.from("li", p, text) }

func (s *stage) from(employee string, p bridge.Platform, text string) {
	s.t.Helper()
	l := simulator.Line{Employee: employee, Platform: p, Text: text}
	if s.cell.group {
		l.Group, l.Mention = "team", true
	}
	id, err := s.sim.Write(s.ctx, l)
	if err != nil {
		s.t.Fatal(err)
	}
	s.said[p] = append(s.said[p], id)
}

// job finds the newest question of a platform in the admin's list.
func (s *stage) job(p bridge.Platform) bridge.Exchange {
	s.t.Helper()
	rows, err := s.Talks(s.ctx, bridge.TalkQuery{Limit: 20, Bot: s.bots[p]})
	if err != nil || len(rows) == 0 {
		return bridge.Exchange{}
	}
	all, err := s.Exchanges(s.ctx, rows[0].Lane, 0, 10)
	if err != nil || len(all) == 0 {
		return bridge.Exchange{}
	}
	return all[len(all)-1]
}

// state tells how far the newest question of a platform is.
func (s *stage) state(p bridge.Platform) string {
	x := s.job(p)
	var b strings.Builder
	fmt.Fprintf(&b, "%s, now %v: job %d %q is %s, attempt %d after %s, accepted %v, due %v, started %v; reply %s; notice %q; the agent was asked %d times",
		p, time.Now(), x.Job.ID, x.Job.Message.Text, x.Job.State, x.Job.Attempt, x.Job.LastError, x.Job.AcceptedAt, x.Job.DueAt, x.Job.StartedAt,
		x.Reply.State, s.notice(p), s.agent.asks(agentKey(p)))
	for _, e := range x.Entries {
		fmt.Fprintf(&b, "\n%v %s attempt %d %s %s", e.At, e.Kind, e.Attempt, e.Error, e.Note)
	}
	return b.String()
}

// settled waits until the newest question of a platform is over.
func (s *stage) settled(p bridge.Platform) {
	s.t.Helper()
	until(s.t, func() bool {
		x := s.job(p)
		last := bridge.EntryDelivered
		if x.Job.State == bridge.JobDiscarded { // an apology may have been delivered before
			last = bridge.EntryDiscarded
		}
		return x.Job.State.Final() && slices.ContainsFunc(x.Entries, func(e bridge.Entry) bool { return e.Kind == last })
	}, func() string { return s.state(p) })
}
