package app_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

const (
	stray   = "app-Zq81kkWv02mmPd" // a secret where it must not stand
	env     = "env-5521-kkQ-secret"
	spoken  = "marigolds in the greenhouse by the river"
	written = `{"time":"2026-01-02T03:04:05Z","level":"ERROR","msg":"an answer failed","bot":"fs","error":"feishu: send: ` + spoken + `"}
{"time":"2026-01-02T03:04:06Z","level":"INFO","msg":"switchboard starts","version":"1.2.3","name":"Lin Wen"}
not a line of ours: ` + spoken + "\n"
	fallen = "panic: " + spoken + "\n\ngoroutine 7 [running]:\nmain.(*house).serve({0xc000, 0x5}, ...)\n\t/src/main.go:12 +0x1d\n"
)

// brokenHouse is a data directory in which nothing opens any more, with a log and a
// crash.
func brokenHouse(t *testing.T, settings string, database func(path string)) app.Options {
	t.Helper()
	data := t.TempDir()
	if err := os.MkdirAll(filepath.Join(data, "logs"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"switchboard.yaml": settings, "logs/switchboard.log": written, "logs/switchboard.1.log": written, "crash.txt": fallen} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	database(filepath.Join(data, "switchboard.db"))
	return app.Options{Data: data, Version: "1.2.3", Log: slog.New(slog.DiscardHandler)}
}

func rust(t *testing.T) func(path string) {
	t.Helper()
	return func(path string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Repeat("rust ", 5000)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// asked is a database in which somebody asked what stands in the log.
func asked(t *testing.T) func(path string) {
	t.Helper()
	return func(path string) {
		t.Helper()
		s, err := store.Open(t.Context(), store.Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		m := bridge.Message{ID: "1", Bot: "fs", Platform: "feishu", Text: spoken, Chat: bridge.Chat{ID: "c", Kind: bridge.Direct}}
		_, err = s.Accept(t.Context(), []bridge.NewJob{{Queue: "help", Lane: "l", Message: m}})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

const goodSettings = "agents: [{id: help, kind: echo}]\nsecrets: {server/admin_token: \"env:SB_TEST_TROUBLE\"}\n"

// TestDiagnoseTrouble: what is saved when nothing opens says why and gives nothing
// away, whether or not it is known what people wrote.
func TestDiagnoseTrouble(t *testing.T) {
	t.Setenv("SB_TEST_TROUBLE", env)
	badSettings := "# the key is " + stray + "\nagents: [{id: help, kind: echo, max_concurrent: 3, api_key: " + stray + "}]\n" +
		"secrets:\n  agent/help/api_key: \"" + stray + "\"\n  server/admin_token: env:SB_TEST_TROUBLE\nlanguage: " + stray + "\nstray " + stray + ": [\n"
	for name, c := range map[string]struct {
		settings string
		database func(path string)
		trouble  string
		log      string // of what is kept
		not      string
	}{
		"settings":             {badSettings, asked(t), "the settings, line", `"version":"1.2.3","name":"Lin Wen"`, "feishu: send"},
		"settings, nobody yet": {badSettings, func(string) {}, "the settings, line", `"msg":"an answer failed"`, "Lin Wen"},
		"database":             {goodSettings, rust(t), "The database is damaged", `"msg":"switchboard starts","time":"2026-01-02T03:04:06Z","version":"1.2.3"}`, "Lin Wen"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := brokenHouse(t, c.settings, c.database)
			path := filepath.Join(t.TempDir(), "x.zip")
			if err := app.SaveDiagnostics(t.Context(), opt, path); err != nil {
				t.Fatal(err)
			}
			h := heap{}
			h.bundle(t, path)
			for _, leak := range h.leaks(map[string]string{"secret": stray, "environment": env, "words": spoken}, func(string) bool { return false }) {
				t.Error(leak)
			}
			log := h["bundle/logs/switchboard.log"]
			if !strings.Contains(h["bundle/trouble.txt"], c.trouble) || !strings.Contains(log, c.log) || strings.Contains(log, c.not) || !strings.HasPrefix(log, h["bundle/logs/switchboard.1.log"]) || h["bundle/logs/switchboard.1.log"] == "" {
				t.Errorf("trouble %q, log %q", h["bundle/trouble.txt"], log)
			}
			for where, want := range map[string]string{
				"about.json": `"version": "1.2.3"`, "files.json": `"name": "crash.txt"`, "switchboard.yaml": "agents: [{id: ",
				"crash.txt": "goroutine 7 [running]:\nmain.(*house).serve(…)\n\t/src/main.go:12",
			} {
				if !strings.Contains(h["bundle/"+where], want) {
					t.Errorf("%s is %q", where, h["bundle/"+where])
				}
			}
		})
	}
}

// TestDiagnoseSilent: a program that uses the directory and does not answer is a
// trouble, too.
func TestDiagnoseSilent(t *testing.T) {
	t.Parallel()
	opt := brokenHouse(t, "agents: [{id: help, kind: echo}]\n", asked(t))
	a, err := app.Open(t.Context(), opt) // and never runs
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.zip")
	if err := errors.Join(app.SaveDiagnostics(t.Context(), opt, path), a.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
	h := heap{}
	h.bundle(t, path)
	if h["bundle/trouble.txt"] == "" || !strings.Contains(h["bundle/switchboard.yaml"], "kind: echo") || len(h.leaks(map[string]string{"words": spoken}, func(string) bool { return false })) > 0 {
		t.Errorf("%v", h)
	}
}

// TestMistakesAreShownOutlined: a secret in the settings of one bot breaks that bot
// only; the diagnostics of the house that runs do not have it.
func TestMistakesAreShownOutlined(t *testing.T) {
	t.Parallel()
	opt := brokenHouse(t, "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nagents: [{id: help, kind: echo}]\n"+
		"bots: [{id: fs, platform: feishu, agent: help, settings: {app_id: cli_x, app_secret: "+stray+"}}]\n", asked(t))
	path := filepath.Join(t.TempDir(), "x.zip")
	if err := app.SaveDiagnostics(t.Context(), opt, path); err != nil {
		t.Fatal(err)
	}
	h := heap{}
	h.bundle(t, path)
	if leaks := h.leaks(map[string]string{"secret": stray}, func(where string) bool {
		return !slices.Contains([]string{"bundle/switchboard.yaml", "bundle/status.json", "bundle/notices.json", "bundle/logs/switchboard.log"}, where)
	}); len(leaks) > 0 {
		t.Error(leaks)
	}
	if !strings.Contains(h["bundle/switchboard.yaml"], "platform: feishu") || h["bundle/status.json"] == "" {
		t.Errorf("%v", h["bundle/switchboard.yaml"])
	}
}
