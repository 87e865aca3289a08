package people_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/people"
)

// directory is a scripted directory.
type directory struct {
	profile bridge.Profile
	err     error
	slow    time.Duration
	asked   int
}

func (d *directory) lookUp(ctx context.Context, _ string, _ bridge.UserID) (bridge.Profile, error) {
	d.asked++
	if d.slow > 0 {
		select {
		case <-ctx.Done():
			return bridge.Profile{}, ctx.Err()
		case <-time.After(d.slow):
		}
	}
	return d.profile, d.err
}

func TestProfile(t *testing.T) {
	t.Parallel()
	ann := bridge.Profile{Name: "安", Email: "a@x.example", Department: "HR"}
	moved := bridge.Profile{Name: "安", Email: "a@x.example", Department: "IT"}
	unnamed := who("two", "zhang2")
	unnamed.Name = ""
	meet := func(b *bundle, d *directory) bridge.Profile {
		got, _ := people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler)).Meet(b.Context(), "bot", unnamed)
		return got
	}
	old := func(b *bundle, d *directory) bool {
		_, old := people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler)).Meet(b.Context(), "bot", unnamed)
		return old
	}
	refresh := func(b *bundle, d *directory) {
		people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler)).Refresh(b.Context(), "bot", unnamed)
	}
	t.Run("once, then weekly", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(b *bundle) {
			d := &directory{profile: ann}
			for range 3 {
				if diff := cmp.Diff(ann, meet(b, d)); diff != "" {
					b.Error(diff)
				}
				refresh(b, d)
			}
			time.Sleep(6 * 24 * time.Hour)
			refresh(b, d)
			if d.asked != 1 || old(b, d) {
				b.Errorf("asked %d times", d.asked)
			}
			time.Sleep(25 * time.Hour)
			d.profile = moved
			if !old(b, d) {
				b.Error("it is not old after a week")
			}
			if got := meet(b, d); got != ann || d.asked != 1 {
				b.Errorf("an old profile held up an answer: %+v", got)
			}
			refresh(b, d)
			if got := meet(b, d); got != moved || d.asked != 2 {
				b.Errorf("profile %+v, asked %d times", got, d.asked)
			}
		})
	})
	t.Run("name where messages have none", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(b *bundle) {
			if got, err := b.store.PersonOf(b.Context(), bridge.Identity{Platform: "four", User: "x"}); err != nil || got.Name != "" {
				b.Fatal(got, err)
			}
			d := &directory{profile: ann}
			p := people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler))
			p.Meet(b.Context(), "bot", bridge.Identity{Platform: "four", User: "x"})
			if got, _ := b.store.PersonOf(b.Context(), bridge.Identity{Platform: "four", User: "x"}); got.Name != "安" {
				b.Errorf("person %+v", got)
			}
			p.Meet(b.Context(), "bot", who("one", "zhang"))
			if got, err := b.store.Person(b.Context(), b.zhang.ID); err != nil || got.Name != "zhang" {
				b.Errorf("the name in the messages gave way: %+v %v", got, err)
			}
		})
	})
	t.Run("without permission", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(b *bundle) {
			d := &directory{err: &bridge.Error{Kind: bridge.KindForbidden}}
			for range 3 {
				if got := meet(b, d); got != (bridge.Profile{}) {
					b.Errorf("profile %+v", got)
				}
			}
			if d.asked != 1 {
				b.Errorf("asked %d times", d.asked)
			}
		})
	})
	t.Run("nothing to be had", func(t *testing.T) { // for a week, where trouble is over sooner
		t.Parallel()
		for kind, soon := range map[bridge.Kind]bool{bridge.KindForbidden: false, bridge.KindNotFound: false, bridge.KindUnavailable: true} {
			inBubble(t, func(b *bundle) {
				d := &directory{err: &bridge.Error{Kind: kind}}
				p := people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler))
				p.Meet(b.Context(), "bot", who("one", "zhang"))
				pass(2 * time.Hour)
				if _, old := p.Meet(b.Context(), "bot", who("one", "zhang")); old != soon {
					b.Errorf("%s: to be asked again: %t", kind, old)
				}
			})
		}
	})
	t.Run("without a directory", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(b *bundle) {
			d := &directory{err: &bridge.Error{Kind: bridge.KindUnsupported}}
			meet(b, d)
			if _, at, err := b.store.Profile(b.Context(), unnamed); err != nil || !at.IsZero() {
				b.Errorf("stored at %v, %v", at, err)
			}
		})
	})
	t.Run("slow, then down", func(t *testing.T) {
		t.Parallel()
		inBubble(t, func(b *bundle) {
			d := &directory{profile: ann, slow: time.Minute}
			start := time.Now()
			if got := meet(b, d); got != (bridge.Profile{}) || time.Since(start) != 2*time.Second {
				b.Errorf("profile %+v after %v", got, time.Since(start))
			}
			meet(b, d)
			refresh(b, d)
			if d.asked != 1 {
				b.Errorf("asked %d times", d.asked)
			}
			time.Sleep(time.Hour)
			d.slow = 0
			refresh(b, d)
			if got := meet(b, d); got != ann {
				b.Errorf("profile %+v", got)
			}
			time.Sleep(8 * 24 * time.Hour)
			d.err = &bridge.Error{Kind: bridge.KindUnavailable}
			refresh(b, d)
			if got := meet(b, d); got != ann {
				b.Errorf("the known profile was lost: %+v", got)
			}
		})
	})
	t.Run("when we stop", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			b := setup(t)
			ctx, cancel := context.WithCancel(t.Context())
			d := &directory{slow: time.Minute}
			time.AfterFunc(time.Second, cancel)
			people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler)).Meet(ctx, "bot", unnamed)
			if _, at, err := b.store.Profile(t.Context(), unnamed); err != nil || !at.IsZero() {
				t.Errorf("stored at %v, %v", at, err)
			}
		})
	})
}

