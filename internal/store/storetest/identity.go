package storetest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func identityChecks() []check {
	return []check{
		{"what the directory said", profile},
		{"people with the same e-mail or mobile", suggest},
		{"people who were told apart", toldApart},
		{"a link code is used once", codeOnce},
		{"a link code expires and is replaced", codeLife},
		{"many use one code at once", codeRace},
		{"a code of somebody who was merged", codeMerged},
		{"wrong codes are counted", wrongCodes},
		{"merging and taking it back", mergeUndo},
		{"taking back a merge gives sessions back", mergeSessions},
		{"taking back a merge after one moved on", mergeMoved},
		{"unlinking and taking it back", unlinkUndo},
		{"unlinking keeps the role", unlinkRole},
		{"a chosen name and a role, and back", renameUndo},
		{"a newcomer takes over a role by a merge", mergeNewcomer},
		{"newcomers who wait", newcomers},
		{"newcomers who turn out to be one", waitTogether},
		{"what happened to somebody stays theirs after a merge", mergedHistory},
		{"the audit is read in pages", auditPages},
		{"the audit since a moment", auditSince},
		{"said once in a while", toldOnce},
		{"a chat is muted for a while", muted},
		{"all sessions of a person end", closeAll},
		{"the last message of a person", lastMessage},
		{"the last message of a person to a bot", lastMessageTo},
		{"where somebody was told to wait", lastWaiting},
		{"commands beside a talk are no talk", noTalk},
	}
}

func window() bridge.Actor { return bridge.Actor{Where: "window"} }

func profile(b *bundle) {
	who := identity("u1")
	if p, at, err := b.Profile(b.Context(), who); err != nil || !at.IsZero() || p != (bridge.Profile{}) {
		b.Errorf("before: %+v %v %v", p, at, err)
	}
	want := bridge.Profile{Name: "安", Email: "Ann@x.example", Mobile: "+86 138-0013-8000", Department: "HR", Avatar: "https://x/y"}
	for _, p := range []bridge.Profile{{Name: "old", Email: "old@x.example"}, want} {
		b.ok(b.SaveProfile(b.Context(), who, p, time.Now()))
		pass(time.Hour)
	}
	b.reopen()
	got, at, err := b.Profile(b.Context(), who)
	if diff := cmp.Diff(want, got); diff != "" || err != nil || time.Since(at).Round(time.Second) != time.Hour {
		b.Error(diff, err, at)
	}
	if p, _, _ := b.Profile(b.Context(), identity("u2")); p != (bridge.Profile{}) {
		b.Errorf("somebody else is %+v", p)
	}
}

func suggest(b *bundle) {
	know := func(user string, p bridge.Profile) string {
		b.Helper()
		id := b.person(identity(user)).ID
		b.ok(b.SaveProfile(b.Context(), identity(user), p, time.Now()))
		return id
	}
	ann := know("a", bridge.Profile{Email: "Ann@X.example ", Mobile: "+8613800138000"})
	ann2 := know("a2", bridge.Profile{Email: "ann@x.example", Mobile: "138 0013 8000"})
	bob := know("b", bridge.Profile{Mobile: "008613900139000"})
	bob2 := know("b2", bridge.Profile{Mobile: "13900139000", Email: "not an address"})
	know("c", bridge.Profile{Email: "not an address", Mobile: "8000"})
	know("d", bridge.Profile{Mobile: "8000"})
	know("e", bridge.Profile{})
	pair := func(x, y string) [2]string {
		if x > y {
			x, y = y, x
		}
		return [2]string{x, y}
	}
	got, err := b.Suggestions(b.Context())
	b.ok(err)
	have := map[[2]string]string{}
	for _, g := range got {
		have[g.People] = g.Because
	}
	if diff := cmp.Diff(map[[2]string]string{pair(ann, ann2): "email", pair(bob, bob2): "mobile"}, have); diff != "" || len(got) != 2 {
		b.Error(diff, got)
	}
	b.ok(b.Merge(b.Context(), ann2, ann, window()))
	b.ok(b.Merge(b.Context(), bob, bob2, window()))
	if got, err := b.Suggestions(b.Context()); err != nil || len(got) != 0 {
		b.Errorf("after merging: %v %v", got, err)
	}
}

