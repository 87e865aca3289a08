package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// TestVaultGoesWithTheSession: however a session ends, what its person wrote is
// not kept with it, not even by an answer that was still on its way.
func TestVaultGoesWithTheSession(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "switchboard.db")
	s := openAt(t, path)
	p, err := s.PersonOf(t.Context(), bridge.Identity{Platform: "one", Tenant: "t", User: "u"})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	open := func(id, lane string, active time.Time) {
		t.Helper()
		v := bridge.Session{
			ID: id, Lane: lane, Agent: "a", Person: p.ID, Vault: bridge.NewSecret("value of " + id), CreatedAt: active, LastActive: active,
		}
		if err := s.SaveSession(t.Context(), v); err != nil {
			t.Fatal(err)
		}
	}
	open("reset", "g:one", now)
	open("of-person", "p:"+p.ID+":a", now)
	open("outlived", "g:two", now.Add(-time.Hour))
	open("begun", "g:two", now)
	if err := s.CloseSessions(t.Context(), "g:one"); err != nil {
		t.Fatal(err)
	}
	open("reset", "g:one", now) // an answer that was on its way
	if got := vaults(t, path); got["begun"] == "" || got["of-person"] == "" || got["reset"] != "" || got["outlived"] != "" {
		t.Errorf("kept %v", got)
	}
	if err := s.CloseSessionsOf(t.Context(), p.ID); err != nil {
		t.Fatal(err)
	}
	if got := vaults(t, path); got["of-person"] != "" {
		t.Errorf("kept %v", got)
	}
}

// vaults returns what is kept, by session.
func vaults(t *testing.T, path string) map[string]string {
	t.Helper()
	rows, err := rawDB(t, path).QueryContext(t.Context(), "SELECT id, vault FROM sessions")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]string{}
	for rows.Next() {
		var id, vault string
		if err := rows.Scan(&id, &vault); err != nil {
			t.Fatal(err)
		}
		all[id] = vault
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
