package app_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

func agentKey(p bridge.Platform) string { return "app-" + string(p) }

// seen are the messages of the bot's on a platform.
func (s *stage) seen(p bridge.Platform) []bridge.Bubble {
	var all []bridge.Bubble
	for _, b := range s.sim.Bubbles("li") {
		if b.FromBot && b.Platform == p {
			all = append(all, b)
		}
	}
	return all
}

// look waits until a platform's question is over, compares what came of it with
// the table, and writes it down.
func (s *stage) look(p bridge.Platform) string {
	s.t.Helper()
	c := s.cell
	if c.unheard {
		return s.turnedAway(p)
	}
	if c.waits {
		until(s.t, func() bool { return s.complaint(p) != "" })
	} else {
		s.settled(p)
	}
	want, said := c.shown[p]
	if !said {
		want = 1
	}
	s.comesTo(p, want)
	row := s.steady(func() string { return s.row(p) })
	all := s.seen(p)[s.old[p]:]
	if len(all) != want {
		s.t.Errorf("%s: %d messages can be seen, want %d: %+v", p, len(all), want, all)
	}
	sees := c.sees
	if sees == "" {
		sees = secondHalf
	}
	if n := len(all); n > 0 && !strings.Contains(all[n-1].Text, strings.TrimSpace(sees)) {
		s.t.Errorf("%s: the person reads %q", p, all[n-1].Text)
	}
	for _, b := range all {
		if b.Growing {
			s.t.Errorf("%s: a draft stays unfinished: %q", p, b.Text)
		}
	}
	if fate := s.fate(p, s.job(p)).String(); strings.Contains(fate, "LOST") || strings.Contains(fate, "DOUBLED") {
		s.t.Errorf("%s: %s", p, fate)
	}
	if got, want := s.agent.asks(agentKey(p))-s.asked[p], c.wantAsks(); got != want && !c.away && c.asks != anyhow {
		s.t.Errorf("%s: the agent is asked %d times, want %d", p, got, want)
	}
	if got := s.job(p).Reply.Uncertain > 0; got != slices.Contains(c.doubled, p) {
		s.t.Errorf("%s: an uncertain outcome is noted: %v", p, got)
	}
	if s.code(p) != c.notices[p] {
		s.t.Errorf("%s: the admin reads %q, want %q", p, s.complaint(p), c.notices[p])
	}
	return row
}

// turnedAway looks at what comes of a message that was not accepted, and at what
// an admin finds who runs the check.
func (s *stage) turnedAway(p bridge.Platform) string {
	s.t.Helper()
	trace, known := s.sim.Trace(s.said[p][0])
	if x := s.job(p); !known || trace.Accepted > 0 || x.Job.ID != 0 || s.agent.asks(agentKey(p)) > 0 {
		s.t.Errorf("%s: it was accepted: %+v, %+v", p, trace, x)
	}
	until(s.t, func() bool { return s.complaint(p) != "" })
	var said []string
	for _, line := range s.Check(s.ctx, bridge.English) {
		if line.Who == s.bots[p] && !line.OK {
			said = append(said, line.What+" → "+line.Next)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | not accepted | yes: the platform gives up after some tries | %s, and the check: %s | — |\n",
		s.cell.name, p, s.reads(p), s.notice(p), append(said, "nothing")[0])
}

// comesTo gives a busy machine the time to show and to notice what it should; what
// has not come by then is for the caller to tell.
func (s *stage) comesTo(p bridge.Platform, shown int) {
	for range 1000 {
		all := s.seen(p)[s.old[p]:]
		growing := slices.ContainsFunc(all, func(b bridge.Bubble) bool { return b.Growing })
		if len(all) >= shown && !growing && s.code(p) == s.cell.notices[p] || !sleep(s.ctx, 20*time.Millisecond) {
			return
		}
	}
}

// steady waits until a text stays the same for a moment.
func (s *stage) steady(read func() string) string {
	s.t.Helper()
	last, times := "", 0
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	until(s.t, func() bool {
		<-tick.C
		now := read()
		if now != last {
			last, times = now, 0
		}
		times++
		return times == 4
	})
	return last
}

// row is a line of the matrix.
func (s *stage) row(p bridge.Platform) string {
	x := s.job(p)
	state, log := string(x.Job.State)+", "+string(x.Reply.State), logged(x)
	if s.cell.waits || s.cell.late { // the number of tries is a matter of time
		log = "retry"
	}
	if s.cell.waits {
		state = "waits, " + string(x.Reply.State)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", s.cell.name, p, s.reads(p), state, s.fate(p, x), s.notice(p), log)
}

// reads is what the person sees.
func (s *stage) reads(p bridge.Platform) string {
	var all []string
	for _, b := range s.seen(p)[s.old[p]:] {
		text := b.Text
		for n := s.count[p]; n > 0; n-- {
			text = strings.ReplaceAll(text, questionOf(p, n), "Q")
		}
		text = strings.ReplaceAll(text, firstHalf+"Q"+secondHalf, "A")
		if len(text) > 1000 {
			text = "part of A"
		}
		all = append(all, strings.Join(strings.Fields(text), " "))
	}
	switch {
	case len(all) == 0:
		return "nothing"
	case slices.Contains(all, "part of A"):
		return fmt.Sprintf("A in %d messages", len(all))
	default:
		return strings.Join(all, " + ")
	}
}

func questionOf(p bridge.Platform, n int) string { return fmt.Sprintf("question-%d-%s", n, p) }

// complaint is the ID of the notice that concerns a platform.
func (s *stage) complaint(p bridge.Platform) string {
	for _, n := range s.Notices(bridge.English) {
		if n.Bot == s.bots[p] || n.Bot == "for-"+string(p) {
			return n.ID
		}
	}
	return ""
}

// code is the code of the notice that concerns a platform.
func (s *stage) code(p bridge.Platform) string {
	code, _, _ := strings.Cut(s.complaint(p), " ")
	return code
}

// notice is what the admin reads.
func (s *stage) notice(p bridge.Platform) string {
	id := s.complaint(p)
	for _, n := range s.Notices(bridge.English) {
		if id == "" || n.ID != id {
			continue
		}
		text := string(n.Severity) + ": " + n.Title + ". " + n.Detail + " → " + n.Next
		for _, address := range []string{s.agent.address, s.simulated()} {
			text = strings.ReplaceAll(text, strings.TrimPrefix(address, "http://"), "ADDRESS")
		}
		return text
	}
	return "—"
}

// simulated is the address of the simulated platforms.
func (s *stage) simulated() string {
	for _, c := range s.sim.Configs() {
		if base := c.Settings["base_url"]; base != "" {
			host, _, _ := strings.Cut(strings.TrimPrefix(base, "http://"), "/")
			return host
		}
	}
	return "nowhere"
}

// logged are the steps of a message that are out of the ordinary.
func logged(x bridge.Exchange) string {
	var order []string
	count := map[string]int{}
	for _, e := range x.Entries {
		switch e.Kind { //nolint:exhaustive // all others belong to every message
		case bridge.EntryRetry, bridge.EntryRepeated, bridge.EntryLost, bridge.EntryApology, bridge.EntryDiscarded:
		default:
			continue
		}
		step := string(e.Kind)
		if e.Error != "" {
			step += " (" + string(e.Error) + ")"
		}
		if count[step]++; count[step] == 1 {
			order = append(order, step)
		}
	}
	if len(order) == 0 {
		return "—"
	}
	for n, step := range order {
		if count[step] > 1 {
			order[n] = fmt.Sprintf("%s ×%d", step, count[step])
		}
	}
	return strings.Join(order, ", ")
}
