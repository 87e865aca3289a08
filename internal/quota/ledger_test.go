package quota_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/quota"
)

// spend counts n calls of a bot.
func spend(l *quota.Ledger, bot string, n int) {
	for range n {
		l.Count("lamp", bot, bridge.MeterCalls)
	}
}

// until sleeps up to a moment of the bubble's own time, which begins on
// Saturday, 1 January 2000.
func until(month time.Month, day, hour int) {
	time.Sleep(time.Until(time.Date(2000, month, day, hour, 0, 0, 0, time.Local)))
}

// TestMonth: the bots of an account share its allowance, and nobody else's
// counts do; the next month begins with nothing.
func TestMonth(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := quota.NewLedger()
		until(1, 10, 12)
		spend(l, "a", 3)
		spend(l, "b", 2)
		l.Count("lamp", "a", bridge.MeterPushes)
		l.Count("other", "a", bridge.MeterCalls)
		l.Count("ngrok", "", bridge.MeterRequests)
		want := bridge.Budget{
			Account: "lamp", Meter: bridge.MeterCalls, Allowance: 100, Used: 5, ByBot: map[string]int{"a": 3, "b": 2},
			Renews: time.Date(2000, 2, 1, 0, 0, 0, 0, time.Local),
		}
		if diff := cmp.Diff(want, l.Month("lamp", bridge.MeterCalls, 100)); diff != "" {
			t.Error(diff)
		}
		if b := l.Month("ngrok", bridge.MeterRequests, 0); b.Used != 1 || len(b.ByBot) != 0 || b.Short() || b.Spent() {
			t.Errorf("the tunnel's is %+v", b)
		}
		until(2, 1, 0)
		spend(l, "a", 1)
		if b := l.Month("lamp", bridge.MeterCalls, 100); b.Used != 1 || b.ByBot["b"] != 0 || b.Renews.Month() != time.March {
			t.Errorf("in the next month it is %+v", b)
		}
	})
}

func TestShort(t *testing.T) {
	t.Parallel()
	for used, want := range map[int][2]bool{0: {}, 79: {}, 80: {true, false}, 99: {true, false}, 100: {true, true}, 101: {true, true}} {
		b := bridge.Budget{Allowance: 100, Used: used}
		if got := [2]bool{b.Short(), b.Spent()}; got != want {
			t.Errorf("%d of 100 is %v, want %v", used, got, want)
		}
		if b.Allowance = 0; b.Short() || b.Spent() {
			t.Errorf("%d of an unlimited one runs short", used)
		}
	}
}

// TestForecast goes by the last week, or by the days there are.
func TestForecast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := quota.NewLedger()
		runsOut := func(allowance int) time.Time { return l.Month("lamp", bridge.MeterCalls, allowance).RunsOut }
		until(1, 3, 0)
		if !runsOut(100).IsZero() {
			t.Error("a forecast without a count")
		}
		spend(l, "a", 100)
		until(1, 3, 23)
		if !runsOut(1000).IsZero() {
			t.Error("a forecast before a day has passed")
		}
		until(1, 5, 0)
		spend(l, "a", 100) // 200 in two days
		if got, want := runsOut(1000), time.Date(2000, 1, 13, 0, 0, 0, 0, time.Local); !got.Equal(want) {
			t.Errorf("100 a day of 1000 run out %v, want %v", got, want)
		}
		if got := runsOut(2790); got.Day() != 30 {
			t.Errorf("it runs out %v", got)
		}
		for allowance, why := range map[int]string{2800: "a day before the end", 3500: "not at all", 200: "already", 0: "without a limit"} {
			if got := runsOut(allowance); !got.IsZero() {
				t.Errorf("%s is %v", why, got)
			}
		}
		until(1, 15, 0) // quiet for ten days
		if got := runsOut(201); !got.IsZero() {
			t.Errorf("after a quiet week it runs out %v", got)
		}
		spend(l, "a", 60) // in six whole days and this moment
		if got, want := runsOut(300), time.Date(2000, 1, 19, 0, 0, 0, 0, time.Local); !got.Equal(want) {
			t.Errorf("10 a day leave 40 until %v, want %v", got, want)
		}
		until(1, 31, 0)
		spend(l, "a", 60)
		until(2, 1, 12)
		if got := l.Month("lamp", bridge.MeterCalls, 50); got.Used != 0 || got.RunsOut.Day() != 6 {
			t.Errorf("a forecast goes by the last month's days too: %+v", got)
		}
	})
}

// TestWrittenDown: what was counted is written once, whatever happens to the
// store, and what others wrote counts too.
func TestWrittenDown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := quota.NewLedger()
		used := func(want int) {
			t.Helper()
			if got := l.Month("lamp", bridge.MeterCalls, 0).Used; got != want {
				t.Errorf("used %d, want %d", got, want)
			}
		}
		day := time.Now().Format(time.DateOnly)
		if l.Changed() {
			t.Error("nothing is to be written down")
		}
		spend(l, "a", 3)
		if !l.Changed() {
			t.Error("what was counted is not to be written down")
		}
		want := []bridge.Spending{{Account: "lamp", Bot: "a", Meter: bridge.MeterCalls, Day: day, Used: 3}}
		if diff := cmp.Diff(want, l.Fresh()); diff != "" {
			t.Error(diff)
		}
		spend(l, "a", 1) // meanwhile
		used(4)
		l.Failed()
		used(4)
		want[0].Used = 4
		if diff := cmp.Diff(want, l.Fresh()); diff != "" {
			t.Error(diff)
		}
		spend(l, "a", 1)
		want[0].Used = 10 // somebody else counted six
		l.Written(want)
		used(11)
		want[0].Used = 1
		if diff := cmp.Diff(want, l.Fresh()); diff != "" {
			t.Error(diff)
		}
		l.Written([]bridge.Spending{{Account: "lamp", Bot: "a", Meter: bridge.MeterCalls, Day: day, Used: 11}})
		if got := l.Fresh(); len(got) != 0 {
			t.Errorf("again %+v", got)
		}
		used(11)
	})
}

func TestLedgerFromManyAtOnce(t *testing.T) {
	t.Parallel()
	l := quota.NewLedger()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() { spend(l, "a", 100) })
	}
	group.Wait()
	if got := l.Month("lamp", bridge.MeterCalls, 0).Used; got != 800 {
		t.Errorf("used %d", got)
	}
}

// TestSince reaches back over the longest month and a week before it.
func TestSince(t *testing.T) {
	t.Parallel()
	end := time.Date(2026, 12, 31, 23, 59, 0, 0, time.Local)
	if got := quota.Since(end); got > "2026-11-25" {
		t.Errorf("since %s", got)
	}
}
