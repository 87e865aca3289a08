package storetest

import (
	"time"

	"switchboard/internal/bridge"
)

func toldOnce(b *bundle) {
	tell := func(topic string, job int64) bool {
		b.Helper()
		say, err := b.Tell(b.Context(), topic, job, 10*time.Minute)
		b.ok(err)
		return say
	}
	if !tell("x", 1) || tell("x", 2) || !tell("x", 1) || !tell("y", 2) {
		b.Error("not once each")
	}
	b.reopen()
	pass(9 * time.Minute)
	if tell("x", 3) {
		b.Error("again after 9 minutes")
	}
	pass(2 * time.Minute)
	if !tell("x", 4) || tell("x", 5) {
		b.Error("not once after 11 minutes")
	}
}

func muted(b *bundle) {
	until := func() time.Duration {
		b.Helper()
		at, err := b.MutedUntil(b.Context(), "bot-a/room")
		b.ok(err)
		if at.IsZero() {
			return 0
		}
		return time.Until(at).Round(time.Second)
	}
	if got := until(); got != 0 {
		b.Errorf("muted for %v", got)
	}
	b.ok(b.Mute(b.Context(), "bot-a/room", time.Now().Add(time.Hour)))
	b.ok(b.Mute(b.Context(), "bot-a/other", time.Now().Add(2*time.Hour)))
	b.reopen()
	if got := until(); got != time.Hour {
		b.Errorf("muted for %v", got)
	}
	b.ok(b.Mute(b.Context(), "bot-a/room", time.Time{}))
	if got := until(); got != 0 {
		b.Errorf("muted for %v", got)
	}
	b.ok(b.Mute(b.Context(), "bot-a/room", time.Now().Add(time.Minute)))
	pass(time.Minute)
	if got := until(); got != 0 {
		b.Errorf("muted for %v", got)
	}
}

func closeAll(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.saveSession("a-1", a, agent)
	b.saveSession("a-2", a, "second")
	b.saveSession("z-1", z, agent)
	b.ok(b.CloseSessionsOf(b.Context(), a.ID))
	if got := b.sessionWith(a, agent) + b.sessionWith(a, "second") + b.sessionWith(z, agent); got != "z-1" {
		b.Errorf("open %q", got)
	}
	b.ok(b.Link(b.Context(), identity("a"), z.ID))
	b.ok(b.CloseSessionsOf(b.Context(), a.ID)) // by a job that was claimed before
	if got := b.sessionWith(z, agent); got != "" {
		b.Errorf("open %q", got)
	}
}

func lastMessage(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	if _, found, err := b.LastMessage(b.Context(), a.ID); err != nil || found {
		b.Error(found, err)
	}
	b.acceptJobs(asks("a", "a1", lane(a)), asks("a", "a2", "p:"+a.ID+":second"), asks("z", "z1", lane(z)), asks("a", "g1", "g:bot:chat:"+agent))
	got, found, err := b.LastMessage(b.Context(), a.ID)
	if err != nil || !found || got.ID != "a2" || got.Address.Chat != "chat-1" || got.Text != "question a2" {
		b.Errorf("%+v %v %v", got, found, err)
	}
	b.ok(b.Merge(b.Context(), z.ID, a.ID, window()))
	if got, _, err := b.LastMessage(b.Context(), a.ID); err != nil || got.ID != "z1" {
		b.Errorf("after merging: %+v %v", got, err)
	}
}

// lastWaiting finds the message somebody was told at that they have to wait; a
// name with a wildcard in it is only itself.
func lastWaiting(b *bundle) {
	ids := b.acceptJobs(asks("a", "g1", "g:bot:chat:"+agent), asks("a", "g2", "g:bot:chat:"+agent), asks("z", "g3", "g:bot:chat:"+agent))
	for n, topic := range []string{"refused p_1 bot approval", "refused p_1 bot2 approval", "refused px1 bot approval"} {
		_, err := b.Tell(b.Context(), topic, ids[n], time.Minute)
		b.ok(err)
		pass(time.Second)
	}
	_, err := b.Tell(b.Context(), "refused p_1 bot closed", ids[2], time.Minute)
	b.ok(err)
	if got, found, err := b.LastWaiting(b.Context(), "p_1"); err != nil || !found || got.ID != "g2" {
		b.Errorf("%+v %v %v", got, found, err)
	}
	if got, found, err := b.LastWaiting(b.Context(), "p_"); err != nil || found {
		b.Errorf("%+v %v %v", got, found, err)
	}
	y, z := b.person(identity("y")), b.person(identity("z"))
	_, err = b.Tell(b.Context(), "refused "+y.ID+" bot approval", ids[0], time.Minute)
	b.ok(err)
	b.ok(b.Merge(b.Context(), y.ID, z.ID, window()))
	if got, found, err := b.LastWaiting(b.Context(), z.ID); err != nil || !found || got.ID != "g1" {
		b.Errorf("of whoever they turned out to be: %+v %v %v", got, found, err)
	}
}

func lastMessageTo(b *bundle) {
	a := b.person(identity("a"))
	other := asks("a", "a2", lane(a))
	other.Message.Bot = "bot_2" // with a wildcard in it
	b.acceptJobs(asks("a", "a1", lane(a)), other, asks("a", "g1", "g:bot:chat:"+agent))
	for bot, want := range map[string]bridge.MessageID{asks("a", "x", "").Message.Bot: "a1", "bot_2": "a2", "bot%2": "", "bot": ""} {
		got, found, err := b.LastMessageTo(b.Context(), a.ID, bot)
		if err != nil || found != (want != "") || got.ID != want {
			b.Errorf("%s: %+v %v %v", bot, got, found, err)
		}
	}
	if _, found, err := b.LastMessageTo(b.Context(), "nobody", "bot_2"); err != nil || found {
		b.Error(found, err)
	}
}
