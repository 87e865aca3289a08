package app_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/logs"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

// content is part of every question of the run, and so of every answer.
const content = "marigolds in the greenhouse"

// heap is everything that a run left behind or showed, by where it was found.
type heap map[string]string

// leaks says where values can be found, in any of the forms a program writes them.
func (h heap) leaks(values map[string]string, spared func(where string) bool) []string {
	var found []string
	for where, text := range h {
		if spared(where) {
			continue
		}
		for name, v := range values {
			for _, form := range []string{
				v, url.QueryEscape(v), url.PathEscape(v), hex.EncodeToString([]byte(v)),
				strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(v)), "="), base64.RawURLEncoding.EncodeToString([]byte(v)),
			} {
				if strings.Contains(text, form) {
					found = append(found, name+" in "+where)
					break
				}
			}
		}
	}
	return found
}

// directory takes a directory in, files in zip files too. Spared are the places
// that secrets come from.
func (h heap) directory(t *testing.T, dir string, spared map[string]bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || spared[path] {
			return err
		}
		text, err := os.ReadFile(path)
		h[path] = string(text)
		if filepath.Ext(path) == ".zip" {
			h.bundle(t, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (h heap) bundle(t *testing.T, path string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		h["bundle/"+f.Name] = string(text)
	}
}

// shared is a buffer that several goroutines write to.
type shared struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// tail is what was said last.
func (s *shared) tail() string {
	text := s.String()
	return text[max(0, len(text)-20000):]
}

// leaky is a whole program with every kind of secret, on platforms and an agent
// that fail in many ways, behind a tunnel that was refused.
type leaky struct {
	*stage
	secrets map[string]string
	sources map[string]bool // files that hold secrets on purpose
	stderr  *shared
}

func newLeaky(t *testing.T) *leaky {
	t.Helper()
	agent := newSick(t, []mood{"", moodRefuseKey, moodGateway, moodReset, moodCut, moodError, moodLateError, moodBusy, ""})
	s := &stage{
		t: t, cell: &cell{}, ctx: t.Context(), data: t.TempDir(), bots: map[bridge.Platform]string{},
		said: map[bridge.Platform][]bridge.MessageID{}, count: map[bridge.Platform]int{}, agent: agent,
	}
	var err error
	if s.sim, err = simulator.Start(t.Context(), simulator.Options{RetryPause: 20 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.sim.Close() })
	l := &leaky{stage: s, secrets: map[string]string{}, sources: map[string]bool{}, stderr: &shared{}}
	s.settle()
	for _, c := range s.sim.Configs() {
		l.secrets["agent of "+string(c.Platform)] = agentKey(c.Platform)
		for key, value := range c.Secrets {
			l.secrets["bot/"+c.ID+"/"+key] = value.Reveal()
		}
	}
	const token = "2abCdEfGhIjKlMnOpQrStUvWxYz_NotARealTokenAtAll"
	l.secrets["tunnel/authtoken"] = token
	file := filepath.Join(s.data, "tunnel-authtoken")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sources, err := filepath.Glob(filepath.Join(s.data, "*-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range sources {
		l.sources[path] = true
	}
	config := filepath.Join(s.data, "switchboard.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(text) + fmt.Sprintf("  tunnel/authtoken: %q\n", "file:"+file) + "tunnel: {kind: ngrok}\nlog: {level: debug}\n"
	if err := os.WriteFile(config, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// run starts the program, with all that it would say at a terminal kept.
func (l *leaky) run() (stop func()) {
	l.t.Helper()
	edge := tunneltest.New(l.t)
	edge.Refuse(tunneltest.Refusal{Text: "The authtoken you specified is properly formed, but it is invalid.", Code: "ERR_NGROK_107"})
	redactor, level := &logs.Redactor{}, &slog.LevelVar{}
	var err error
	l.App, err = app.Open(l.t.Context(), app.Options{
		Data: l.data, Version: "test", Redactor: redactor, Level: level, RetryPause: 20 * time.Millisecond,
		Log:    slog.New(logs.NewText(l.stderr, logs.Options{Level: level, Redactor: redactor})),
		Tunnel: tunnel.Options{Server: edge.Addr(), CAs: edge.CAs(), Transport: edge.Transport()},
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(l.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	until(l.t, func() bool {
		o, err := l.Overview(l.ctx)
		if err != nil || o.Listen == "" {
			return false
		}
		for _, bot := range l.bots {
			l.sim.Attach(bot, "http://"+o.Listen+"/hook/"+bot)
		}
		return true
	})
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			l.t.Error(err)
		}
		if err := l.Close(context.WithoutCancel(ctx)); err != nil {
			l.t.Error(err)
		}
	})
}

// troubled asks a question on every platform under each trouble.
func (l *leaky) troubled() {
	l.t.Helper()
	for n, faults := range [][]string{{"duplicate=1"}, {"busy=2x", "fail=1x"}, {"reset=2x"}, {"break=1x"}, {"expire=2x"}, {"left=1"}, nil, {"secret=1", "expire=2x"}} {
		l.disturb(faults)
		for _, p := range everywhere() {
			l.say(p, fmt.Sprintf("%s, number %d", content, n))
		}
		for _, p := range everywhere() {
			until(l.t, func() bool {
				x := l.job(p)
				return strings.Contains(x.Job.Message.Text, fmt.Sprint("number ", n)) && (x.Job.State.Final() || len(faults) == 2 && l.complaint(p) != "")
			}, func() string { return l.state(p) }, l.stderr.tail)
		}
	}
	o, err := l.Overview(l.ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, bot := range l.bots { // a stranger at the door
		for _, body := range []string{"{}", "<xml><Encrypt>AAAA</Encrypt></xml>", `{"encrypt":"AAAA"}`} {
			resp, err := http.Post("http://"+o.Listen+"/hook/"+bot+"?msg_signature=x&timestamp=1&nonce=2", "application/json", strings.NewReader(body))
			if err != nil {
				l.t.Fatal(err)
			}
			_ = resp.Body.Close()
		}
	}
}

// shown gathers what the program shows while it runs.
func (l *leaky) shown(h heap) {
	l.t.Helper()
	address, err := os.ReadFile(filepath.Join(l.data, "admin.address"))
	if err != nil {
		l.t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(l.data, "admin.token"))
	if err != nil {
		l.t.Fatal(err)
	}
	l.secrets["admin token"] = strings.TrimSpace(string(token))
	l.sources[filepath.Join(l.data, "admin.token")] = true
	for _, path := range []string{"/healthz", "/metrics", "/api/v1/status", "/api/v1/people", "/api/v1/audit", "/api/v1/usage?by=person,bot,agent,day"} {
		req, err := http.NewRequestWithContext(l.ctx, http.MethodGet, "http://"+string(address)+path, nil)
		if err != nil {
			l.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+l.secrets["admin token"])
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			l.t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK || len(text) == 0 {
			l.t.Errorf("%s is %d with %d bytes, %v", path, resp.StatusCode, len(text), err)
		}
		_ = resp.Body.Close()
		h[path] = string(text)
	}
	for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
		h["notices "+string(lang)] = fmt.Sprintf("%+v", l.Notices(lang))
		h["check "+string(lang)] = fmt.Sprintf("%+v", l.Check(l.ctx, lang))
	}
	o, err := l.Overview(l.ctx)
	if err != nil {
		l.t.Fatal(err)
	}
	h["overview"] = fmt.Sprintf("%+v", o)
	for _, p := range everywhere() {
		text, err := json.Marshal(l.job(p).Entries)
		if err != nil {
			l.t.Fatal(err)
		}
		h["timeline of "+string(p)] = string(text)
	}
	bundle := filepath.Join(l.data, "diagnostics.zip")
	if err := app.SaveDiagnostics(l.ctx, app.Options{Data: l.data, Log: slog.New(slog.DiscardHandler)}, bundle); err != nil {
		l.t.Fatal(err)
	}
	if _, err := app.BackUp(l.ctx, app.Options{Data: l.data}); err != nil {
		l.t.Fatal(err)
	}
}

// TestNothingLeaks looks for every secret of a troubled run in all that it left
// behind and all that it showed: the database and its backup, the log, standard
// error, the diagnostics, the metrics, what can be exported and everything in words. What people wrote
// is where it belongs, the database, and nowhere else.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	l := newLeaky(t)
	stop := l.run()
	defer stop()
	l.troubled()
	h := heap{}
	l.shown(h)
	stop()
	h["stderr"] = l.stderr.String()
	h.directory(t, l.data, l.sources)
	for _, where := range []string{"stderr", filepath.Join(l.data, "logs", "switchboard.log"), filepath.Join(l.data, "switchboard.db"), "bundle/logs/switchboard.log", "bundle/status.json"} {
		if len(h[where]) < 200 {
			t.Errorf("%s is missing: %d bytes", where, len(h[where]))
		}
	}
	for _, leak := range h.leaks(l.secrets, func(string) bool { return false }) {
		t.Error(leak)
	}
	words := map[string]string{"content": content}
	inDatabase := func(where string) bool { return strings.Contains(filepath.Base(where), ".db") }
	for _, leak := range h.leaks(words, inDatabase) {
		t.Error(leak)
	}
	for where, text := range h {
		if _, rest, found := strings.Cut(text, "access_token="); found && !strings.HasPrefix(rest, "•••") {
			t.Errorf("a token of a platform in %s", where)
		}
	}
	if inside := h.leaks(words, func(where string) bool { return !inDatabase(where) }); len(inside) == 0 {
		t.Error("not even the database has the questions: nothing was looked at")
	}
	l.seeded(t, h)
}

// seeded proves that the search finds what is there: each secret, put into a copy
// of each kind of thing, in each form.
func (l *leaky) seeded(t *testing.T, h heap) {
	t.Helper()
	for name, v := range l.secrets {
		quoted, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{v, string(quoted), "?corpsecret=" + url.QueryEscape(v) + "&x=1", base64.StdEncoding.EncodeToString([]byte(v))} {
			for _, where := range []string{"stderr", filepath.Join(l.data, "switchboard.db"), "bundle/logs/switchboard.log"} {
				text := h[where]
				sown := heap{where: text[:len(text)/2] + form + text[len(text)/2:]}
				if got := sown.leaks(l.secrets, func(string) bool { return false }); len(got) == 0 {
					t.Errorf("%s would not be found in %s as %q", name, where, form)
				}
			}
		}
	}
}
