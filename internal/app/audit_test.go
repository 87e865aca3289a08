package app_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/store/storetest"
)

// entries are the notes of a kind in the audit, the latest first, with who and
// where.
func entries(t *testing.T, r *life, kind bridge.AuditKind) (all []string) {
	t.Helper()
	found, err := r.Audits(r.ctx, bridge.AuditQuery{Kind: kind})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range found {
		all = append(all, strings.TrimSpace(a.By.Who+" "+a.By.Where+": "+a.Note))
	}
	return all
}

// TestEditedByHand: what somebody changes in the settings file is noticed at the
// start and while the program runs; keys are told, values never; what the window
// changes is not by hand.
func TestEditedByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		r := begin(t, data, oneBot+"limits: {per_person_per_day: 7}\n", l, nil)
		if got := entries(t, r, bridge.AuditByHand); len(got) != 0 {
			t.Errorf("at the first start %q", got)
		}
		p := r.Privacy()
		p.ContentDays = 3
		if err := r.SavePrivacy(r.ctx, p); err != nil {
			t.Fatal(err)
		}
		rest(time.Minute)
		if got := entries(t, r, bridge.AuditByHand); len(got) != 0 {
			t.Errorf("what the window changed counts as changed by hand: %q", got)
		}
		edit := func(from, to string) {
			t.Helper()
			path := filepath.Join(data, "switchboard.yaml")
			text, err := os.ReadFile(path)
			if err != nil || !strings.Contains(string(text), from) {
				t.Fatal(err, string(text))
			}
			write(t, data, strings.Replace(string(text), from, to, 1))
		}
		edit("per_person_per_day: 7", "per_person_per_day: 8888")
		rest(time.Minute)
		want := []string{"file: limits.per_person_per_day"}
		if diff := cmp.Diff(want, entries(t, r, bridge.AuditByHand)); diff != "" {
			t.Error("while it runs:", diff)
		}
		warned := func(lang bridge.Language, detail string) {
			t.Helper()
			n := r.Notices(lang)
			if len(n) != 1 || n[0].ID != "settings_edited " || !strings.Contains(n[0].Detail, detail) || n[0].Next == "" {
				t.Errorf("notices %+v", n)
			}
		}
		warned(bridge.English, "")
		edit("per_person_per_day: 8888", "per_person_per_day: lots")
		rest(time.Minute)
		warned(bridge.English, "line ")
		warned(bridge.Chinese, "行")
		edit("per_person_per_day: lots", "per_person_per_day: 7")
		rest(time.Minute)
		if n := r.Notices(bridge.English); len(n) != 0 {
			t.Errorf("the file is as it was, and still %+v", n)
		}
		if got := entries(t, r, bridge.AuditByHand); len(got) != 3 {
			t.Errorf("changed three times: %q", got)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		again := begin(t, data, oneBot+"limits: {per_person_per_day: 9999}\n", l, nil)
		got := entries(t, again, bridge.AuditByHand)
		if len(got) != 4 || got[1] != want[0] || !strings.Contains(got[0], "limits.per_person_per_day") || strings.Contains(got[0], "9999") {
			t.Errorf("at the start: %q", got)
		}
		for _, file := range []string{"settings.seen", "audit.pending"} {
			if text, err := os.ReadFile(filepath.Join(data, file)); err == nil && strings.Contains(string(text), "9999") {
				t.Errorf("%s holds values: %s", file, text)
			}
		}
	})
}