func linkCode(person string, hash byte) bridge.LinkCode {
	return bridge.LinkCode{
		Person: person, Salt: []byte{1, 2}, Hash: []byte{hash}, Expires: time.Now().Add(10 * time.Minute).Truncate(time.Microsecond),
		Address: bridge.Address{Bot: "bot-a", Chat: "c", Kind: bridge.Direct, Data: []byte(`{"x":1}`)},
	}
}

func codeOnce(b *bundle) {
	a, z, y := b.person(identity("a")), b.person(identity("z")), b.person(identity("y"))
	c := linkCode(z.ID, 7)
	b.ok(b.SaveLinkCode(b.Context(), c))
	b.reopen()
	codes, err := b.LinkCodes(b.Context())
	if diff := cmp.Diff([]bridge.LinkCode{c}, codes); diff != "" || err != nil {
		b.Fatal(diff, err)
	}
	by := bridge.Actor{Who: a.ID, Where: "bot-a"}
	if used, err := b.UseLinkCode(b.Context(), c, a.ID, 42, by); err != nil || !used {
		b.Fatal(used, err)
	}
	if got := b.person(identity("a")); got.ID != z.ID {
		b.Errorf("person %+v", got)
	}
	if used, err := b.UseLinkCode(b.Context(), c, y.ID, 43, by); err != nil || used {
		b.Errorf("used twice: %v %v", used, err)
	}
	if got := b.person(identity("y")); got.ID != y.ID {
		b.Errorf("person %+v", got)
	}
	codes, err = b.LinkCodes(b.Context())
	if err != nil || len(codes) != 1 || codes[0].UsedBy != 42 {
		b.Errorf("codes %+v %v", codes, err)
	}
	audits, err := b.Audits(b.Context(), bridge.AuditQuery{Person: z.ID})
	if err != nil || len(audits) != 1 || audits[0].Kind != bridge.AuditMerged || audits[0].By != by || !audits[0].Undoable {
		b.Errorf("audit %+v %v", audits, err)
	}
}

func codeLife(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	first := linkCode(z.ID, 1)
	b.ok(b.SaveLinkCode(b.Context(), first))
	second := linkCode(z.ID, 2)
	b.ok(b.SaveLinkCode(b.Context(), second))
	if used, err := b.UseLinkCode(b.Context(), first, a.ID, 1, window()); err != nil || used {
		b.Errorf("a replaced code was used: %v", err)
	}
	pass(10 * time.Minute)
	if used, err := b.UseLinkCode(b.Context(), second, a.ID, 1, window()); err != nil || used {
		b.Errorf("an expired code was used: %v", err)
	}
	if codes, err := b.LinkCodes(b.Context()); err != nil || len(codes) != 0 {
		b.Errorf("codes %+v %v", codes, err)
	}
}

func codeRace(b *bundle) {
	z := b.person(identity("z"))
	c := linkCode(z.ID, 3)
	b.ok(b.SaveLinkCode(b.Context(), c))
	var won atomic.Int32
	var wg sync.WaitGroup
	for n := range 8 {
		p := b.person(identity(id(n)))
		wg.Go(func() {
			used, err := b.UseLinkCode(b.Context(), c, p.ID, int64(n+1), window())
			if err != nil {
				b.Error(err)
			}
			if used {
				won.Add(1)
			}
		})
	}
	wg.Wait()
	if ids, err := b.Identities(b.Context(), z.ID); err != nil || len(ids) != 2 || won.Load() != 1 {
		b.Errorf("%d used it, identities %+v, %v", won.Load(), ids, err)
	}
}

