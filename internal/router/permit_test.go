package router_test

import (
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

func TestPermission(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role      bridge.Role
		admission router.Admission
		bot, text string
		want      router.Refusal
		acts      bridge.Role
	}{
		{bridge.RoleMember, router.AdmitAll, "one", "hi", router.RefusedNot, bridge.RoleMember},
		{bridge.RoleMember, router.AdmitKnown, "one", "hi", router.RefusedNot, bridge.RoleMember},
		{bridge.RoleAdmin, router.AdmitApproved, "one", "hi", router.RefusedNot, bridge.RoleAdmin},
		{bridge.RoleBlocked, router.AdmitAll, "one", "hi", router.RefusedBlocked, bridge.RoleBlocked},
		{bridge.RoleBlocked, router.AdmitAll, "one", "/link", router.RefusedBlocked, bridge.RoleBlocked},
		{bridge.RoleNew, "", "one", "hi", router.RefusedNot, bridge.RoleGuest},
		{bridge.RoleNew, router.AdmitAll, "one", "hi", router.RefusedNot, bridge.RoleGuest},
		{bridge.RoleNew, router.AdmitApproved, "one", "hi", router.RefusedApproval, bridge.RoleNew},
		{bridge.RoleNew, router.AdmitKnown, "one", "hi", router.RefusedClosed, bridge.RoleNew},
		{bridge.RoleNew, router.AdmitKnown, "one", "/help", router.RefusedClosed, bridge.RoleNew},
		{bridge.RoleGuest, router.AdmitAll, "three", "hi", router.RefusedAgent, bridge.RoleGuest},
		{bridge.RoleGuest, router.AdmitAll, "three", "/retry", router.RefusedAgent, bridge.RoleGuest},
		{bridge.RoleGuest, router.AdmitAll, "three", "/help", router.RefusedNot, bridge.RoleGuest},
		{bridge.RoleGuest, router.AdmitAll, "one", "hi", router.RefusedNot, bridge.RoleGuest},
		{bridge.RoleNew, router.AdmitAll, "three", "hi", router.RefusedAgent, bridge.RoleGuest},
		{bridge.RoleMember, router.AdmitAll, "three", "hi", router.RefusedNot, bridge.RoleMember},
	} {
		r, p := setupWith(router.Options{
			Admission: func(string) router.Admission { return c.admission }, DefaultRole: bridge.RoleGuest,
			Allowed: map[bridge.Role][]string{bridge.RoleGuest: {"help"}},
		})
		p.role = c.role
		m := direct(bridge.Platform(c.bot), "zhang", c.text)
		if got := route(t, r, m); got.Refused != c.want || got.Role != c.acts {
			t.Errorf("%+v: refused %q as %s", c, got.Refused, got.Role)
		}
		if e, err := r.Explain(t.Context(), m, bridge.Person{ID: "p1", Role: c.role}); err != nil || e.Refused != c.want {
			t.Errorf("%+v: explained as %q, %v", c, e.Refused, err)
		}
	}
}

func TestMuted(t *testing.T) {
	t.Parallel()
	r, p := setup()
	m := direct("one", "zhang", "hi")
	if got := route(t, r, m); got.Muted {
		t.Errorf("route %+v", got)
	}
	p.muted[route(t, r, m).Chat] = time.Now().Add(time.Hour)
	if got := route(t, r, m); !got.Muted {
		t.Errorf("route %+v", got)
	}
	if got := route(t, r, direct("one", "li", "hi")); got.Muted {
		t.Errorf("another chat is muted: %+v", got)
	}
}
