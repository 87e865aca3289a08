package store_test

import (
	"path/filepath"
	"testing"

	"switchboard/internal/bridge"
)

// TestNeighbours lets writes wait for one commit, of which one fails: the others
// are stored all the same, and each hears of its own outcome.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s := openAt(t, path)
	other, err := rawDB(t, path).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	const good = 20
	outcome := make(chan error, good+1)
	for n := range int64(good) {
		go func() {
			_, err := s.Accept(t.Context(), []bridge.NewJob{question(n)})
			outcome <- err
		}()
	}
	go func() {
		_, err := s.Settle(t.Context(), "node", bridge.Settlement{JobID: 1, State: bridge.JobRunning})
		outcome <- err
	}()
	if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for range good + 1 {
		if err := <-outcome; bridge.KindOf(err) == bridge.KindInvalid {
			failed++
		} else if err != nil {
			t.Error(err)
		}
	}
	waiting, err := s.Waiting(t.Context())
	if failed != 1 || err != nil || waiting["helpdesk"] != good {
		t.Errorf("%d failed, waiting %v, %v", failed, waiting, err)
	}
}

// TestFacesAreForgotten changes people in every way: whoever was seen before is
// seen as they are now.
func TestFacesAreForgotten(t *testing.T) {
	t.Parallel()
	s := openAt(t, filepath.Join(t.TempDir(), "switchboard.db"))
	ctx := t.Context()
	ann := bridge.Identity{Platform: "feishu", Tenant: "t", User: "ann", Name: "Ann"}
	anna := bridge.Identity{Platform: "wecom", Tenant: "t", User: "anna", Name: "Anna"}
	see := func(who bridge.Identity) bridge.Person {
		t.Helper()
		var p bridge.Person
		for range 2 { // the second time from memory
			var err error
			if p, err = s.PersonOf(ctx, who); err != nil {
				t.Fatal(err)
			}
		}
		return p
	}
	first, second := see(ann), see(anna)
	if first.ID == second.ID || first.Name != "Ann" {
		t.Fatalf("%+v, %+v", first, second)
	}
	first.Role, first.Language = bridge.RoleBlocked, bridge.Chinese
	if err := s.SavePerson(ctx, first); err != nil {
		t.Fatal(err)
	}
	if got := see(ann); got.Role != bridge.RoleBlocked || got.Language != bridge.Chinese {
		t.Errorf("after a change %+v", got)
	}
	if err := s.Link(ctx, anna, first.ID); err != nil {
		t.Fatal(err)
	}
	if got := see(anna); got.ID != first.ID {
		t.Errorf("after linking %+v", got)
	}
	ann.Name = "Annette"
	if got := see(ann); got.Name != "Annette" {
		t.Errorf("after a new name %+v", got)
	}
	if got := see(anna); got.Name != "Annette" {
		t.Errorf("the other identity of the same person %+v", got)
	}
}
