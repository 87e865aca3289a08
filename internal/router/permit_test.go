package router_test

import (
	"context"
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
		if e := r.Explain(t.Context(), m, bridge.Person{ID: "p1", Role: c.role}); e.Refused != c.want {
			t.Errorf("%+v: explained as %q", c, e.Refused)
		}
	}
}

// TestCircle: a bot may be for some departments and chats; admins use every bot.
func TestCircle(t *testing.T) {
	t.Parallel()
	asked := 0
	r, p := setupWith(router.Options{
		Circle: func(bot string) router.Circle {
			if bot == "bot-one" {
				return router.Circle{Departments: []string{"HR"}, Chats: []string{"room", "午饭群"}}
			}
			return router.Circle{}
		},
		Departments: func(_ context.Context, bot string, who bridge.Identity) router.Membership {
			asked++
			return router.Membership{Of: router.Departments(map[bridge.UserID]string{"zhang": "Acme/HR", "li": "HRX"}[who.User])}
		},
	})
	in := func(m bridge.Message, title string) bridge.Message {
		m.Chat.Title = title
		return m
	}
	for _, c := range []struct {
		m    bridge.Message
		role bridge.Role
		want router.Refusal
	}{
		{direct("one", "zhang", "hi"), bridge.RoleMember, router.RefusedNot},
		{direct("one", "li", "hi"), bridge.RoleMember, router.RefusedOutside},
		{direct("one", "li", "/help"), bridge.RoleMember, router.RefusedOutside},
		{direct("one", "li", "hi"), bridge.RoleAdmin, router.RefusedNot},
		{direct("one", "zhang", "hi"), bridge.RoleBlocked, router.RefusedBlocked},
		{inGroup("room", "li"), bridge.RoleMember, router.RefusedNot},
		{in(inGroup("r2", "li"), "午饭群"), bridge.RoleMember, router.RefusedNot},
		{in(inGroup("r2", "li"), "产品组"), bridge.RoleMember, router.RefusedOutside},
		{inGroup("r2", "li"), bridge.RoleMember, router.RefusedUnsure}, // its name is not known
		{inGroup("r2", "li"), bridge.RoleAdmin, router.RefusedNot},
		{direct("two", "li", "hi"), bridge.RoleMember, router.RefusedNot},
	} {
		p.role = c.role
		if got := route(t, r, c.m); got.Refused != c.want {
			t.Errorf("%+v as %s: %q, want %q", c.m, c.role, got.Refused, c.want)
		}
	}
	if before := asked; route(t, r, direct("two", "li", "hi")).Refused != "" || asked != before {
		t.Error("a department was looked for that does not matter")
	}
}

// TestExempt: in a demonstration no rule holds and nobody waits for approval.
func TestExempt(t *testing.T) {
	t.Parallel()
	for _, exempt := range []bool{true, false} {
		r, p := setupWith(router.Options{
			Exempt: func(bot string) bool { return exempt && bot == "bot-one" }, DefaultRole: bridge.RoleBlocked,
			Admission: func(string) router.Admission { return router.AdmitKnown },
			Circle:    func(string) router.Circle { return router.Circle{Chats: []string{"x"}} },
			Allowed:   map[bridge.Role][]string{bridge.RoleMember: {"hr"}},
			Rules:     []router.Rule{{Name: "all", Then: router.FixedReply{Text: "x"}}},
		})
		p.role = bridge.RoleNew
		got := route(t, r, direct("one", "zhang", "hi"))
		if open := got.Refused == router.RefusedNot && got.Rule == "" && got.Role == bridge.RoleMember; open != exempt {
			t.Errorf("exempt %v: %+v", exempt, got)
		}
		if e := r.Explain(t.Context(), direct("one", "zhang", "hi"), bridge.Person{ID: "p1", Role: bridge.RoleNew}); (len(e.Tried) == 0) != exempt {
			t.Errorf("exempt %v: %+v", exempt, e)
		}
		p.role = bridge.RoleBlocked
		if got := route(t, r, direct("one", "zhang", "hi")); got.Refused != router.RefusedBlocked {
			t.Errorf("a blocked person may use it: %+v", got)
		}
	}
}

func inGroup(chat, user string) bridge.Message {
	m := direct("one", user, "hi")
	m.Chat = bridge.Chat{ID: chat, Kind: bridge.Group}
	return m
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
