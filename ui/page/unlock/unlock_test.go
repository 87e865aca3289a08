package unlock_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"switchboard/internal/bridge"
	"switchboard/ui/page/unlock"
	"switchboard/ui/uitest"
)

const right = "correct horse"

// locked is a house that waits for a passphrase.
type locked struct {
	refuse error // of Try, instead of a comparison
	fail   error // of Open
	tried  []string
	opened []string
}

func (l *locked) Try(_ context.Context, passphrase bridge.Secret) error {
	l.tried = append(l.tried, passphrase.Reveal())
	switch {
	case l.refuse != nil:
		return l.refuse
	case passphrase.Reveal() != right:
		return &bridge.Error{Kind: bridge.KindCredential, Op: "secret: vault", Code: "wrong_passphrase"}
	}
	return nil
}

func (l *locked) Open(_ context.Context, passphrase bridge.Secret) error {
	l.opened = append(l.opened, passphrase.Reveal())
	return l.fail
}

// bundle is a page before somebody.
type bundle struct {
	*testing.T
	*unlock.Page
	done []string
	do   func(func()) // acts, and waits for what follows
}

func setup(t *testing.T, lang bridge.Language, house *locked, f func(b *bundle)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		kit, _ := uitest.NewKit(t, lang, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		b := &bundle{T: t}
		b.Page = unlock.New(ctx, kit, house, unlock.Options{
			OnOpened: func() { b.done = append(b.done, "opened") },
			OnFailed: func(err error) { b.done = append(b.done, "failed: "+err.Error()) },
			OnQuit:   func() { b.done = append(b.done, "quit") },
		})
		uitest.Show(t, b.Content(), 560, 400)
		b.do = func(act func()) {
			kit.Hub.Do(ctx, act)
			synctest.Wait()
		}
		f(b)
		cancel()
		synctest.Wait()
	})
}

func (b *bundle) write(text string) {
	b.do(func() {
		entry, _, _, _ := b.Parts()
		entry.SetText(text)
		entry.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	})
}

// TestRight opens by the button, by Enter and by Ctrl+Enter; what was typed is
// masked, and gone afterwards.
func TestRight(t *testing.T) {
	ways := map[string]func(b *bundle){
		"button": func(b *bundle) { _, button, _, _ := b.Parts(); test.Tap(button) },
		"enter":  func(b *bundle) { e, _, _, _ := b.Parts(); e.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) },
		"ctrl": func(b *bundle) {
			e, _, _, _ := b.Parts()
			e.TypedShortcut(&desktop.CustomShortcut{KeyName: fyne.KeyReturn, Modifier: fyne.KeyModifierControl})
		},
	}
	for name, way := range ways {
		house := &locked{}
		setup(t, bridge.English, house, func(b *bundle) {
			entry, button, without, _ := b.Parts()
			if !entry.Password || !button.Disabled() || without.Visible() {
				t.Error("what is typed can be seen, or there is nothing to unlock with, or a way around it")
			}
			b.do(func() { way(b) }) // with nothing typed
			b.do(func() {
				test.Type(entry, right)
				way(b)
			})
			if !slices.Equal(house.tried, []string{right}) || !slices.Equal(house.opened, []string{right}) || !slices.Equal(b.done, []string{"opened"}) {
				t.Errorf("%s: tried %q, opened with %q, %q", name, house.tried, house.opened, b.done)
			}
			if entry.Text != "" || !entry.Disabled() {
				t.Errorf("%s: the passphrase stays in the entry, or can be changed", name)
			}
		})
	}
}

// TestWrong says so, three times; then there is a way on without it, which leaves
// the file locked. The right one still opens it.
func TestWrong(t *testing.T) {
	for _, with := range []string{"", right} {
		house := &locked{}
		setup(t, bridge.English, house, func(b *bundle) {
			entry, _, without, _ := b.Parts()
			for i := range 3 {
				if without.Visible() {
					t.Errorf("after %d tries there is a way without", i)
				}
				b.write("wrong one")
				if !strings.Contains(b.Said(), "The passphrase is wrong.") || strings.Contains(b.Said(), "wrong one") || entry.Text != "" || entry.Disabled() {
					t.Errorf("it says %q; the entry holds %q", b.Said(), entry.Text)
				}
			}
			if len(house.opened) != 0 || !without.Visible() || without.Position().X <= 0 {
				t.Fatalf("opened with %q; a way without: %v", house.opened, without.Visible())
			}
			if with == "" {
				b.do(func() { test.Tap(without) })
			} else {
				b.write(with)
			}
			if !slices.Equal(house.opened, []string{with}) || !slices.Equal(b.done, []string{"opened"}) {
				t.Errorf("opened with %q, %q", house.opened, b.done)
			}
		})
	}
}

// TestDamaged offers the way on at once: no passphrase would help.
func TestDamaged(t *testing.T) {
	house := &locked{refuse: &bridge.Error{Kind: bridge.KindInvalid, Op: "secret: vault", Code: "vault_damaged", Args: map[string]string{"where": "/d/secrets.age"}}}
	setup(t, bridge.Chinese, house, func(b *bundle) {
		b.write(right)
		if _, _, without, _ := b.Parts(); !without.Visible() || !strings.Contains(b.Said(), "/d/secrets.age") {
			t.Errorf("it says %q; a way without: %v", b.Said(), without.Visible())
		}
	})
}

// TestLeaving: it can be left, and a house that does not open is not taken for one
// that does.
func TestLeaving(t *testing.T) {
	house := &locked{fail: errors.New("no room")}
	setup(t, bridge.English, house, func(b *bundle) {
		_, _, _, quit := b.Parts()
		b.do(func() { test.Tap(quit) })
		if !slices.Equal(b.done, []string{"quit"}) || len(house.opened)+len(house.tried) != 0 {
			t.Errorf("%q, opened with %q", b.done, house.opened)
		}
		b.write(right)
		if !slices.Equal(b.done, []string{"quit", "failed: no room"}) {
			t.Errorf("%q", b.done)
		}
	})
}
