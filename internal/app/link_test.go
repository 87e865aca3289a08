package app_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
)

// TestLink: a code asked for by one account and typed by another makes them one
// person, whose talk goes on, and both sides are told.
func TestLink(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLamp()
		r := begin(t, t.TempDir(), oneBot, l, nil)
		write := func(user, text string) string {
			t.Helper()
			m := message("one", user+text, text)
			m.Sender.ID, m.Chat.ID, m.Address.Chat = bridge.UserID(user), user, user
			if status := r.request(t, r.door, "POST", "/hook/one", packed(t, m)); status != 200 {
				t.Fatalf("the door answers %d", status)
			}
			rest(time.Minute)
			return strings.Join(l.chat.Texts(), "\n")
		}
		write("u", "first question")
		code := regexp.MustCompile(`\d{6}`).FindString(write("u", "/link"))
		shown := write("v", "/link "+code)
		if code == "" || !strings.Contains(shown, "belongs to Li") || !strings.Contains(shown, "Your code was used") {
			t.Errorf("code %q, shown %q", code, shown)
		}
		if shown = write("v", "goes on?"); !strings.Contains(shown, "question 2 ") {
			t.Errorf("it does not go on: %q", shown)
		}
	})
}

// TestLinkOff: the settings may leave linking to the admin.
func TestLinkOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLamp()
		r := begin(t, t.TempDir(), oneBot+"people: {self_link: false}\n", l, nil)
		r.deliver(t, "m1", "/link")
		rest(time.Minute)
		if got := l.chat.Texts(); len(got) != 1 || !strings.Contains(got[0], "switched off") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestNewcomersCode: somebody the admin has let in may type a newcomer's code,
// unless a bot wants newcomers approved: then they would lose something.
func TestNewcomersCode(t *testing.T) {
	t.Parallel()
	for bots, want := range map[string]string{
		"bots: [{id: one, platform: lamp}, {id: two, platform: lamp, admission: open}]\n":     "belongs to Li",
		"bots: [{id: one, platform: lamp}, {id: two, platform: lamp, admission: approval}]\n": "more rights",
		"bots: [{id: one, platform: lamp}, {id: two, platform: lamp, admission: closed}]\n":   "more rights",
		oneBot + "people: {default_role: guest}\n":                                            "more rights",
		oneBot + "people: {default_role: admin}\n":                                            "belongs to Li",
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLamp()
			r := begin(t, t.TempDir(), bots, l, nil)
			write := func(user, text string) string {
				t.Helper()
				m := message("one", user+text, text)
				m.Sender.ID, m.Chat.ID, m.Address.Chat = bridge.UserID(user), user, user
				if status := r.request(t, r.door, "POST", "/hook/one", packed(t, m)); status != 200 {
					t.Fatalf("the door answers %d", status)
				}
				rest(time.Minute)
				return l.chat.Texts()[len(l.chat.Texts())-1]
			}
			write("v", "hello")
			rows, err := r.People(t.Context(), bridge.PeopleQuery{})
			if err != nil || len(rows) != 1 {
				t.Fatal(rows, err)
			}
			if err := r.GiveRole(t.Context(), rows[0].Person.ID, bridge.RoleMember); err != nil {
				t.Fatal(err)
			}
			code := regexp.MustCompile(`\d{6}`).FindString(write("u", "/link"))
			if shown := write("v", "/link "+code); code == "" || !strings.Contains(shown, want) {
				t.Errorf("%s: code %q, shown %q", bots, code, shown)
			}
		})
	}
}

// TestRoleIsADecision: somebody who waits is told when they are given a role,
// whichever way; a role that is no decision is told nobody.
func TestRoleIsADecision(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		r := begin(t, data, "bots: [{id: one, platform: lamp, admission: approval}]\n", l, nil)
		r.deliver(t, "m1", "hello")
		rest(time.Minute)
		for _, c := range []struct {
			role, told string
			texts      int
		}{{"new", "approve you first", 1}, {"guest", "approved you", 2}, {"member", "approved you", 2}} {
			status, text := r.ask(t, r.admin, "POST", "/api/v1/people/u/role", []byte(`{"role": "`+c.role+`"}`), token(t, data))
			rest(time.Minute)
			if got := l.chat.Texts(); status != 200 || len(got) != c.texts || !strings.Contains(got[c.texts-1], c.told) {
				t.Errorf("%s: %d %s, shown %q", c.role, status, text, got)
			}
		}
	})
}
