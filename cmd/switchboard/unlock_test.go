package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/logs"
)

const passphrase = "correct horse battery"

// sealed is a data folder whose only agent has its key in an encrypted file.
func sealed(t *testing.T) options {
	t.Helper()
	t.Setenv(app.PassphraseVariable, "")
	data := t.TempDir()
	o := options{data: data, config: filepath.Join(data, "switchboard.yaml"), redactor: &logs.Redactor{}}
	text := "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nagents:\n  - {id: helpdesk, kind: dify, base_url: \"http://127.0.0.1:1/v1\"}\n"
	if err := os.WriteFile(o.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	opt := app.Options{
		Data: data, Config: o.config, Log: slog.New(slog.DiscardHandler),
		Passphrase: func(context.Context) (bridge.Secret, error) { return bridge.NewSecret(passphrase), nil },
	}
	if _, err := app.BeginVault(t.Context(), opt, bridge.NewSecret(passphrase)); err != nil {
		t.Fatal(err)
	}
	if err := app.KeepSecret(t.Context(), opt, "agent/helpdesk/api_key", bridge.NewSecret("app-0123456789")); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestUnlock lets a real house wait for the passphrase: with the right one its
// agent works, without one a warning says why it does not. The log has neither.
func TestUnlock(t *testing.T) {
	for _, with := range []string{passphrase, ""} {
		o := sealed(t)
		var said bytes.Buffer
		log := slog.New(logs.NewText(&said, logs.Options{Redactor: o.redactor}))
		b := begin(t.Context(), o, log, newBackend)
		k := &keyhole{o: o, house: b, asked: <-b.asked}
		if err := k.Try(t.Context(), bridge.NewSecret("wrong horse")); bridge.KindOf(err) != bridge.KindCredential {
			t.Errorf("a wrong passphrase is %v", err)
		}
		if err := k.Try(t.Context(), bridge.NewSecret(passphrase)); err != nil {
			t.Errorf("the right passphrase is %v", err)
		}
		if err := k.Open(t.Context(), bridge.NewSecret(with)); err != nil {
			t.Fatal(err)
		}
		locked := false
		for _, n := range b.got.backend.Notices(bridge.English) {
			locked = locked || strings.Contains(n.Title+n.Detail+n.Next, "encrypted file with the secrets is locked")
		}
		if locked != (with == "") {
			t.Errorf("with %q the notices are %+v", with, b.got.backend.Notices(bridge.English))
		}
		if code := leave(b, &repairs{}); code != exitOK {
			t.Errorf("it exits with %d", code)
		}
		if text := said.String(); strings.Contains(text, "horse") || strings.Contains(text, "app-0123456789") {
			t.Errorf("the log says %s", text)
		}
	}
}

// TestUnlockQuit: a house that nobody tells the passphrase closes, and another can
// open in its place.
func TestUnlockQuit(t *testing.T) {
	o := sealed(t)
	for range 2 {
		b := begin(t.Context(), o, slog.New(slog.DiscardHandler), newBackend)
		<-b.asked
		second := begin(t.Context(), o, slog.New(slog.DiscardHandler), newBackend)
		if <-second.done; !errors.Is(second.got.err, app.ErrRunning) {
			t.Errorf("a second start is %v", second.got.err)
		}
		if code := leave(b, &repairs{}); code != exitOK {
			t.Errorf("it exits with %d", code)
		}
	}
}

// TestNothingToUnlock: without an encrypted file nobody is asked.
func TestNothingToUnlock(t *testing.T) {
	o := sealed(t)
	if err := os.Remove(filepath.Join(o.data, "secrets.age")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	b := begin(t.Context(), o, slog.New(slog.DiscardHandler), newBackend)
	select {
	case <-b.asked:
		t.Error("it asks for a passphrase")
	case <-b.done:
	}
	if code := leave(b, &repairs{}); code != exitOK {
		t.Errorf("it exits with %d", code)
	}
}