func codeMerged(b *bundle) {
	a, z, y := b.person(identity("a")), b.person(identity("z")), b.person(identity("y"))
	c := linkCode(z.ID, 4)
	b.ok(b.SaveLinkCode(b.Context(), c))
	b.ok(b.Merge(b.Context(), z.ID, a.ID, window()))
	if used, err := b.UseLinkCode(b.Context(), c, y.ID, 1, window()); err != nil || !used {
		b.Error(used, err)
	}
	c = linkCode(z.ID, 5)
	b.ok(b.SaveLinkCode(b.Context(), c))
	if used, err := b.UseLinkCode(b.Context(), c, a.ID, 2, window()); err != nil || !used {
		b.Error(used, err)
	}
	for _, user := range []string{"a", "y", "z"} {
		if got := b.person(identity(user)); got.ID != a.ID {
			b.Errorf("%s is %+v", user, got)
		}
	}
}

func wrongCodes(b *bundle) {
	p, q := b.person(identity("a")), b.person(identity("z"))
	wrong := func() bridge.LinkTries {
		b.Helper()
		tries, err := b.CountWrongCode(b.Context(), p.ID, 3, time.Hour)
		b.ok(err)
		return tries
	}
	wrong()
	pass(2 * time.Hour)
	if got := wrong(); got.Wrong != 1 {
		b.Errorf("after two hours %+v", got)
	}
	if got := wrong(); got.Wrong != 2 || !got.LockedUntil.IsZero() {
		b.Errorf("tries %+v", got)
	}
	if got := wrong(); time.Until(got.LockedUntil) != time.Hour {
		b.Errorf("tries %+v", got)
	}
	b.reopen()
	got, err := b.LinkTries(b.Context(), p.ID)
	if err != nil || time.Until(got.LockedUntil).Round(time.Second) != time.Hour {
		b.Errorf("tries %+v %v", got, err)
	}
	if got, err := b.LinkTries(b.Context(), q.ID); err != nil || got != (bridge.LinkTries{}) {
		b.Errorf("somebody else: %+v %v", got, err)
	}
}

func mergeUndo(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.ok(b.Link(b.Context(), identity("a2"), a.ID))
	b.acceptJobs(asks("a", "a1", lane(a)), asks("z", "z1", lane(z)), asks("a2", "a2", lane(a)))
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	for _, user := range []string{"a", "a2", "z"} {
		if got := b.person(identity(user)); got != z {
			b.Errorf("%s is %+v", user, got)
		}
	}
	if err := b.Merge(b.Context(), a.ID, z.ID, window()); bridge.KindOf(err) != bridge.KindNotFound {
		b.Errorf("merging nobody: %v", err)
	}
	if err := b.Merge(b.Context(), z.ID, z.ID, window()); bridge.KindOf(err) != bridge.KindInvalid {
		b.Errorf("merging with oneself: %v", err)
	}
	if err := b.Merge(b.Context(), z.ID, "p_nobody", window()); bridge.KindOf(err) != bridge.KindNotFound {
		b.Errorf("merging into nobody: %v", err)
	}
	b.undoLast(z.ID)
	for user, want := range map[string]string{"a": a.ID, "a2": a.ID, "z": z.ID} {
		if got := b.person(identity(user)); got.ID != want {
			b.Errorf("after undo %s is %+v", user, got)
		}
	}
	if diff := cmp.Diff([]string{"a1", "a2"}, b.said(lane(a))); diff != "" {
		b.Error(diff)
	}
	audits, err := b.Audits(b.Context(), bridge.AuditQuery{Person: z.ID})
	b.ok(err)
	if len(audits) != 2 || audits[0].Kind != bridge.AuditUndone || audits[0].Undoes != audits[1].ID || audits[1].Undoable {
		b.Errorf("audit %+v", audits)
	}
	for _, a := range audits {
		if err := b.Undo(b.Context(), a.ID, window()); bridge.KindOf(err) != bridge.KindInvalid {
			b.Errorf("undone twice: %v", err)
		}
	}
	if got := b.finish(); len(got) != 3 {
		b.Errorf("finished %v", got)
	}
}

