package storetest

func noteChecks() []check {
	return []check{{"the notes of bots", notesOfBots}}
}

// notesOfBots: a note is kept for its bot under its name, the last one counts,
// and all survive a restart.
func notesOfBots(b *bundle) {
	is := func(bot, name, want string) {
		b.Helper()
		got, err := b.Note(b.Context(), bot, name)
		if b.ok(err); got != want {
			b.Errorf("%s of %s is %q, want %q", name, bot, got, want)
		}
	}
	is("bot-a", "cursor", "")
	for _, n := range [][3]string{{"bot-a", "cursor", "one"}, {"bot-b", "cursor", "other"}, {"bot-a", "files", `{"a":"字"}`}, {"bot-a", "cursor", "two"}} {
		b.ok(b.KeepNote(b.Context(), n[0], n[1], n[2]))
	}
	b.reopen()
	is("bot-a", "cursor", "two")
	is("bot-b", "cursor", "other")
	is("bot-a", "files", `{"a":"字"}`)
	b.ok(b.KeepNote(b.Context(), "bot-a", "cursor", ""))
	is("bot-a", "cursor", "")
	is("bot-b", "files", "")
}
