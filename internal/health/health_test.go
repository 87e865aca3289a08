package health_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/health"
	"switchboard/internal/i18n"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r health.Registry
		w := health.Warning{Code: health.BotFailing, Severity: bridge.SeverityWarning, Affects: "b"}
		if !r.Raise(w) {
			t.Error("a new warning is no change")
		}
		begin := time.Now()
		time.Sleep(time.Hour)
		if r.Raise(w) {
			t.Error("the same warning is a change")
		}
		r.Raise(health.Warning{Code: health.StoreFailing, Severity: bridge.SeverityError})
		got := r.List()
		if len(got) != 2 || got[0].Code != health.StoreFailing || !got[1].Since.Equal(begin) {
			t.Errorf("list %+v", got)
		}
		if !r.Clear(health.BotFailing, "b") || r.Clear(health.BotFailing, "b") || len(r.List()) != 1 {
			t.Error("clearing is wrong")
		}
	})
}

// TestRenewed: a warning that says something else is a change, and what a standing one
// says is what was raised last.
func TestRenewed(t *testing.T) {
	t.Parallel()
	var r health.Registry
	for _, c := range []struct {
		w       health.Warning
		changed bool
	}{
		{health.Warning{Severity: bridge.SeverityWarning}, true},
		{health.Warning{Severity: bridge.SeverityError}, true},
		{health.Warning{Severity: bridge.SeverityError}, false},
		{health.Warning{Severity: bridge.SeverityError, Detail: "a"}, true},
		{health.Warning{Severity: bridge.SeverityError, Detail: "a", Err: errors.New("x")}, true},
		{health.Warning{Severity: bridge.SeverityError, Detail: "a", Err: errors.New("x")}, false},
		{health.Warning{Severity: bridge.SeverityError, Detail: "a", Err: errors.New("y")}, true},
		{health.Warning{Severity: bridge.SeverityError, Detail: "a"}, true},
	} {
		c.w.Code, c.w.Affects = health.BotFailing, "b"
		if got := r.Raise(c.w); got != c.changed {
			t.Errorf("%+v is a change: %v", c.w, got)
		}
		if all := r.List(); len(all) != 1 || all[0].Severity != c.w.Severity || all[0].Detail != c.w.Detail || !errors.Is(all[0].Err, c.w.Err) {
			t.Errorf("%+v is listed as %+v", c.w, all)
		}
	}
}

// TestOrder: the worst first, of those the oldest, and of one moment by name.
func TestOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var r health.Registry
		raise := func(code health.Code, affects string, severity bridge.Severity) {
			r.Raise(health.Warning{Code: code, Affects: affects, Severity: severity})
		}
		raise(health.HistoryRefused, "z", bridge.SeverityInfo)
		raise(health.StoreFailing, "", bridge.SeverityWarning)
		time.Sleep(time.Second)
		for _, affects := range []string{"c", "a", "b"} {
			raise(health.BotFailing, affects, bridge.SeverityWarning)
		}
		raise(health.AgentFailing, "c", bridge.SeverityWarning)
		time.Sleep(time.Second)
		raise(health.BotBroken, "a", bridge.SeverityError)
		var got []string
		for _, w := range r.List() {
			got = append(got, string(w.Code)+" "+w.Affects)
		}
		want := []string{"bot_broken a", "store_failing ", "agent_failing c", "bot_failing a", "bot_failing b", "bot_failing c", "history_refused z"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestStanding: a warning is about one thing only.
func TestStanding(t *testing.T) {
	t.Parallel()
	var r health.Registry
	if r.Standing(health.BotFailing, "a") || r.Clear(health.BotFailing, "a") || len(r.List()) != 0 {
		t.Error("there are warnings before the first")
	}
	r.Raise(health.Warning{Code: health.BotFailing, Affects: "a"})
	if !r.Standing(health.BotFailing, "a") || r.Standing(health.BotFailing, "b") || r.Standing(health.BotBroken, "a") {
		t.Error("what stands is wrong")
	}
	if r.Clear(health.BotFailing, "b") || r.Clear(health.BotBroken, "a") || !r.Standing(health.BotFailing, "a") {
		t.Error("another one is cleared")
	}
}

// TestCodes: every code is listed once.
func TestCodes(t *testing.T) {
	t.Parallel()
	all := health.Codes()
	slices.Sort(all)
	if unique := slices.Compact(slices.Clone(all)); len(unique) != len(all) || slices.Contains(all, "") {
		t.Errorf("the codes are %v", all)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, code := range health.Codes() {
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			for _, key := range []string{"warning." + string(code), "warning." + string(code) + ".next"} {
				if _, ok := i18n.Find(lang, key); !ok {
					t.Errorf("%s has no %q", lang, key)
				}
			}
		}
	}
}
