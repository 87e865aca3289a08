package people_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/people"
	"switchboard/internal/store"
)

// bundle is a linker on a real database with two people in it.
type bundle struct {
	*testing.T
	*people.Linker

	path     string
	store    *store.Store
	zhang    bridge.Person // writes from platform one
	stranger bridge.Person // the same human being on platform two, not yet known
}

func who(platform, user string) bridge.Identity {
	return bridge.Identity{Platform: bridge.Platform(platform), Tenant: "t", User: bridge.UserID(user), Name: user}
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{T: t, path: filepath.Join(t.TempDir(), "x.db")}
	b.open()
	b.zhang, b.stranger = b.person("one", "zhang"), b.person("two", "zhang2")
	return b
}

func (b *bundle) open() {
	b.Helper()
	s, err := store.Open(b.Context(), store.Options{Path: b.path})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	b.store, b.Linker = s, people.NewLinker(s, s, func(r bridge.Role) bridge.Role { return r })
}

func (b *bundle) person(platform, user string) bridge.Person {
	b.Helper()
	p, err := b.store.PersonOf(b.Context(), who(platform, user))
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *bundle) issue(p bridge.Person) string {
	b.Helper()
	code, expires, err := b.Issue(b.Context(), p.ID, bridge.Address{Bot: "bot-one", Chat: "c"})
	if err != nil || !regexp.MustCompile(`^\d{6}$`).MatchString(code) || time.Until(expires) != 10*time.Minute {
		b.Fatal(code, expires, err)
	}
	return code
}

func (b *bundle) use(code string, p bridge.Person, job int64) people.Outcome {
	b.Helper()
	o, err := b.Use(b.Context(), people.Typed{Code: code, Person: p, Job: job, Bot: "bot-two"})
	if err != nil {
		b.Fatal(err)
	}
	return o
}

func inBubble(t *testing.T, test func(b *bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(setup(t)) })
}

// other returns a code that is not this one.
func other(code string) string {
	return strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, code)
}

func TestLink(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		code := b.issue(b.zhang)
		b.open() // a restart
		if o := b.use(other(code), b.stranger, 7); o.Verdict != people.Wrong {
			b.Errorf("a wrong code: %+v", o)
		}
		o := b.use(code, b.stranger, 8)
		if o.Verdict != people.Linked || o.Issuer.ID != b.zhang.ID || o.Told.Bot != "bot-one" {
			b.Errorf("outcome %+v", o)
		}
		if got := b.person("two", "zhang2"); got.ID != b.zhang.ID {
			b.Errorf("person %+v", got)
		}
		if o := b.use(code, b.stranger, 8); o.Verdict != people.Linked {
			b.Errorf("the same job again: %+v", o)
		}
		if o := b.use(code, b.person("three", "eve"), 9); o.Verdict != people.Wrong {
			b.Errorf("used twice: %+v", o)
		}
		if got := b.person("three", "eve"); got.ID == b.zhang.ID {
			b.Error("somebody else was linked")
		}
	})
}

func TestCodeIsNotStored(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		code := b.issue(b.zhang)
		codes, err := b.store.LinkCodes(b.Context())
		if err != nil || len(codes) != 1 {
			b.Fatal(codes, err)
		}
		if c := codes[0]; strings.Contains(string(c.Hash)+string(c.Salt), code) || len(c.Hash) != 32 || len(c.Salt) < 16 {
			b.Errorf("stored %+v", c)
		}
	})
}

func TestCodeExpires(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		code := b.issue(b.zhang)
		time.Sleep(10 * time.Minute)
		if o := b.use(code, b.stranger, 1); o.Verdict != people.Wrong {
			b.Errorf("outcome %+v", o)
		}
		if waiting, err := b.Waiting(b.Context()); waiting || err != nil {
			b.Error(waiting, err)
		}
		former := b.issue(b.zhang)
		code = b.issue(b.zhang)
		if o := b.use(former, b.stranger, 2); former != code && o.Verdict != people.Wrong {
			b.Errorf("a replaced code: %+v", o)
		}
		if waiting, err := b.Waiting(b.Context()); !waiting || err != nil {
			b.Error(waiting, err)
		}
		if o := b.use(code, b.stranger, 3); o.Verdict != people.Linked {
			b.Errorf("outcome %+v", o)
		}
	})
}

func TestOwnCode(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		code := b.issue(b.zhang)
		for range 10 { // is no wrong try
			if o := b.use(code, b.zhang, 1); o.Verdict != people.Own {
				b.Errorf("outcome %+v", o)
			}
		}
		if o := b.use(code, b.stranger, 2); o.Verdict != people.Linked {
			b.Errorf("outcome %+v", o)
		}
	})
}

