package storetest

import (
	"strings"
	"sync"
	"testing"
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

func (b *bundle) person(t *testing.T, who bridge.Identity) bridge.Person {
	t.Helper()
	p, err := b.PersonOf(t.Context(), who)
	ok(t, err)
	return p
}

func firstSight(t *testing.T, b *bundle) {
	p := b.person(t, identity("u1"))
	want := bridge.Person{ID: p.ID, Name: "Ann", Role: bridge.RoleMember, CreatedAt: time.Now().Truncate(time.Microsecond)}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(p.ID, "p_") || strings.Contains(p.ID, ":") {
		t.Errorf("id %q", p.ID)
	}
	pass(time.Hour)
	b.reopen(t)
	if got := b.person(t, identity("u1")); got != p {
		t.Errorf("later %+v, before %+v", got, p)
	}
	got, err := b.Person(t.Context(), p.ID)
	if err != nil || got != p {
		t.Errorf("by id %+v, %v", got, err)
	}
	ids, err := b.Identities(t.Context(), p.ID)
	ok(t, err)
	who := identity("u1")
	who.Person, who.LinkedAt = p.ID, p.CreatedAt
	if diff := cmp.Diff([]bridge.Identity{who}, ids); diff != "" {
		t.Error(diff)
	}
}

func meetRace(t *testing.T, b *bundle) {
	const callers, users = 16, 10
	got := make([][users]string, callers)
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for u := range users {
				p, err := b.PersonOf(t.Context(), identity(id(u)))
				if err != nil {
					t.Error(err)
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
				t.Errorf("user %d is two people", u)
			}
		}
		if seen[got[0][u]] {
			t.Errorf("user %d is somebody else too", u)
		}
		seen[got[0][u]] = true
	}
}

func identityKey(t *testing.T, b *bundle) {
	seen := map[string]bool{}
	for _, platform := range []bridge.Platform{"one", "two"} {
		for _, tenant := range []string{"", "t"} {
			for _, user := range []bridge.UserID{"u1", "u2"} {
				seen[b.person(t, bridge.Identity{Platform: platform, Tenant: tenant, User: user}).ID] = true
			}
		}
	}
	if len(seen) != 8 {
		t.Errorf("%d people", len(seen))
	}
}

func newName(t *testing.T, b *bundle) {
	who := identity("u1")
	who.Name = ""
	p := b.person(t, who)
	who.Name = "Ann"
	if got := b.person(t, who); got.ID != p.ID || got.Name != "Ann" {
		t.Errorf("person %+v", got)
	}
	who.Name = ""
	if got := b.person(t, who); got.Name != "Ann" {
		t.Errorf("a missing name replaced the known one: %+v", got)
	}
	chosen := b.person(t, who)
	chosen.Name = "Ann from accounting"
	ok(t, b.SavePerson(t.Context(), chosen))
	who.Name = "Anna"
	b.person(t, who)
	if got := b.person(t, who); got.Name != "Ann from accounting" {
		t.Errorf("a name of the platform replaced the chosen one: %+v", got)
	}
	ids, err := b.Identities(t.Context(), p.ID)
	if err != nil || ids[0].Name != "Anna" {
		t.Errorf("identities %+v, %v", ids, err)
	}
}

func savePerson(t *testing.T, b *bundle) {
	p := b.person(t, identity("u1"))
	p.Name, p.Role, p.Language = "安", bridge.RoleBlocked, bridge.English
	ok(t, b.SavePerson(t.Context(), p))
	got := b.person(t, identity("u1"))
	if diff := cmp.Diff(bridge.Person{ID: p.ID, Name: "安", Role: bridge.RoleBlocked, Language: bridge.English, CreatedAt: p.CreatedAt}, got); diff != "" {
		t.Error(diff)
	}
	ok(t, b.SavePerson(t.Context(), bridge.Person{ID: "p_new", Name: "New", Role: bridge.RoleAdmin}))
	if got, err := b.Person(t.Context(), "p_new"); err != nil || got.Role != bridge.RoleAdmin || got.CreatedAt.IsZero() {
		t.Errorf("person %+v, %v", got, err)
	}
}

func unknownPerson(t *testing.T, b *bundle) {
	if _, err := b.Person(t.Context(), "p_nobody"); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("error %v", err)
	}
	if ids, err := b.Identities(t.Context(), "p_nobody"); err != nil || len(ids) != 0 {
		t.Error(ids, err)
	}
}
