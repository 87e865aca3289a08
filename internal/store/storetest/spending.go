package storetest

import (
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func spendingChecks() []check {
	return []check{
		{"what was spent adds up", spendingAddsUp},
		{"many spend at once", spendingAtOnce},
	}
}

func spent(bot, day string, n int) bridge.Spending {
	return bridge.Spending{Account: "lamp", Bot: bot, Meter: bridge.MeterCalls, Day: day, Used: n}
}

func spendingAddsUp(b *bundle) {
	all := func(want ...bridge.Spending) {
		b.Helper()
		got, err := b.Spend(b.Context(), nil, "2026-01-01")
		b.ok(err)
		if diff := cmp.Diff(want, got); diff != "" {
			b.Error(diff)
		}
	}
	all()
	_, err := b.Spend(b.Context(), []bridge.Spending{spent("a", "2026-01-01", 2), spent("a", "2025-12-31", 9), spent("b", "2026-01-01", 3)}, "2025-01-01")
	b.ok(err)
	got, err := b.Spend(b.Context(), []bridge.Spending{spent("a", "2026-01-01", 5), spent("", "2026-01-02", 1)}, "2026-01-01")
	b.ok(err)
	want := []bridge.Spending{spent("", "2026-01-02", 1), spent("a", "2026-01-01", 7), spent("b", "2026-01-01", 3)}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	b.reopen()
	all(want...)
}

func spendingAtOnce(b *bundle) {
	var group sync.WaitGroup
	for n := range 20 {
		group.Go(func() {
			more := []bridge.Spending{spent("a", "2026-01-01", 1), spent(fmt.Sprint(n), "2026-01-01", 1)}
			if _, err := b.Spend(b.Context(), more, "2026-01-01"); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	all, err := b.Spend(b.Context(), nil, "2026-01-01")
	b.ok(err)
	if len(all) != 21 || all[len(all)-1] != spent("a", "2026-01-01", 20) {
		b.Errorf("stored %+v", all)
	}
}