func TestFiveWrongCodesLock(t *testing.T) {
	t.Parallel()
	inBubble(t, func(b *bundle) {
		code := b.issue(b.zhang)
		for n := range 4 {
			if o := b.use(other(code), b.stranger, int64(n)); o.Verdict != people.Wrong {
				b.Errorf("try %d: %+v", n, o)
			}
		}
		if o := b.use(other(code), b.stranger, 5); o.Verdict != people.Locked || time.Until(o.Until) != time.Hour {
			b.Errorf("the fifth: %+v", o)
		}
		b.open()
		if o := b.use(code, b.stranger, 6); o.Verdict != people.Locked || b.person("two", "zhang2").ID == b.zhang.ID {
			b.Errorf("the right one while locked: %+v", o)
		}
		if o := b.use(code, b.person("two", "other"), 6); o.Verdict != people.Linked {
			b.Errorf("somebody else is locked too: %+v", o)
		}
		time.Sleep(time.Hour)
		code = b.issue(b.zhang)
		if o := b.use(code, b.stranger, 7); o.Verdict != people.Linked {
			b.Errorf("an hour later: %+v", o)
		}
		audits, err := b.store.Audits(b.Context(), bridge.AuditQuery{Kind: bridge.AuditLocked})
		if err != nil || len(audits) != 1 || audits[0].Person != b.stranger.ID {
			b.Errorf("audit %+v %v", audits, err)
		}
	})
}

// TestNobodyLosesRights: a code typed by somebody with more rights would take
// these away; typed by somebody with less it gives no more than the issuer has.
func TestNobodyLosesRights(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		issuer, typed bridge.Role
		want          people.Verdict
	}{
		{bridge.RoleMember, bridge.RoleMember, people.Linked},
		{bridge.RoleMember, bridge.RoleGuest, people.Linked},
		{bridge.RoleAdmin, bridge.RoleNew, people.Linked},
		{bridge.RoleGuest, bridge.RoleMember, people.Stronger},
		{bridge.RoleMember, bridge.RoleAdmin, people.Stronger},
		{bridge.RoleNew, bridge.RoleGuest, people.Stronger},
	} {
		t.Run(string(c.issuer+" and "+c.typed), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(b *bundle) {
				b.zhang.Role, b.stranger.Role = c.issuer, c.typed
				for _, p := range []bridge.Person{b.zhang, b.stranger} {
					if err := b.store.SetRole(b.Context(), p.ID, p.Role, bridge.Actor{}); err != nil {
						b.Fatal(err)
					}
				}
				if o := b.use(b.issue(b.zhang), b.stranger, 1); o.Verdict != c.want {
					b.Errorf("outcome %+v", o)
				}
				want := c.issuer
				if c.want == people.Stronger {
					want = c.typed
				}
				if got := b.person("two", "zhang2"); got.Role != want {
					b.Errorf("role %s", got.Role)
				}
			})
		})
	}
}

func TestParseCode(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"123456": "123456", " 123 456\n": "123456", "123-456": "123456", "１２３４５６": "123456", "000000": "000000",
		"12345": "", "1234567": "", "12345a": "", "": "", "my code is 123456": "", "一二三四五六": "", "٣٣٣٣٣٣": "",
	} {
		if got, ok := people.ParseCode(text); got != want || ok != (want != "") {
			t.Errorf("ParseCode(%q) = %q, %v", text, got, ok)
		}
	}
}

func TestEveryAuditKindHasWords(t *testing.T) {
	t.Parallel()
	for _, kind := range bridge.AuditKinds() {
		for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			if _, ok := i18n.Find(lang, "audit."+string(kind)); !ok {
				t.Errorf("%s: no words for %s", lang, kind)
			}
		}
	}
}

// TestNewcomerIsAsGood: where nobody has to be approved, a newcomer is worth the
// role that newcomers have, and somebody who is known may type their code. The
// role that was decided about stays.
func TestNewcomerIsAsGood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		newcomers bridge.Role // what they may do
		want      people.Verdict
		after     bridge.Role
	}{
		{bridge.RoleMember, people.Linked, bridge.RoleMember},
		{bridge.RoleGuest, people.Stronger, bridge.RoleNew},
		{bridge.RoleNew, people.Stronger, bridge.RoleNew}, // they have to be approved
	} {
		inBubble(t, func(b *bundle) {
			b.Linker = people.NewLinker(b.store, b.store, func(r bridge.Role) bridge.Role {
				if r == bridge.RoleNew {
					return c.newcomers
				}
				return r
			})
			if err := b.store.SetRole(b.Context(), b.zhang.ID, bridge.RoleNew, bridge.Actor{}); err != nil {
				b.Fatal(err)
			}
			code := b.issue(b.zhang)
			if o := b.use(code, b.stranger, 1); o.Verdict != c.want {
				b.Errorf("%s: %+v", c.newcomers, o)
			}
			if p := b.person("one", "zhang"); p.Role != c.after {
				b.Errorf("%s: the role is %s", c.newcomers, p.Role)
			}
			if p, err := b.store.Person(b.Context(), b.zhang.ID); err != nil || p.Role != c.after {
				b.Errorf("%s: the role is %s, %v", c.newcomers, p.Role, err)
			}
		})
	}
}
