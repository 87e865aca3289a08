package people_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/people"
)

// TestRooms: what a group is called is asked for once a day; what was known stays
// when it cannot be looked up, which is tried again soon.
func TestRooms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked, name, slow := 0, "午饭群", time.Duration(0)
		var err error
		rooms := people.NewRooms(func(ctx context.Context, bot, chat string) (string, error) {
			asked++
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(slow):
			}
			return name + bot + chat, err
		}, slog.New(slog.DiscardHandler))
		want := func(after time.Duration, called string, times int) {
			t.Helper()
			pass(after)
			begun := time.Now()
			if got := rooms.Name(t.Context(), "b", "1"); got != called || asked != times || time.Since(begun) > time.Second {
				t.Errorf("called %q, asked %d times, took %s", got, asked, time.Since(begun))
			}
		}
		slow = time.Hour
		want(0, "", 1)
		want(58*time.Second, "", 1)
		slow, err = 0, &bridge.Error{Kind: bridge.KindForbidden}
		want(2*time.Second, "", 2)
		want(9*time.Minute, "", 2)
		err = nil
		want(time.Minute, "午饭群b1", 3)
		name = "饭"
		want(23*time.Hour, "午饭群b1", 3)
		want(time.Hour, "饭b1", 4)
		err = &bridge.Error{Kind: bridge.KindUnavailable}
		want(24*time.Hour, "饭b1", 5)
		want(time.Second, "饭b1", 5)
		err = nil
		if got := rooms.Name(t.Context(), "b", "2"); got != "饭b2" {
			t.Errorf("another is called %q", got)
		}
		if got := rooms.Name(t.Context(), "c", "1"); got != "饭c1" {
			t.Errorf("that of another bot is called %q", got)
		}
		asked, err = 0, &bridge.Error{Kind: bridge.KindUnsupported}
		for range 2 {
			if got := rooms.Name(t.Context(), "d", "1"); got != "" {
				t.Errorf("called %q", got)
			}
		}
		gone, stop := context.WithCancel(t.Context())
		stop()
		err, slow = nil, time.Minute
		if got := rooms.Name(gone, "e", "1"); got != "" {
			t.Errorf("called %q", got)
		}
		slow = 0
		if got := rooms.Name(t.Context(), "e", "1"); got != "饭e1" {
			t.Errorf("after a message that was given up: %q", got)
		}
	})
}