// TestCurrent: what a decision depends on is looked up when it is old, and soon again
// when it is not known; Meet goes on with what there is.
func TestCurrent(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		d := &directory{err: &bridge.Error{Kind: bridge.KindUnavailable}}
		p := people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler))
		want := func(after time.Duration, department string, asked int) {
			b.Helper()
			pass(after)
			if got := p.Current(b.Context(), "bot", who("one", "zhang")); got.Department != department || d.asked != asked {
				b.Errorf("department %q, asked %d times", got.Department, d.asked)
			}
		}
		want(0, "", 1)
		want(50*time.Second, "", 1)
		want(10*time.Second, "", 2)
		d.err = &bridge.Error{Kind: bridge.KindForbidden}
		want(time.Minute, "", 3)
		want(9*time.Minute, "", 3)
		want(time.Minute, "", 4)
		d.err, d.profile = nil, bridge.Profile{Name: "安"} // the right to see departments is missing
		want(10*time.Minute, "", 5)
		d.profile.Department = "HR"
		want(9*time.Minute, "", 5)
		want(time.Minute, "HR", 6)
		want(6*24*time.Hour, "HR", 6)
		d.profile.Department = "IT"
		pass(25 * time.Hour)
		if got, old := p.Meet(b.Context(), "bot", who("one", "zhang")); got.Department != "HR" || !old || d.asked != 6 {
			b.Errorf("met %+v, asked %d times", got, d.asked)
		}
		want(0, "IT", 7)
		d.err = &bridge.Error{Kind: bridge.KindUnavailable}
		want(8*24*time.Hour, "IT", 8)
		want(59*time.Minute, "IT", 8)
		want(time.Minute, "IT", 9)
		d.err, d.profile.Department = nil, ""
		want(2*time.Hour, "", 10)
	})
}

// TestClockPutBack: what was looked up while the clock was ahead is not good until
// then.
func TestClockPutBack(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		d := &directory{profile: bridge.Profile{Department: "IT"}}
		p := people.NewProfiles(b.store, d.lookUp, slog.New(slog.DiscardHandler))
		ahead := time.Now().AddDate(1, 0, 0)
		for _, user := range []string{"ann", "bob"} {
			if err := b.store.SaveProfile(b.Context(), who("one", user), bridge.Profile{Department: "HR"}, ahead); err != nil {
				b.Fatal(err)
			}
		}
		if got, old := p.Meet(b.Context(), "bot", who("one", "ann")); got.Department != "HR" || !old {
			b.Errorf("met %+v, old %v", got, old)
		}
		if p.Refresh(b.Context(), "bot", who("one", "ann")); d.asked != 1 {
			b.Errorf("asked %d times", d.asked)
		}
		if got := p.Current(b.Context(), "bot", who("one", "bob")); got.Department != "IT" || d.asked != 2 {
			b.Errorf("decided for %+v, asked %d times", got, d.asked)
		}
		if got := p.Current(b.Context(), "bot", who("one", "bob")); got.Department != "IT" || d.asked != 2 {
			b.Errorf("then for %+v, asked %d times", got, d.asked)
		}
	})
}
