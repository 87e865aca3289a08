package storetest

import (
	"strings"
	"sync"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func peopleChecks() []check {
	return []check{
		{"a person at first sight", firstSight},
		{"many at once meet one person", meetRace},
		{"identities differ in every part of their key", identityKey},
		{"a name that changes", newName},
		{"a person is saved", savePerson},
		{"an unknown person", unknownPerson},
	}
}

func identity(user string) bridge.Identity {
	return bridge.Identity{Platform: "one", Tenant: "tenant-1", User: bridge.UserID(user), Name: "Ann"}
}

func (b *bundle) person(who bridge.Identity) bridge.Person {
	b.Helper()
	p, err := b.PersonOf(b.Context(), who)
	b.ok(err)
	return p
}

func firstSight(b *bundle) {
	p := b.person(identity("u1"))
	want := bridge.Person{ID: p.ID, Name: "Ann", Role: bridge.RoleMember, CreatedAt: time.Now().Truncate(time.Microsecond)}
	if diff := cmp.Diff(want, p); diff != "" {
		b.Error(diff)
	}
	if !strings.HasPrefix(p.ID, "p_") || strings.Contains(p.ID, ":") {
		b.Errorf("id %q", p.ID)
	}
	pass(time.Hour)
	b.reopen()
	if got := b.person(identity("u1")); got != p {
		b.Errorf("later %+v, before %+v", got, p)
	}
	got, err := b.Person(b.Context(), p.ID)
	if err != nil || got != p {
		b.Errorf("by id %+v, %v", got, err)
	}
	ids, err := b.Identities(b.Context(), p.ID)
	b.ok(err)
	who := identity("u1")
	who.Person, who.LinkedAt = p.ID, p.CreatedAt
	if diff := cmp.Diff([]bridge.Identity{who}, ids); diff != "" {
		b.Error(diff)
	}
}

func meetRace(b *bundle) {
	const callers, users = 16, 10
	got := make([][users]string, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for u := range users {
				p, err := b.PersonOf(b.Context(), identity(id(u)))
				if err != nil {
					b.Error(err)
				}
				got[c][u] = p.ID
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for u := range users {
		for c := range callers {
			if got[c][u] != got[0][u] {
				b.Errorf("user %d is two people", u)
			}
		}
		if seen[got[0][u]] {
			b.Errorf("user %d is somebody else too", u)
		}
		seen[got[0][u]] = true
	}
}

func identityKey(b *bundle) {
	seen := map[string]bool{}
	for _, platform := range []bridge.Platform{"one", "two"} {
		for _, tenant := range []string{"", "t"} {
			for _, user := range []bridge.UserID{"u1", "u2"} {
				seen[b.person(bridge.Identity{Platform: platform, Tenant: tenant, User: user}).ID] = true
			}
		}
	}
	if len(seen) != 8 {
		b.Errorf("%d people", len(seen))
	}
}

func newName(b *bundle) {
	who := identity("u1")
	who.Name = ""
	p := b.person(who)
	who.Name = "Ann"
	if got := b.person(who); got.ID != p.ID || got.Name != "Ann" {
		b.Errorf("person %+v", got)
	}
	who.Name = ""
	if got := b.person(who); got.Name != "Ann" {
		b.Errorf("a missing name replaced the known one: %+v", got)
	}
	chosen := b.person(who)
	chosen.Name = "Ann from accounting"
	b.ok(b.SavePerson(b.Context(), chosen))
	who.Name = "Anna"
	b.person(who)
	if got := b.person(who); got.Name != "Ann from accounting" {
		b.Errorf("a name of the platform replaced the chosen one: %+v", got)
	}
	ids, err := b.Identities(b.Context(), p.ID)
	if err != nil || ids[0].Name != "Anna" {
		b.Errorf("identities %+v, %v", ids, err)
	}
}

func savePerson(b *bundle) {
	p := b.person(identity("u1"))
	p.Name, p.Role, p.Language = "安", bridge.RoleBlocked, bridge.English
	b.ok(b.SavePerson(b.Context(), p))
	got := b.person(identity("u1"))
	if diff := cmp.Diff(bridge.Person{ID: p.ID, Name: "安", Role: bridge.RoleBlocked, Language: bridge.English, CreatedAt: p.CreatedAt}, got); diff != "" {
		b.Error(diff)
	}
	b.ok(b.SavePerson(b.Context(), bridge.Person{ID: "p_new", Name: "New", Role: bridge.RoleAdmin}))
	if got, err := b.Person(b.Context(), "p_new"); err != nil || got.Role != bridge.RoleAdmin || got.CreatedAt.IsZero() {
		b.Errorf("person %+v, %v", got, err)
	}
}

func unknownPerson(b *bundle) {
	if _, err := b.Person(b.Context(), "p_nobody"); bridge.KindOf(err) != bridge.KindNotFound {
		b.Errorf("error %v", err)
	}
	if ids, err := b.Identities(b.Context(), "p_nobody"); err != nil || len(ids) != 0 {
		b.Error(ids, err)
	}
}
