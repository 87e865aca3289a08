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

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// token reads the admin's token from the data directory.
func token(t *testing.T, data string) http.Header {
	t.Helper()
	path := filepath.Join(data, "admin.token")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 || len(strings.TrimSpace(string(text))) < 20 {
		t.Errorf("the token file is %v, %d bytes, %v", info.Mode(), len(text), err)
	}
	return http.Header{"Authorization": {"Bearer " + strings.TrimSpace(string(text))}}
}

// TestAdmin: health for everybody, the rest for who has the token; the numbers
// are those of what happened.
func TestAdmin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		r := begin(t, data, "bots: [{id: one, platform: lamp}, {id: dark, platform: lamp}]\nlimits: {per_person_per_day: 2}\n", l, nil)
		for n := range 2 {
			r.deliver(t, "m1", "how are you?") // the second is a duplicate
			r.deliver(t, say(n), map[int]string{0: "!fail", 1: "over the limit"}[n])
			rest(time.Minute)
		}
		r.request(t, r.door, "POST", "/hook/one", []byte("forged"))
		if status, text := r.ask(t, r.admin, "GET", "/healthz", nil, nil); status != 200 || !strings.Contains(text, `"bot_broken"`) || !strings.Contains(text, `"attention"`) {
			t.Errorf("/healthz is %d %s", status, text)
		}
		for _, path := range []string{"/metrics", "/api/v1/status"} {
			if status, text := r.ask(t, r.admin, "GET", path, nil, nil); status != 401 || strings.Contains(text, "one") {
				t.Errorf("%s without the token is %d %s", path, status, text)
			}
		}
		right := token(t, data)
		status, text := r.ask(t, r.admin, "GET", "/metrics", nil, right)
		for _, want := range []string{
			`switchboard_messages_received_total{bot="one"} 3`, `switchboard_messages_duplicate_total{bot="one"} 1`,
			`switchboard_messages_answered_total{bot="one"} 2`, `switchboard_messages_failed_total{bot="one",kind="agent_failed"} 1`,
			`switchboard_messages_limited_total{bot="one"} 1`, `switchboard_agent_failures_total{agent="help",kind="agent_failed"} 1`,
			`switchboard_agent_answer_seconds_count{agent="help"} 1`, `switchboard_agent_first_text_seconds_count{agent="help"} 1`,
			"switchboard_requests_refused_total 1", `switchboard_messages_waiting{agent="help"} 0`, `switchboard_bot_state{bot="dark",platform="lamp",state="broken"} 1`,
			`switchboard_warnings{code="bot_broken",severity="error"} 1`, `switchboard_platform_calls_total{bot="one",api="send"}`,
		} {
			if status != 200 || !strings.Contains(text, want) {
				t.Errorf("no %q", want)
			}
		}
		if t.Failed() {
			t.Log(text)
		}
		status, text = r.ask(t, r.admin, "GET", "/api/v1/status", nil, right)
		var got struct {
			Ready    bool
			Listen   string
			Received int `json:"received_today"`
			Bots     []struct{ ID, State, Error string }
			Agents   []struct{ ID, Kind string }
			Warnings []struct{ Code string }
		}
		if err := json.Unmarshal([]byte(text), &got); status != 200 || err != nil {
			t.Fatal(status, err, text)
		}
		if !got.Ready || got.Received != 3 || len(got.Bots) != 2 || got.Bots[0].State != "broken" || got.Bots[0].Error != "invalid" || len(got.Agents) != 1 || len(got.Warnings) == 0 {
			t.Errorf("status %+v", got)
		}
	})
}

// TestTokenStays over restarts, and one that others can read is closed to them.
func TestTokenStays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		data, l := t.TempDir(), newLamp()
		r := begin(t, data, oneBot, l, nil)
		first := token(t, data)
		if err := r.stop(); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(data, "admin.token"), 0o644); err != nil {
			t.Fatal(err)
		}
		begin(t, data, oneBot, l, nil)
		if second := token(t, data); second.Get("Authorization") != first.Get("Authorization") {
			t.Error("the token changed")
		}
	})
}

// TestChosenToken takes the place of the file.
func TestChosenToken(t *testing.T) {
	t.Setenv("SB_TEST_ADMIN", "chosen-by-the-admin")
	synctest.Test(t, func(t *testing.T) {
		data := t.TempDir()
		r := begin(t, data, oneBot+"secrets: {server/admin_token: \"env:SB_TEST_ADMIN\"}\n", newLamp(), nil)
		if status, _ := r.ask(t, r.admin, "GET", "/metrics", nil, http.Header{"Authorization": {"Bearer chosen-by-the-admin"}}); status != 200 {
			t.Errorf("the chosen token gets %d", status)
		}
		if _, err := os.Stat(filepath.Join(data, "admin.token")); err == nil {
			t.Error("there is a second token")
		}
	})
}

// TestShowRunning: a second start finds the first one and asks for its window.
func TestShowRunning(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	second := app.Options{Data: data, Log: slog.New(slog.DiscardHandler)}
	if err := os.WriteFile(filepath.Join(data, "admin.address"), []byte("127.0.0.1:1"), 0o600); err != nil {
		t.Fatal(err)
	}
	a, ctx := house(t, data, "")
	until(t, func() bool { _, err := os.Stat(filepath.Join(data, "admin.address")); return err == nil })
	if err := app.ShowRunning(ctx, second); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("without a window it is %v", err)
	}
	shown := make(chan struct{}, 1)
	a.OnShow(func() { shown <- struct{}{} })
	if err := app.ShowRunning(ctx, second); err != nil {
		t.Error(err)
	}
	select {
	case <-shown:
	default:
		t.Error("nothing was shown")
	}
	if err := app.ShowRunning(ctx, app.Options{Data: t.TempDir()}); bridge.KindOf(err) != bridge.KindUnavailable {
		t.Errorf("nobody there is %v", err)
	}
}
