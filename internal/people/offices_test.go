package people_test

import (
	"context"
	"errors"
	"log/slog"
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
			if diff := cmp.Diff(w.want, o.Names(b.Context(), "bot", w.ids)); diff != "" {
				b.Errorf("%v: %s", w.ids, diff)
			}
		}
		if c.asked != 1 {
			b.Errorf("asked %d times", c.asked)
		}
		again := &company{err: errors.New("not now")}
		if got := b.offices(again).Names(b.Context(), "bot", []string{"4"}); len(got) != 3 || again.asked != 0 {
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
		if diff := cmp.Diff([]string{"a", "b"}, o.Names(b.Context(), "bot", []string{"1"})); diff != "" {
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
			if got := o.Names(b.Context(), "bot", []string{"4"}); got != nil {
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
		if got := o.Names(b.Context(), "bot", []string{"4"}); len(got) != 3 {
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
		if got := o.Names(b.Context(), "bot", []string{"4"}); len(got) != 3 {
			b.Errorf("what was known is gone: %v", got)
		}
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