// TestEditedWhileTheStoreFails: what could not be written into the audit just then is
// written when it can be.
func TestEditedWhileTheStoreFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		r := begin(t, data, oneBot+"limits: {per_person_per_day: 7}\n", l, nil)
		back := storetest.Without(t, filepath.Join(data, "switchboard.db"), "audits")
		write(t, data, "server: {listen: \"127.0.0.1:1\", admin: \"127.0.0.1:2\"}\nagents: [{id: help, kind: echo}]\n"+oneBot+"limits: {per_person_per_day: 8}\n")
		rest(time.Minute)
		back()
		rest(time.Minute)
		if diff := cmp.Diff([]string{"file: limits.per_person_per_day"}, entries(t, r, bridge.AuditByHand)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestActsWhileNobodyRuns: what the terminal does to files is in the audit of the
// next program, once, with its own time and the user of the computer.
func TestActsWhileNobodyRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		first := begin(t, data, oneBot, l, nil)
		if err := first.stop(); err != nil {
			t.Fatal(err)
		}
		opt := app.Options{Data: data, Log: slog.New(slog.DiscardHandler), By: bridge.Actor{Who: "wang", Where: "cli"}, Connectors: []bridge.Connector{l.connector()}}
		b, err := app.BackUp(t.Context(), opt)
		if err != nil {
			t.Fatal(err)
		}
		acted := time.Now()
		rest(time.Hour)
		kept, err := app.Restore(t.Context(), opt, b.Path)
		if err != nil {
			t.Fatal(err)
		}
		pending := filepath.Join(data, "audit.pending")
		lines, err := os.ReadFile(pending)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"wang cli: restored " + filepath.Base(b.Path) + ", the one before is " + filepath.Base(kept),
			"wang cli: backup " + filepath.Base(b.Path),
		}
		again := begin(t, data, oneBot, l, nil)
		if diff := cmp.Diff(want, entries(t, again, bridge.AuditDatabase)); diff != "" {
			t.Error(diff)
		}
		all, err := again.Audits(again.ctx, bridge.AuditQuery{Kind: bridge.AuditDatabase})
		if err != nil || len(all) != 2 || all[1].At.Sub(acted).Abs() > time.Second {
			t.Errorf("%+v, %v", all, err)
		}
		if _, err := os.Stat(pending); err == nil {
			t.Error("the file is still there")
		}
		if err := again.stop(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(pending, append(lines, "{garbage\n"...), 0o600); err != nil { // a crash before it was removed
			t.Fatal(err)
		}
		third := begin(t, data, oneBot, l, nil)
		if diff := cmp.Diff(want, entries(t, third, bridge.AuditDatabase)); diff != "" {
			t.Error("taken up twice:", diff)
		}
	})
}

// TestActsAPI: only the terminal tells what it did, and only what nothing else
// writes down.
func TestActsAPI(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		r := begin(t, data, oneBot, newLamp(), nil)
		terminal := token(t, data)
		terminal.Set("Switchboard-User", "wang")
		for _, c := range []struct {
			header http.Header
			kind   string
			status int
		}{
			{terminal, "secret", 200},
			{terminal, "role", 400},
			{token(t, data), "secret", 400},
			{nil, "secret", 401},
		} {
			text, err := json.Marshal(map[string]string{"kind": c.kind, "where": "window", "who": "somebody else", "note": "kept x", "at": "2020-01-01T00:00:00Z"})
			if err != nil {
				t.Fatal(err)
			}
			if status, answer := r.ask(t, r.admin, "POST", "/api/v1/audit", text, c.header); status != c.status {
				t.Errorf("%s: %d %s", c.kind, status, answer)
			}
		}
		if diff := cmp.Diff([]string{"wang cli: kept x"}, entries(t, r, bridge.AuditSecret)); diff != "" {
			t.Error(diff)
		}
		all, err := r.Audits(r.ctx, bridge.AuditQuery{Kind: bridge.AuditSecret})
		if err != nil || len(all) != 1 || time.Since(all[0].At) > time.Minute {
			t.Errorf("%+v, %v: a time of somebody's own", all, err)
		}
	})
}

// TestKilledKeepsLimits: a program that is killed gives nobody questions back.
func TestKilledKeepsLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		const extra = oneBot + "limits: {per_person_per_minute: 100, per_person_per_day: 3}\n"
		r := begin(t, data, extra, l, nil)
		r.deliver(t, "m1", "first")
		r.deliver(t, "m2", "second")
		rest(time.Minute)
		if _, err := os.Stat(filepath.Join(data, "limits.json")); err == nil {
			t.Fatal("all was written down before the kill")
		}
		killed := t.TempDir()
		if err := os.CopyFS(killed, os.DirFS(data)); err != nil {
			t.Fatal(err)
		}
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		before := len(l.chat.Shown())
		again := begin(t, killed, extra, l, nil)
		again.deliver(t, "m3", "third")
		again.deliver(t, "m4", "fourth")
		rest(time.Minute)
		shown := l.chat.Texts()[before:]
		if len(shown) != 2 || !strings.Contains(shown[0], "third") || strings.Contains(shown[1], "fourth") {
			t.Errorf("after the kill %q", shown)
		}
	})
}
