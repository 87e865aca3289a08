package storetest

import (
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// alike makes people whom a directory knows by the same address.
func (b *bundle) alike(email string, users ...string) []bridge.Person {
	b.Helper()
	var all []bridge.Person
	for _, user := range users {
		all = append(all, b.person(identity(user)))
		b.ok(b.SaveProfile(b.Context(), identity(user), bridge.Profile{Email: email}, time.Now()))
	}
	return all
}

// suggested wants these pairs to be suggested.
func (b *bundle) suggested(when string, want ...[2]bridge.Person) {
	b.Helper()
	got, err := b.Suggestions(b.Context())
	b.ok(err)
	is, pairs := map[[2]string]bool{}, map[[2]string]bool{}
	for _, s := range got {
		is[s.People] = true
	}
	for _, w := range want {
		pairs[[2]string{min(w[0].ID, w[1].ID), max(w[0].ID, w[1].ID)}] = true
	}
	if diff := cmp.Diff(pairs, is); diff != "" || len(got) != len(want) {
		b.Errorf("%s: %s", when, diff)
	}
}

// toldApart: who was told apart is not suggested, also not as part of somebody else,
// until that is taken back.
func toldApart(b *bundle) {
	all := b.alike("desk@x.example", "a", "c", "z")
	a, c, z := all[0], all[1], all[2]
	b.ok(b.TellApart(b.Context(), z.ID, a.ID, window()))
	b.ok(b.TellApart(b.Context(), a.ID, z.ID, window())) // once is enough
	b.reopen()
	b.suggested("told apart", [2]bridge.Person{a, c}, [2]bridge.Person{c, z})
	audits, err := b.Audits(b.Context(), bridge.AuditQuery{Kind: bridge.AuditApart})
	b.ok(err)
	first := a.ID
	if z.ID < first {
		first = z.ID
	}
	if len(audits) != 1 || audits[0].Person != first || audits[0].By != window() || !audits[0].Undoable {
		b.Errorf("audit %+v", audits)
	}
	b.ok(b.Merge(b.Context(), c.ID, z.ID, window()))
	b.suggested("one of them is somebody else, too")
	b.undoLast(z.ID)
	b.suggested("and no longer", [2]bridge.Person{a, c}, [2]bridge.Person{c, z})
	b.ok(b.Undo(b.Context(), audits[0].ID, window()))
	b.suggested("taken back", [2]bridge.Person{a, c}, [2]bridge.Person{c, z}, [2]bridge.Person{a, z})
	b.ok(b.TellApart(b.Context(), a.ID, z.ID, window()))
	b.suggested("and again", [2]bridge.Person{a, c}, [2]bridge.Person{c, z})
	for err, want := range map[error]bridge.Kind{
		b.TellApart(b.Context(), a.ID, a.ID, window()):       bridge.KindInvalid,
		b.TellApart(b.Context(), a.ID, "p_nobody", window()): bridge.KindNotFound,
	} {
		if bridge.KindOf(err) != want {
			b.Errorf("error %v, want %s", err, want)
		}
	}
}