// undoLast takes back the latest entry about a person.
func (b *bundle) undoLast(person string) {
	b.Helper()
	audits, err := b.Audits(b.Context(), bridge.AuditQuery{Person: person, Limit: 1})
	b.ok(err)
	if len(audits) != 1 {
		b.Fatal("no audit")
	}
	b.ok(b.Undo(b.Context(), audits[0].ID, bridge.Actor{Where: "window"}))
}

func (b *bundle) saveSession(id string, p bridge.Person, agent string) {
	b.Helper()
	s := session(id, "p:"+p.ID+":"+agent)
	s.Person, s.Agent = p.ID, agent
	b.ok(b.SaveSession(b.Context(), s))
	pass(time.Hour)
}

func (b *bundle) sessionWith(p bridge.Person, agent string) string {
	b.Helper()
	s, _, err := b.Session(b.Context(), "p:"+p.ID+":"+agent, agent, time.Now().Add(-week))
	b.ok(err)
	return s.ID
}

func mergeSessions(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.saveSession("z-old", z, agent)
	b.saveSession("a-new", a, agent)
	b.saveSession("a-old", a, "second")
	b.saveSession("z-new", z, "second")
	b.saveSession("z-third", z, "third")
	b.saveSession("a-third", a, "third")
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	for name, want := range map[string]string{agent: "a-new", "second": "z-new", "third": "a-third"} {
		if got := b.sessionWith(z, name); got != want {
			b.Errorf("with %s %s continues, want %s", name, got, want)
		}
	}
	b.ok(b.CloseSessions(b.Context(), "p:"+z.ID+":third"))
	b.saveSession("z-fresh", z, "third")
	b.undoLast(z.ID)
	for _, c := range []struct {
		p           bridge.Person
		agent, want string
	}{
		{a, agent, "a-new"},
		{z, agent, "z-old"},
		{a, "second", "a-old"},
		{z, "second", "z-new"},
		{a, "third", ""},        // somebody began afresh meanwhile
		{z, "third", "z-fresh"}, // and that goes on
	} {
		if got := b.sessionWith(c.p, c.agent); got != c.want {
			b.Errorf("%s with %s has %q, want %q", c.p.ID, c.agent, got, c.want)
		}
	}
}

func mergeMoved(b *bundle) {
	a, y, z := b.person(identity("a")), b.person(identity("y")), b.person(identity("z"))
	b.ok(b.Link(b.Context(), identity("a2"), a.ID))
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	b.ok(b.Link(b.Context(), identity("a2"), y.ID))
	b.undoLast(z.ID)
	for user, want := range map[string]string{"a": a.ID, "a2": y.ID, "z": z.ID} {
		if got := b.person(identity(user)); got.ID != want {
			b.Errorf("%s is %+v, want %s", user, got, want)
		}
	}
}

func unlinkUndo(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	if _, err := b.Unlink(b.Context(), identity("a"), window()); bridge.KindOf(err) != bridge.KindInvalid {
		b.Errorf("unlinking the only identity: %v", err)
	}
	if _, err := b.Unlink(b.Context(), identity("nobody"), window()); bridge.KindOf(err) != bridge.KindNotFound {
		b.Errorf("unlinking nobody: %v", err)
	}
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	b.saveSession("both", z, agent)
	p, err := b.Unlink(b.Context(), identity("a"), window())
	if err != nil || p.ID != a.ID || b.person(identity("a")).ID != a.ID {
		b.Errorf("unlinked as %+v, %v", p, err)
	}
	if got := b.sessionWith(z, agent); got != "both" {
		b.Errorf("the session went along, left is %q", got)
	}
	b.undoLast(z.ID)
	if got := b.person(identity("a")); got.ID != z.ID {
		b.Errorf("linked again to %+v", got)
	}
	p, err = b.Unlink(b.Context(), identity("z"), window())
	if err != nil || p.ID == z.ID || p.ID == a.ID || p.Name != "Ann" || b.person(identity("a")).ID != z.ID {
		b.Errorf("the first identity became %+v, %v", p, err)
	}
}

