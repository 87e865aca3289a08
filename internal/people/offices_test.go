package people_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/people"
)

// company is a scripted list of departments.
type company struct {
	all   []bridge.Department
	err   error
	slow  time.Duration
	asked int
}

func (c *company) list(ctx context.Context, _ string) ([]bridge.Department, error) {
	c.asked++
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(c.slow):
	}
	return c.all, c.err
}

func acme() *company {
	return &company{all: []bridge.Department{
		{ID: "1", Name: "示例公司"},
		{ID: "2", Name: "产品/研发部", Above: "1"},
		{ID: "3", Name: "人事部", Above: "1"},
		{ID: "4", Name: "招聘组", Above: "3"},
		{ID: "5", Name: "销售部", Above: "1"},
		{ID: "6", Name: "销售部", Above: "2"},
		{ID: "7", Name: "2", Above: "1"},
		{ID: "8", Above: "3"}, // its name is withheld
		{ID: "3", Name: "人事部", Above: "1"},
	}}
}

func (b *bundle) offices(c *company) *people.Offices {
	return people.NewOffices(b.store, c.list, slog.New(slog.DiscardHandler))
}

// TestOfficeNames: a department is called by its name, and by that of whatever it
// is part of; a name that two have, or that is another's id, means nobody.
func TestOfficeNames(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		c := acme()
		o := b.offices(c)
		for _, w := range []struct{ ids, want []string }{
			{[]string{"4"}, []string{"招聘组", "人事部", "示例公司"}},
			{[]string{"2", "3"}, []string{"产品/研发部", "示例公司", "人事部"}},
			{[]string{"5", "6"}, []string{"示例公司", "产品/研发部"}},
			{[]string{"7"}, []string{"示例公司"}},
			{[]string{"8"}, []string{"人事部", "示例公司"}},
			{[]string{"99", ""}, nil},
			{nil, nil},
		} {
			got, _ := o.Names(b.Context(), "bot", w.ids)
			if diff := cmp.Diff(w.want, got); diff != "" {
				b.Errorf("%v: %s", w.ids, diff)
			}
		}
		if c.asked != 1 {
			b.Errorf("asked %d times", c.asked)
		}
		again := &company{err: errors.New("not now")}
		if got, _ := b.offices(again).Names(b.Context(), "bot", []string{"4"}); len(got) != 3 || again.asked != 0 {
			b.Errorf("after a restart %v, asked %d times", got, again.asked)
		}
	})
}

// TestOfficeRings: departments that are part of one another are no reason to go
// round in circles.
func TestOfficeRings(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		o := b.offices(&company{all: []bridge.Department{{ID: "1", Name: "a", Above: "2"}, {ID: "2", Name: "b", Above: "1"}}})
		got, _ := o.Names(b.Context(), "bot", []string{"1"})
		if diff := cmp.Diff([]string{"a", "b"}, got); diff != "" {
			b.Error(diff)
		}
	})
}

// TestOfficeIsAskedAgain: once a day, and in vain no more than the messages wait.
func TestOfficeIsAskedAgain(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		c := acme()
		c.slow = time.Hour
		o := b.offices(c)
		begun := time.Now()
		for range 2 {
			if got, _ := o.Names(b.Context(), "bot", []string{"4"}); got != nil {
				b.Errorf("names %v", got)
			}
		}
		if waited := time.Since(begun); waited > 3*time.Second { // only the first message waits
			b.Errorf("waited %s", waited)
		}
		c.slow = 10 * time.Second // too slow for a message, not for the list
		for hour := range 48 {
			if err := o.Refresh(b.Context(), "bot"); err != nil {
				b.Errorf("hour %d: %v", hour, err)
			}
			pass(time.Hour)
		}
		if got, _ := o.Names(b.Context(), "bot", []string{"4"}); len(got) != 3 {
			b.Errorf("names %v", got)
		}
		if asked := c.asked; asked != 3 { // in vain, and once a day
			b.Errorf("asked %d times", asked)
		}
		c.err = &bridge.Error{Kind: bridge.KindForbidden}
		pass(24 * time.Hour)
		if err := o.Refresh(b.Context(), "bot"); bridge.KindOf(err) != bridge.KindForbidden {
			b.Errorf("error %v", err)
		}
		if got, _ := o.Names(b.Context(), "bot", []string{"4"}); len(got) != 3 {
			b.Errorf("what was known is gone: %v", got)
		}
	})
}

// TestOfficeUnsure: what cannot be told is not taken for a no.
func TestOfficeUnsure(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		down := &company{err: &bridge.Error{Kind: bridge.KindUnavailable}}
		none := &company{err: &bridge.Error{Kind: bridge.KindUnsupported}}
		for n, w := range []struct {
			from   *company
			ids    []string
			unsure string // of 人事部, 法务, 销售部, 5 and od-9
		}{
			{acme(), []string{"4"}, ""},
			{acme(), []string{"5", "6"}, "销售部 "},
			{acme(), []string{"99"}, ""},
			{acme(), nil, "人事部 法务 销售部 5 od-9 "},
			{down, []string{"4"}, "人事部 法务 销售部 "},
			{down, []string{"5"}, "人事部 法务 销售部 "},
			{down, nil, "人事部 法务 销售部 5 od-9 "},
			{none, []string{"4"}, ""},
			{none, nil, ""},
		} {
			got, bot := "", strconv.Itoa(n)
			_, unsure := b.offices(w.from).Names(b.Context(), bot, w.ids)
			for _, name := range []string{"人事部", "法务", "销售部", "5", "od-9"} {
				if unsure(name) {
					got += name + " "
				}
			}
			if got != w.unsure {
				b.Errorf("%d: %v: unsure of %q, want %q", n, w.ids, got, w.unsure)
			}
		}
		o := b.offices(down)
		refreshed := func() bool {
			_ = o.Refresh(b.Context(), "late")
			_, unsure := o.Names(b.Context(), "late", []string{"4"})
			return !unsure("人事部")
		}
		if refreshed() {
			b.Error("sure of what could not be read")
		}
		down.err = none.err
		if !refreshed() {
			b.Error("still unsure where there are no departments")
		}
		down.err, down.all = nil, acme().all
		if !refreshed() {
			b.Error("still unsure after it was read")
		}
		down.err = &bridge.Error{Kind: bridge.KindUnavailable}
		pass(48 * time.Hour)
		if !refreshed() {
			b.Error("what was known is not known any more")
		}
	})
}

