package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func reachChecks() []check {
	return []check{
		{"until when a bot was reached", reached},
		{"the chats of a bot", chatsOfBot},
		{"which messages are known", knownMessages},
	}
}

func reached(b *bundle) {
	is := func(bot string, want time.Time) {
		b.Helper()
		got, err := b.Reach(b.Context(), bot)
		if b.ok(err); !got.Equal(want) {
			b.Errorf("%s was reached until %v, want %v", bot, got, want)
		}
	}
	is("bot-a", time.Time{})
	at := time.Now().Truncate(time.Microsecond)
	b.ok(b.SaveReach(b.Context(), "bot-a", at))
	b.ok(b.SaveReach(b.Context(), "bot-b", at.Add(time.Hour)))
	b.ok(b.SaveReach(b.Context(), "bot-a", at.Add(time.Minute)))
	b.ok(b.SaveReach(b.Context(), "bot-a", at)) // somebody who was away
	b.reopen()
	is("bot-a", at.Add(time.Minute))
	is("bot-b", at.Add(time.Hour))
	b.ok(b.SaveReach(b.Context(), "bot-b", at)) // its clock was ahead
	is("bot-b", at)
}

// chatsOfBot: a person's chat with this bot counts, also when they wrote to
// another one last, and a chat counts once.
func chatsOfBot(b *bundle) {
	direct := func(n bridge.NewJob, chat string) bridge.NewJob {
		n.Message.Chat = bridge.Chat{ID: chat, Kind: bridge.Direct, Thread: "a topic"}
		return n
	}
	b.acceptJobs(direct(from("p:old:x", "m0", "bot-a", "one"), "chat-0"))
	pass(time.Hour)
	since := time.Now()
	click := action("e1")
	b.acceptJobs(
		direct(from("p:a:x", "m1", "bot-a", "one"), "chat-1"), direct(from("p:a:x", "m2", "bot-a", "one"), "chat-1"),
		direct(from("p:a:x", "m3", "bot_a", "two"), "chat-2"),
		direct(from("p:a:y", "m4", "bot-a", "one"), "chat-1"), inGroup("g1", "Sales"), click)
	want := []bridge.Chat{{ID: "chat-9", Kind: bridge.Group, Title: "Sales"}, {ID: "chat-1", Kind: bridge.Direct}}
	got, err := b.Chats(b.Context(), "bot-a", since, 10)
	b.ok(err)
	if diff := cmp.Diff(want, got); diff != "" {
		b.Error(diff)
	}
	for most, n := range map[int]int{1: 1, 10: 2} {
		if got, err := b.Chats(b.Context(), "bot-a", since, most); err != nil || len(got) != n {
			b.Errorf("at most %d: %+v, %v", most, got, err)
		}
	}
	if got, err := b.Chats(b.Context(), "bot-a", time.Time{}, 10); err != nil || len(got) != 3 {
		b.Errorf("since ever: %+v, %v", got, err)
	}
	if got, err := b.Chats(b.Context(), "bot", time.Time{}, 10); err != nil || len(got) != 0 {
		b.Errorf("of nobody: %+v, %v", got, err)
	}
}

func knownMessages(b *bundle) {
	b.acceptJobs(job("p:a:x", "m1"), action("e1"), from("p:a:x", "m2", "bot-z", "one"))
	got, err := b.Known(b.Context(), "bot-a", []bridge.MessageID{"m1", "m2", "e1", "m3"})
	b.ok(err)
	if diff := cmp.Diff(map[bridge.MessageID]bool{"m1": true}, got); diff != "" {
		b.Error(diff)
	}
	if got, err := b.Known(b.Context(), "bot-a", nil); err != nil || len(got) != 0 {
		b.Errorf("of none: %v, %v", got, err)
	}
}
