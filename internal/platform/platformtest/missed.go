package platformtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// checkMissed: what was written since a moment is listed in order, over several
// pages, complete like a message that was delivered; whoever has enough ends it.
func checkMissed(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	lister, ok := bot.(bridge.Backfiller)
	if !ok {
		return
	}
	keeper, ok := b.fake.(Keeper)
	if !ok {
		t.Fatal("the fake of a Backfiller has to be a Keeper")
	}
	const many = 120
	chat := bridge.Chat{ID: b.to(t, "1").Chat, Kind: bridge.Direct}
	since := time.Now().Add(-time.Hour).Truncate(time.Second)
	keeper.Keep(chat.ID, "before", "too early", since.Add(-time.Minute))
	for n := range many {
		keeper.Keep(chat.ID, fmt.Sprintf("m%03d", n), fmt.Sprintf("text %d", n), since.Add(time.Duration(n)*time.Second))
	}
	n := 0
	for m, err := range lister.Missed(t.Context(), chat, since) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("text %d", n); m.Text != want || m.Chat.ID != chat.ID || m.Chat.Kind != chat.Kind || !m.SentAt.Equal(since.Add(time.Duration(n)*time.Second)) {
			t.Errorf("the %d. is %+v", n, m)
		}
		b.complete(t, m)
		n++
	}
	if n != many {
		t.Errorf("%d of %d are listed", n, many)
	}
	before := b.fake.Calls()
	for _, err := range lister.Missed(t.Context(), chat, since) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if calls := b.fake.Calls() - before; calls != 1 {
		t.Errorf("%d calls for one message", calls)
	}
	for m, err := range lister.Missed(t.Context(), bridge.Chat{ID: chat.ID + "x", Kind: bridge.Direct}, since) {
		t.Errorf("of a chat that the bot is not in there is %+v, %v", m, err)
	}
	b.failsToList(t, "given up", canceled(t), bot, chat, bridge.KindCanceled)
	b.failsToList(t, "nobody", t.Context(), b.openAt(t, nobody(t)), chat, bridge.KindUnavailable)
	b.failsToList(t, "broken", t.Context(), b.openAt(t, broken(t).URL), chat, bridge.KindUnavailable)
}

// failsToList wants one error and nothing else.
func (b *bundle) failsToList(t *testing.T, name string, ctx context.Context, bot bridge.Bot, chat bridge.Chat, kind bridge.Kind) { //nolint:revive // the context belongs to the bot
	t.Helper()
	lister, ok := bot.(bridge.Backfiller)
	if !ok {
		t.Fatalf("%s: not a Backfiller any more", name)
	}
	n := 0
	for m, err := range lister.Missed(ctx, chat, time.Now()) {
		n++
		b.wants(t, name, err, kind)
		if m.ID != "" {
			t.Errorf("%s: a message beside the error: %+v", name, m)
		}
	}
	if n != 1 {
		t.Errorf("%s: %d results", name, n)
	}
}
