package app_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// TestPeoplePage: the simulated employees are three people with an account on
// every platform; what is done to one stands in the history and can be undone.
func TestPeoplePage(t *testing.T) {
	t.Parallel()
	a, ctx := house(t, t.TempDir(), "")
	if err := a.StartDemo(ctx); err != nil {
		t.Fatal(err)
	}
	all, err := a.People(ctx, bridge.PeopleQuery{})
	if err != nil || len(all) != 3 {
		t.Fatalf("%d people, %v", len(all), err)
	}
	first, second := all[0].Person, all[1].Person
	card := func(id string) bridge.PersonCard {
		t.Helper()
		c, err := a.PersonCard(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	before := card(first.ID)
	if len(before.Accounts) != 3 || before.Accounts[0].Identity.User == "" || len(before.History) != 0 {
		t.Errorf("card %+v", before)
	}
	watch := a.Watch(ctx)
	for _, err := range []error{
		a.RenamePerson(ctx, first.ID, "Chief"), a.GiveRole(ctx, first.ID, bridge.RoleGuest), a.MergePeople(ctx, second.ID, first.ID),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	select {
	case <-watch:
	case <-time.After(10 * time.Second):
		t.Error("the window is not told")
	}
	c := card(first.ID)
	var did []bridge.AuditKind
	for _, h := range c.History {
		did = append(did, h.Kind)
	}
	if diff := cmp.Diff([]bridge.AuditKind{bridge.AuditMerged, bridge.AuditRole, bridge.AuditRenamed}, did); diff != "" || len(c.Accounts) != 6 || c.Person.Role != bridge.RoleGuest {
		t.Errorf("%s\n%d accounts, role %s", diff, len(c.Accounts), c.Person.Role)
	}
	if _, err := a.PersonCard(ctx, second.ID); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("somebody who was merged: %v", err)
	}
	if err := a.UndoAct(ctx, c.History[0].ID); err != nil {
		t.Fatal(err)
	}
	if n := len(card(second.ID).Accounts); n != 3 {
		t.Errorf("%d accounts after the undo", n)
	}
	if err := a.UnlinkAccount(ctx, before.Accounts[2].Identity); err != nil {
		t.Fatal(err)
	}
	if n := len(card(first.ID).Accounts); n != 2 {
		t.Errorf("%d accounts after unlinking one", n)
	}
}
