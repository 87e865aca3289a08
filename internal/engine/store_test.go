package engine_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// fullDisk is a store that keeps no answers for a while.
type fullDisk struct {
	*store.Store
	full atomic.Bool
}

func (s *fullDisk) SaveReply(ctx context.Context, r bridge.Reply) error {
	if s.full.Load() {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: "test: store"}
	}
	return s.Store.SaveReply(ctx, r)
}

// TestAnAttemptLeavesNothingBehind: an attempt that the store ended in the middle of
// an answer shows nothing any more once the next one has shown all of it.
func TestAnAttemptLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		disk := &fullDisk{Store: h.store}
		h.disk = disk
		h.agents["help"].Answer = func(n int, _ bridge.Question) []any {
			if n > 1 {
				return []any{bridge.TextAdded{Text: "all of it"}, bridge.Ended{}}
			}
			return []any{time.Second, bridge.TextAdded{Text: "a beginning"}, time.Second, bridge.TextAdded{Text: ", and more"}, fault(bridge.KindInterrupted)}
		}
		h.chats["one"].Fail = func(call string, n int) error {
			if call == "update" && n == 2 { // the platform is busy, and the disk is full
				disk.full.Store(true)
				time.AfterFunc(2*time.Second, func() { disk.full.Store(false) })
				return &bridge.Error{Kind: bridge.KindRateLimited, Op: "test", RetryAfter: 20 * time.Second}
			}
			return nil
		}
		h.open()
		h.accept(h.message("one", "zhang", "tell me"))
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if got, resumed := strings.Join(h.chats["one"].Texts(), " | "), h.chats["one"].Calls("resume"); got != "all of it" || resumed != 1 {
			t.Errorf("shown %q, resumed %d times", got, resumed)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := h.chats["one"].Shown(); len(got) != 1 || got[0].Text != "all of it" || got[0].Growing {
			t.Errorf("later %+v", got)
		}
	})
}
