package app_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/settings"
)

// screens keeps everything a simulated employee ever saw of the bots.
type screens struct {
	mu  sync.Mutex
	all []bridge.Bubble
}

func watch(t *testing.T, sim *simulator.Simulator) *screens {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	s, ended := &screens{}, make(chan struct{})
	bubbles := sim.Watch(ctx)
	go func() {
		defer close(ended)
		for b := range bubbles {
			s.mu.Lock()
			s.all = append(s.all, b)
			s.mu.Unlock()
		}
	}()
	t.Cleanup(func() { stop(); <-ended })
	return s
}

// fromBots returns all texts by bots, growing ones too.
func (s *screens) fromBots() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, b := range s.all {
		if b.FromBot {
			all = append(all, b.Text)
		}
	}
	return all
}

// answered says something and waits for the complete answer.
func answered(t *testing.T, ctx context.Context, sim *simulator.Simulator, p bridge.Platform, text string) string { //nolint:revive // t comes first
	t.Helper()
	before := complete(sim)
	if _, err := sim.Say(ctx, "li", p, text); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool { return len(complete(sim)) > len(before) })
	return complete(sim)[len(before)].Text
}

func complete(sim *simulator.Simulator) []bridge.Bubble {
	var all []bridge.Bubble
	for _, b := range sim.Bubbles("li") {
		if b.FromBot && !b.Growing {
			all = append(all, b)
		}
	}
	return all
}

const echoPrivately = `agents: [{id: help, kind: echo}]
privacy:
  mask_to_agent: %t
  off: [licence_plate]
  custom: [{name: 工号, pattern: 'EMP\d{6}', mask: "3+2"}]
`

// TestAnswersAreMasked: on every platform no screen ever shows a value, while the
// answer grows or after, and what is switched off stays.
func TestAnswersAreMasked(t *testing.T) { //nolint:paralleltest // sets the environment
	a, ctx, sim := onSimulator(t, fmt.Sprintf(echoPrivately, false))
	seen := watch(t, sim)
	for _, p := range sim.Employees()[0].Platforms {
		got := answered(t, ctx, sim, p, "电话 13812345678，工号 EMP123456，车牌 京A12345")
		for _, want := range []string{"138＊＊＊＊5678", "EMP＊＊＊＊56", "京A12345"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s shows %q, want %q", p, got, want)
			}
		}
	}
	all := seen.fromBots()
	if len(all) < 6 {
		t.Errorf("nothing grew: %q", all)
	}
	for _, text := range all {
		if strings.Contains(text, "13812") || strings.Contains(text, "EMP1") {
			t.Errorf("shown %q", text)
		}
	}
	maskedInJournal(t, ctx, a, "mobile 1, 工号 1")
	if v := sim.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// TestAgentIsToldNothing: on every platform the person reads what they wrote,
// although the agent, which repeats the question, knows placeholders alone.
func TestAgentIsToldNothing(t *testing.T) { //nolint:paralleltest // sets the environment
	a, ctx, sim := onSimulator(t, fmt.Sprintf(echoPrivately, true))
	for _, p := range sim.Employees()[0].Platforms {
		if got := answered(t, ctx, sim, p, "电话 13812345678，工号 EMP123456"); !strings.Contains(got, "13812345678") || !strings.Contains(got, "EMP123456") {
			t.Errorf("%s shows %q", p, got)
		}
		if got := answered(t, ctx, sim, p, "which was it?"); !strings.Contains(got, "13812345678") { // echo tells the previous question
			t.Errorf("%s shows %q", p, got)
		}
		if got := answered(t, ctx, sim, p, "x VALUE_1 [MOBILE_9]"); !strings.Contains(got, "EMP123456") || !strings.Contains(got, "MOBILE_9") {
			t.Errorf("%s shows %q", p, got)
		}
	}
	maskedInJournal(t, ctx, a, "mobile 1, 工号 1")
	if v := sim.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// maskedInJournal looks for the entry about what was hidden in the first question
// of every talk.
func maskedInJournal(t *testing.T, ctx context.Context, a *app.App, want string) { //nolint:revive // t comes first
	t.Helper()
	talks, err := a.Talks(ctx, bridge.TalkQuery{})
	if err != nil || len(talks) != 3 {
		t.Fatal(talks, err)
	}
	for _, talk := range talks {
		until(t, func() bool { // the journal is written behind
			all, err := a.Exchanges(ctx, talk.Lane, 0, 10)
			if err != nil || len(all) == 0 {
				return false
			}
			for _, e := range all[0].Entries {
				if e.Kind == bridge.EntryMasked {
					return e.Note == want
				}
			}
			return false
		})
	}
}

// TestWrongMaskIsRefused: a rule with a mistake is told at its line, rather than
// hiding nothing.
func TestWrongMaskIsRefused(t *testing.T) {
	t.Parallel()
	_, problems := settings.Parse([]byte("privacy:\n  custom:\n    - {name: a, pattern: '(?=x)'}\n"), app.Known())
	if len(problems.Fatal()) != 1 || problems[0].Line != 3 || !strings.Contains(problems.Text(bridge.English), "“a” is not a regular expression") {
		t.Error(problems.Text(bridge.English))
	}
}
