package welcome_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui/page/welcome"
	"switchboard/ui/uitest"
)

// keyless is a house without a keyring, before which somebody wants to save a key.
func keyless(t *testing.T, f func(house *uitest.House, p *welcome.Page, shell *uitest.Shell, did *[]string, do func(func()))) {
	t.Helper()
	house := uitest.NewEmptyHouse(time.Now())
	house.NoKeyring = true
	office(t, house, func(p *welcome.Page, shell *uitest.Shell, did *[]string, do func(func())) {
		_, key, _, save := p.Parts()
		do(func() { key.SetText("app-typed") })
		do(func() { test.Tap(save) })
		if first, _, _, _, _ := p.Offering(); first == nil || house.Passphrase() != "" || len(shell.Troubles) != 0 {
			t.Fatal("it does not ask, or did not wait for an answer")
		}
		f(house, p, shell, did, do)
	})
}

// TestOffer: where there is no keyring, saving asks for a passphrase, twice the same
// and long enough; then it saves.
func TestOffer(t *testing.T) {
	keyless(t, func(house *uitest.House, p *welcome.Page, _ *uitest.Shell, did *[]string, do func(func())) {
		first, again, create, _, _ := p.Offering()
		if !first.Password || !again.Password {
			t.Error("what is typed can be seen")
		}
		for _, c := range []struct {
			first, again, hint string
			ok                 bool
		}{
			{"", "", "welcome.file.short", false},
			{"7 chars", "7 chars", "welcome.file.short", false},
			{"8 chars!", "", "welcome.file.fair", false},
			{"8 chars!", "8 chars?", "welcome.file.differ", false},
			{"8 chars!", "8 chars!", "welcome.file.fair", true},
			{"correct horse battery", "", "welcome.file.good", false},
			{"一二三", "一二三", "welcome.file.short", false},
			{"correct horse battery", "correct horse battery", "welcome.file.good", true},
		} {
			do(func() { first.SetText(c.first); again.SetText(c.again) })
			if _, _, _, _, hint := p.Offering(); hint != c.hint || create.Disabled() == c.ok {
				t.Errorf("%q, %q: %s, can be used: %v", c.first, c.again, hint, !create.Disabled())
			}
			if !c.ok {
				do(first.OnCtrlEnter)
			}
		}
		if house.Passphrase() != "" || house.Saved() != "" {
			t.Error("nobody agreed yet")
		}
		do(func() { test.Tap(create) })
		if house.Passphrase() != "correct horse battery" || house.Saved() == "" || len(*did) != 1 || (*did)[0] != "done" {
			t.Errorf("kept with %q, saved %q, did %q", house.Passphrase(), house.Saved(), *did)
		}
		if shown, _, _, _, _ := p.Offering(); shown != nil || first.Text+again.Text != "" {
			t.Error("the passphrase is still in the window")
		}
	})
}

// TestOfferDeclined stores nothing and keeps what was typed.
func TestOfferDeclined(t *testing.T) {
	keyless(t, func(house *uitest.House, p *welcome.Page, _ *uitest.Shell, did *[]string, do func(func())) {
		_, _, _, cancel, _ := p.Offering()
		do(func() { test.Tap(cancel) })
		_, key, _, save := p.Parts()
		shown, _, _, _, _ := p.Offering()
		if shown != nil || key.Text != "app-typed" || save.Disabled() {
			t.Errorf("the key is %q, and can be saved: %v", key.Text, !save.Disabled())
		}
		if house.Passphrase() != "" || house.Saved() != "" || len(*did) != 0 {
			t.Errorf("kept with %q, saved %q, did %q", house.Passphrase(), house.Saved(), *did)
		}
	})
}

// TestOfferFails says why the file was not made, and leaves the question open.
func TestOfferFails(t *testing.T) {
	keyless(t, func(house *uitest.House, p *welcome.Page, _ *uitest.Shell, did *[]string, do func(func())) {
		house.Fail = &bridge.Error{Kind: bridge.KindForbidden, Op: "secret: vault", Code: "vault_unwritable"}
		first, again, create, cancel, _ := p.Offering()
		do(func() { first.SetText("correct horse"); again.SetText("correct horse") })
		do(func() { test.Tap(create) })
		if shown, _, _, _, _ := p.Offering(); shown == nil || p.OfferRefusals() != 1 || first.Text != "correct horse" || cancel.Disabled() || len(*did) != 0 {
			t.Errorf("it is shown: %v, says %d things; did %q", shown != nil, p.OfferRefusals(), *did)
		}
	})
}
