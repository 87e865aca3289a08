package quota

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	// paceDays is how many days a forecast looks back: a whole week, because
	// nobody asks on Sunday what they ask on Monday.
	paceDays = 7
	// kept is how far back Since reaches: a month, and what a forecast on its
	// first day looks at.
	kept = 31 + paceDays
)

// line is where a count stands in a Ledger.
type line struct {
	account, bot string
	meter        bridge.Meter
	day          string
}

// Ledger adds up what is used of monthly allowances, by the day. Make one with
// NewLedger; all methods may be called from several goroutines at once.
//
// Counting costs no more than a lock. Somebody else writes down what Fresh
// returns and says with Written or Failed how it went, so that a crash loses
// what was counted since, and several programs can add to the same account.
type Ledger struct {
	mu      sync.Mutex
	stored  map[line]int // by us and by others
	leaving map[line]int // on its way into the store
	fresh   map[line]int // counted since
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{stored: map[line]int{}, leaving: map[line]int{}, fresh: map[line]int{}}
}

// Count counts one for a bot, today.
func (l *Ledger) Count(account, bot string, m bridge.Meter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fresh[line{account, bot, m, time.Now().Format(day)}]++
}

// Changed says that something was counted that is not written down.
func (l *Ledger) Changed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.fresh) > 0
}

// Since is the first day that matters.
func Since(now time.Time) string { return now.AddDate(0, 0, -kept).Format(day) }

// Fresh returns what was counted since the last call. Until Written or Failed it
// is not called again.
func (l *Ledger) Fresh() []bridge.Spending {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaving, l.fresh = l.fresh, map[line]int{}
	all := make([]bridge.Spending, 0, len(l.leaving))
	for at, n := range l.leaving {
		all = append(all, bridge.Spending{Account: at.account, Bot: at.bot, Meter: at.meter, Day: at.day, Used: n})
	}
	slices.SortFunc(all, func(a, b bridge.Spending) int { // all programs write in the same order
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Bot, b.Bot), cmp.Compare(a.Meter, b.Meter), cmp.Compare(a.Day, b.Day))
	})
	return all
}

// Written takes all that is stored now, of everybody.
func (l *Ledger) Written(all []bridge.Spending) {
	stored := make(map[line]int, len(all))
	for _, s := range all {
		stored[line{s.Account, s.Bot, s.Meter, s.Day}] += s.Used
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored, l.leaving = stored, map[line]int{}
}

// Failed says that what Fresh returned was not stored.
func (l *Ledger) Failed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at, n := range l.leaving {
		l.fresh[at] += n
	}
	l.leaving = map[line]int{}
}

// Month says how an allowance stands in the present month.
func (l *Ledger) Month(account string, m bridge.Meter, allowance int) bridge.Budget {
	now := time.Now()
	year, month, today := now.Date()
	first := time.Date(year, month, 1, 0, 0, 0, 0, now.Location())
	b := bridge.Budget{Account: account, Meter: m, Allowance: allowance, ByBot: map[string]int{}, Renews: first.AddDate(0, 1, 0)}
	from := time.Date(year, month, today-paceDays+1, 0, 0, 0, 0, now.Location())
	lately, earliest := 0, now.Format(day)
	l.each(account, m, func(at line, n int) {
		if at.day >= first.Format(day) {
			b.Used += n
			if at.bot != "" {
				b.ByBot[at.bot] += n
			}
		}
		if at.day >= from.Format(day) {
			lately += n
		}
		earliest = min(earliest, at.day)
	})
	if begun, err := time.ParseInLocation(day, earliest, now.Location()); err == nil && begun.After(from) {
		from = begun // the days before it were not counted
	}
	b.RunsOut = runsOut(b, lately, from, now)
	return b
}

// runsOut continues the pace since from. There is no forecast before a whole day
// was counted, nor one that differs from the end of the month by a day only.
func runsOut(b bridge.Budget, lately int, from, now time.Time) time.Time {
	const day = 24 * time.Hour
	if b.Allowance <= 0 || b.Spent() || lately == 0 || now.Sub(from) < day {
		return time.Time{}
	}
	left := float64(b.Allowance-b.Used) / float64(lately) * float64(now.Sub(from))
	if left >= float64(b.Renews.Sub(now)-day) {
		return time.Time{}
	}
	return now.Add(time.Duration(left))
}

// each visits every count of an account.
func (l *Ledger) each(account string, m bridge.Meter, visit func(line, int)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, all := range []map[line]int{l.stored, l.leaving, l.fresh} {
		for at, n := range all {
			if at.account == account && at.meter == m {
				visit(at, n)
			}
		}
	}
}