func unlinkRole(b *bundle) {
	a, z := b.person(identity("a")), b.person(identity("z"))
	b.ok(b.Merge(b.Context(), a.ID, z.ID, window()))
	b.ok(b.SetRole(b.Context(), z.ID, bridge.RoleBlocked, window()))
	if p, err := b.Unlink(b.Context(), identity("a"), window()); err != nil || p.Role != bridge.RoleBlocked || b.person(identity("a")).Role != bridge.RoleBlocked {
		b.Errorf("unlinked as %+v, %v", p, err)
	}
}

func renameUndo(b *bundle) {
	a := b.person(identity("a"))
	b.ok(b.Rename(b.Context(), a.ID, "安", window()))
	if got := b.person(identity("a")); got.Name != "安" {
		b.Errorf("person %+v", got)
	}
	b.undoLast(a.ID)
	b.ok(b.SetRole(b.Context(), a.ID, bridge.RoleAdmin, window()))
	b.ok(b.SetLanguage(b.Context(), a.ID, bridge.Chinese))
	got := b.person(identity("a"))
	if got.Name != "Ann" || got.Role != bridge.RoleAdmin || got.Language != bridge.Chinese {
		b.Errorf("person %+v", got)
	}
	b.undoLast(a.ID)
	if got := b.person(identity("a")); got.Role != bridge.RoleMember {
		b.Errorf("person %+v", got)
	}
	for _, err := range []error{
		b.Rename(b.Context(), "p_nobody", "x", window()), b.SetRole(b.Context(), "p_nobody", bridge.RoleGuest, window()),
	} {
		if bridge.KindOf(err) != bridge.KindNotFound {
			b.Errorf("error %v", err)
		}
	}
	if err := b.Undo(b.Context(), 12345, window()); bridge.KindOf(err) != bridge.KindInvalid {
		b.Errorf("undoing nothing: %v", err)
	}
}

func auditPages(b *bundle) {
	for n := range 5 {
		kind := bridge.AuditRefused
		if n%2 == 1 {
			kind = bridge.AuditLocked
		}
		b.ok(b.Audit(b.Context(), bridge.Audit{Kind: kind, Person: id(n % 2), Note: id(n), By: bridge.Actor{Who: "w", Where: "bot-a"}}))
		pass(time.Minute)
	}
	b.reopen()
	notes := func(q bridge.AuditQuery) (notes []string, last int64) {
		b.Helper()
		all, err := b.Audits(b.Context(), q)
		b.ok(err)
		for _, a := range all {
			notes, last = append(notes, a.Note), a.ID
			if a.At.IsZero() || a.Undoable || a.By != (bridge.Actor{Who: "w", Where: "bot-a"}) {
				b.Errorf("entry %+v", a)
			}
		}
		return notes, last
	}
	got, last := notes(bridge.AuditQuery{Limit: 2})
	if diff := cmp.Diff([]string{"m4", "m3"}, got); diff != "" {
		b.Error(diff)
	}
	got, _ = notes(bridge.AuditQuery{Before: last})
	if diff := cmp.Diff([]string{"m2", "m1", "m0"}, got); diff != "" {
		b.Error(diff)
	}
	got, _ = notes(bridge.AuditQuery{Person: "m1", Kind: bridge.AuditLocked})
	if diff := cmp.Diff([]string{"m3", "m1"}, got); diff != "" {
		b.Error(diff)
	}
}