// TestOfficeNamesLikeIDs: what is the id of a department means that one, whatever
// others are called.
func TestOfficeNamesLikeIDs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		o := b.offices(&company{all: []bridge.Department{{ID: "1", Name: "人事部"}, {ID: "2", Name: "1"}, {ID: "3", Name: "1"}}})
		if names, unsure := o.Names(b.Context(), "bot", []string{"2", "3"}); len(names) > 0 || unsure("1") {
			b.Errorf("called %q, unsure %v", names, unsure("1"))
		}
	})
}

// TestOfficeAfterRestart: a list that is fresh is not read again, one of a day to come
// is; a message that was given up is no answer.
func TestOfficeAfterRestart(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		first := acme()
		if err := b.offices(first).Refresh(b.Context(), "bot"); err != nil {
			b.Fatal(err)
		}
		pass(23 * time.Hour)
		second := acme()
		o := b.offices(second)
		for _, wait := range []time.Duration{0, time.Hour} {
			pass(wait)
			if err := o.Refresh(b.Context(), "bot"); err != nil {
				b.Error(err)
			}
		}
		if first.asked != 1 || second.asked != 1 {
			b.Errorf("asked %d and %d times", first.asked, second.asked)
		}
		if err := b.store.KeepNote(b.Context(), "ahead", "departments", `{"at":"2100-01-01T00:00:00Z","all":[{"ID":"4","Name":"招聘组"}]}`); err != nil {
			b.Fatal(err)
		}
		if names, _ := o.Names(b.Context(), "ahead", []string{"4"}); len(names) != 1 {
			b.Errorf("called %q", names)
		}
		if err := o.Refresh(b.Context(), "ahead"); err != nil || second.asked != 2 {
			b.Errorf("asked %d times, %v", second.asked, err)
		}
		gone, stop := context.WithCancel(b.Context())
		stop()
		second.slow = time.Millisecond
		if names, _ := o.Names(gone, "given up", []string{"4"}); len(names) > 0 {
			b.Errorf("called %q", names)
		}
		if names, _ := o.Names(b.Context(), "given up", []string{"4"}); len(names) != 3 {
			b.Errorf("called %q", names)
		}
	})
}

// TestKeepReading: trouble is tried again soon, and less and less often.
func TestKeepReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		due := make(chan struct{})
		begun := time.Now()
		var fine atomic.Bool
		var mu sync.Mutex
		var at []time.Duration
		go people.KeepReading(ctx, due, func(context.Context) bool {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(begun))
			return fine.Load()
		})
		reads := func(rest time.Duration, want ...time.Duration) {
			t.Helper()
			pass(rest)
			mu.Lock()
			defer mu.Unlock()
			for n := range want {
				want[n] *= time.Second
			}
			if diff := cmp.Diff(want, at); diff != "" {
				t.Error(diff)
			}
			at, begun = nil, time.Now()
		}
		reads(40*time.Minute, 0, 15, 45, 105, 225, 465, 945, 1545, 2145)
		due <- struct{}{}
		reads(time.Minute, 0, 15, 45)
		fine.Store(true)
		due <- struct{}{}
		reads(time.Minute, 0)
		reads(30*time.Minute, 9*60, 19*60, 29*60)
		fine.Store(false)
		reads(10*time.Minute, 9*60, 9*60+15, 9*60+45)
		stop()
		synctest.Wait()
		reads(time.Hour)
	})
}

// TestOfficeReview: names that mean nobody are told with what could be meant.
func TestOfficeReview(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		c := acme()
		o := b.offices(c)
		got, err := o.Review(b.Context(), "bot", []string{"人事部", "5", "2", "销售部", "人力"})
		want := []people.Doubt{
			{Name: "销售部", IDs: []string{"5 (示例公司)", "6 (产品/研发部)"}, Known: []string{"2", "产品/研发部", "人事部", "招聘组", "示例公司", "销售部"}},
			{Name: "人力", Known: []string{"2", "产品/研发部", "人事部", "招聘组", "示例公司", "销售部"}},
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			b.Error(diff, err)
		}
		for n := range 20 {
			c.all = append(c.all, bridge.Department{ID: "b" + strconv.Itoa(n), Name: "branch " + strconv.Itoa(n)})
		}
		if got, err := o.Review(b.Context(), "bot", []string{"人力"}); err != nil || len(got) != 1 || len(got[0].Known) != 12 {
			b.Errorf("%v, %v", got, err)
		}
		c.err = &bridge.Error{Kind: bridge.KindForbidden}
		if got, err := o.Review(b.Context(), "bot", []string{"人事部"}); bridge.KindOf(err) != bridge.KindForbidden || got != nil {
			b.Errorf("%v, %v", got, err)
		}
	})
}

// pass lets a while go by.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
