package app_test

import (
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// TestNewcomersOfOthers: who is met by another node, and what is decided there, is
// noticed here, too.
func TestNewcomersOfOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		r := begin(t, data, "bots: [{id: one, platform: lamp, admission: approval}]\n", l, nil)
		other, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db"), Role: bridge.RoleNew})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = other.Close() }()
		ann, err := other.PersonOf(t.Context(), bridge.Identity{Platform: "lamp", Tenant: "t", User: "ann", Name: "Ann"})
		if err != nil {
			t.Fatal(err)
		}
		if err := other.Audit(t.Context(), bridge.Audit{Kind: bridge.AuditApproval, By: bridge.Actor{Where: "one"}, Person: ann.ID}); err != nil {
			t.Fatal(err)
		}
		waiting := func() (who []string) {
			rest(time.Minute + time.Second)
			for _, n := range r.Notices(bridge.English) {
				if strings.HasPrefix(n.ID, "approval_waiting ") {
					who = append(who, n.Detail)
				}
			}
			return who
		}
		if got := waiting(); len(got) != 1 || got[0] != "Ann" {
			t.Errorf("%q wait", got)
		}
		if err := other.SetRole(t.Context(), ann.ID, bridge.RoleMember, bridge.Actor{}); err != nil {
			t.Fatal(err)
		}
		if got := waiting(); len(got) != 0 {
			t.Errorf("%q wait after they were admitted", got)
		}
	})
}
