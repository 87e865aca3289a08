package app_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
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
func TestAnswersAreMasked(t *testing.T) {
	t.Parallel()
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
func TestAgentIsToldNothing(t *testing.T) {
	t.Parallel()
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

// TestPrivacyIsChanged: what the admin saves holds for the next answer and for
// the next start, and content that is kept no longer goes at once.
func TestPrivacyIsChanged(t *testing.T) {
	t.Parallel()
	a, ctx, sim := onSimulator(t, fmt.Sprintf(echoPrivately, false))
	p := sim.Employees()[0].Platforms[0]
	if got := answered(t, ctx, sim, p, "电话 13812345678，房间 R-2041"); strings.Contains(got, "13812345678") || !strings.Contains(got, "R-2041") {
		t.Errorf("before: %q", got)
	}
	rules := a.Privacy()
	rules.Off = []string{"mobile"}
	rules.Custom = append(rules.Custom, bridge.MaskRule{Name: "room", Pattern: `R-\d{4}`, Mask: "label"})
	rules.StoreContent = false
	if err := a.SavePrivacy(ctx, rules); err != nil {
		t.Fatal(err)
	}
	until(t, func() bool {
		talks, err := a.Talks(ctx, bridge.TalkQuery{})
		return err == nil && len(talks) == 1 && talks[0].LastText == ""
	})
	if got := answered(t, ctx, sim, p, "电话 13812345678，房间 R-2041"); !strings.Contains(got, "13812345678") || strings.Contains(got, "R-2041") {
		t.Errorf("after: %q", got)
	}
	if diff := cmp.Diff(rules, a.Privacy()); diff != "" {
		t.Error(diff)
	}
	s, problems, err := settings.Load(filepath.Join(a.DataDir(), "switchboard.yaml"), app.Known())
	if err != nil || len(problems.Fatal()) > 0 {
		t.Fatal(problems, err)
	}
	if diff := cmp.Diff(rules, s.Privacy); diff != "" {
		t.Error(diff)
	}
	audits(t, ctx, a, bridge.AuditSettings, "privacy")
}

// TestPrivacyIsNotChanged: neither wrong rules nor a file that somebody edited
// meanwhile is written over, and what held before holds.
func TestPrivacyIsNotChanged(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "agents: [{id: help, kind: echo}]\n")
	before, rules := a.Privacy(), a.Privacy()
	rules.Custom = []bridge.MaskRule{{Name: "x", Pattern: "("}}
	if err := a.SavePrivacy(ctx, rules); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("a wrong rule is %v", err)
	}
	if err := os.WriteFile(filepath.Join(a.DataDir(), "switchboard.yaml"), []byte("agents: [{id: mine, kind: echo}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rules.Custom = nil
	rules.MaskAnswers = false
	if err := a.SavePrivacy(ctx, rules); !strings.Contains(i18n.Explain(bridge.English, err).String(), "changed") {
		t.Errorf("a file edited meanwhile is %v", err)
	}
	if text, err := os.ReadFile(filepath.Join(a.DataDir(), "switchboard.yaml")); err != nil || !strings.Contains(string(text), "mine") {
		t.Errorf("the file holds %q, %v", text, err)
	}
	if diff := cmp.Diff(before, a.Privacy()); diff != "" {
		t.Error(diff)
	}
}

// TestPreviewPrivacy tries rules without changing anything.
func TestPreviewPrivacy(t *testing.T) {
	t.Parallel()
	a, _ := house(t, t.TempDir(), "")
	found, err := a.PreviewPrivacy(bridge.Privacy{Custom: []bridge.MaskRule{{Name: "room", Pattern: `R-\d{4}`, Mask: "full"}}}, "电话 13812345678，R-2041")
	want := []bridge.Masked{{Start: 7, End: 18, Rule: "mobile", Shown: "138＊＊＊＊5678"}, {Start: 21, End: 27, Rule: "room", Shown: "＊＊＊＊＊＊"}}
	if diff := cmp.Diff(want, found); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if _, err := a.PreviewPrivacy(bridge.Privacy{Custom: []bridge.MaskRule{{Name: "room", Pattern: `(`}}}, ""); bridge.KindOf(err) != bridge.KindInvalid {
		t.Error(err)
	}
	if diff := cmp.Diff([]string{"password", "email", "resident_id", "mobile", "bank_card", "passport", "licence_plate"}, a.MaskRules()); diff != "" {
		t.Error(diff)
	}
}

// audits looks for an entry of the audit.
func audits(t *testing.T, ctx context.Context, a *app.App, kind bridge.AuditKind, note string) { //nolint:revive // t comes first
	t.Helper()
	all, err := a.Audits(ctx, bridge.AuditQuery{Kind: kind})
	if err != nil || len(all) != 1 || all[0].Note != note || all[0].By.Where != "window" {
		t.Errorf("the audit has %+v, %v", all, err)
	}
}

// TestSampleShowsEveryRule: what the page offers to try has something for each of
// the built-in rules.
func TestSampleShowsEveryRule(t *testing.T) {
	t.Parallel()
	a, _ := house(t, t.TempDir(), "")
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		found, err := a.PreviewPrivacy(bridge.Privacy{}, i18n.Text(lang, "ui.privacy.sample"))
		if err != nil {
			t.Fatal(err)
		}
		var missing []string
		for _, rule := range a.MaskRules() {
			if !slices.ContainsFunc(found, func(m bridge.Masked) bool { return m.Rule == rule }) {
				missing = append(missing, rule)
			}
		}
		if len(missing) > 0 {
			t.Errorf("%s: nothing for %v", lang, missing)
		}
	}
}
