package logs_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/logs"
)

// values are secrets of every kind that is hard to find again.
func values() []bridge.Secret {
	return []bridge.Secret{
		bridge.NewSecret("app-0123456789"),
		bridge.NewSecret("app-0123456789-and-more"),
		bridge.NewSecret(`quote"and\slash`),
		bridge.NewSecret("a&b=c d/密钥<x>"),
		bridge.NewSecret("-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----\n"),
	}
}

// wantNone looks for every secret in every form.
func wantNone(t *testing.T, text string) {
	t.Helper()
	for _, s := range values() {
		for _, line := range strings.Split(strings.TrimSpace(s.Reveal()), "\n") {
			quoted, err := json.Marshal(line)
			if err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{line, strings.Trim(string(quoted), `"`), url.QueryEscape(line), url.PathEscape(line)} {
				if strings.Contains(text, form) {
					t.Errorf("%q is in %s", form, text)
				}
			}
		}
	}
	if strings.Contains(text, "-and-more") {
		t.Errorf("the rest of a longer secret is in %s", text)
	}
}

// TestNoSecretGetsThrough logs each secret in every way there is.
func TestNoSecretGetsThrough(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(io.Writer, logs.Options) slog.Handler{"json": logs.NewHandler, "text": logs.NewText} {
		var out bytes.Buffer
		var r logs.Redactor
		r.Know(values()...)
		r.Know(values()...)
		log := slog.New(handler(&out, logs.Options{Redactor: &r}))
		for _, s := range values() {
			v := s.Reveal()
			log = log.With(slog.String("with", v)).WithGroup("g")
			log.InfoContext(t.Context(), v, slog.Any("secret", s), slog.String("plain", "before "+v+" after"), slog.Any("error", fmt.Errorf("call %q: %w", "https://x/?key="+url.QueryEscape(v), errors.New(v))), //nolint:sloglint // a message is one of the ways
				slog.Any("struct", struct{ Inner []string }{[]string{v}}), slog.Group("group", slog.Any("url", &url.URL{Path: "/" + v})), slog.Any("bytes", map[string]string{v: v}))
		}
		wantNone(t, out.String())
		if !strings.Contains(out.String(), "•••") || !strings.Contains(out.String(), "after") {
			t.Errorf("%s: nothing was logged: %s", name, out.String())
		}
	}
}

func TestNamesAreGuarded(t *testing.T) {
	t.Parallel()
	for key, want := range map[string][2]bool{ // shown without content, and with
		"token": {}, "access_token": {}, "Authorization": {}, "app_secret": {}, "api_key": {}, "encoding_aes_key": {},
		"text": {false, true}, "question": {false, true}, "answer": {false, true},
		"bot": {true, true}, "message_id": {true, true}, "key": {true, true}, "error": {true, true},
	} {
		for n, content := range []bool{false, true} {
			var out bytes.Buffer
			slog.New(logs.NewHandler(&out, logs.Options{Content: content})).InfoContext(t.Context(), "x", slog.Group("g", slog.String(key, "value")))
			if shown := strings.Contains(out.String(), "value"); shown != want[n] {
				t.Errorf("%s, content %t: %s", key, content, out.String())
			}
		}
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(logs.NewHandler(&out, logs.Options{Level: slog.LevelWarn}))
	log.InfoContext(t.Context(), "no")
	log.WarnContext(t.Context(), "yes")
	if strings.Contains(out.String(), "no") || !strings.Contains(out.String(), "yes") {
		t.Error(out.String())
	}
}

// TestShortSecrets are not looked for: half of the log would be dots.
func TestShortSecrets(t *testing.T) {
	t.Parallel()
	var r logs.Redactor
	r.Know(bridge.NewSecret("abc"), bridge.Secret{}, bridge.NewSecret("\n\n"))
	if got := r.Clean("abcabc\n\n"); got != "abcabc\n\n" {
		t.Errorf("%q", got)
	}
}

// sizes returns the sizes of the files, the latest first.
func sizes(t *testing.T, f *logs.File) []int64 {
	t.Helper()
	var all []int64
	for _, path := range f.Paths() {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		all = append(all, info.Size())
	}
	return all
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logs", "switchboard.log")
	open := func() *logs.File {
		t.Helper()
		f, err := logs.OpenFile(path, logs.FileOptions{Size: 100, Keep: 3})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := open()
	line := func(n int) { // of 40 bytes
		t.Helper()
		if _, err := fmt.Fprintf(f, "%039d\n", n); err != nil {
			t.Fatal(err)
		}
	}
	if big, err := logs.OpenFile(path+".big", logs.FileOptions{Size: 100}); err != nil {
		t.Fatal(err)
	} else if _, err := big.Write(bytes.Repeat([]byte("x"), 150)); err != nil || len(sizes(t, big)) != 1 { // nothing to make room for
		t.Errorf("files %v, %v", big.Paths(), err)
	} else if err := errors.Join(big.Close(), os.Remove(path+".big")); err != nil {
		t.Fatal(err)
	}
	line(1)
	if err := errors.Join(f.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("late\n")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("after the end: %v", err)
	}
	f = open() // goes on where it stopped
	for n := range 8 {
		line(n + 2)
	}
	if diff := cmp.Diff([]int64{40, 80, 80}, sizes(t, f)); diff != "" {
		t.Error(diff)
	}
	last, err := os.ReadFile(path)
	if err != nil || strings.TrimLeft(string(last), "0") != "9\n" {
		t.Errorf("the last line is %q, %v", last, err)
	}
	if _, err := f.Write(bytes.Repeat([]byte("x"), 150)); err != nil { // longer than a file
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int64{150, 40, 80}, sizes(t, f)); diff != "" {
		t.Error(diff)
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 3 {
		t.Errorf("files %v, %v", files, err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

// TestLinesAreWhole writes from many sides; no line is lost as long as there is
// room, and none is cut.
func TestLinesAreWhole(t *testing.T) {
	t.Parallel()
	f, err := logs.OpenFile(filepath.Join(t.TempDir(), "a.log"), logs.FileOptions{Size: 4000, Keep: 50})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(logs.NewHandler(f, logs.Options{}))
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for n := range 50 {
				log.InfoContext(t.Context(), "line", slog.Int("g", g), slog.Int("n", n))
			}
		})
	}
	all.Wait()
	seen := map[string]bool{}
	for _, path := range f.Paths() {
		data, err := os.ReadFile(path)
		if err != nil || len(data) > 4000 {
			t.Errorf("%d bytes, %v", len(data), err)
		}
		for line := range strings.SplitSeq(strings.TrimSpace(string(data)), "\n") {
			var record struct{ G, N int }
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Errorf("%q: %v", line, err)
			}
			seen[fmt.Sprint(record)] = true
		}
	}
	if len(seen) != 400 || len(f.Paths()) < 5 {
		t.Errorf("%d lines in %d files", len(seen), len(f.Paths()))
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}

func TestCannotOpen(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(file, "a.log"), filepath.Dir(file)} {
		if f, err := logs.OpenFile(path, logs.FileOptions{}); err == nil {
			_ = f.Close()
			t.Errorf("%s was opened", path)
		}
	}
}

// opened reads a bundle.
func opened(t *testing.T, path string) map[string]string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = z.Close() }()
	all := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		all[f.Name] = string(data)
	}
	return all
}

func TestBundle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := filepath.Join(dir, "switchboard.log")
	var lines strings.Builder
	for _, s := range values() {
		fmt.Fprintf(&lines, "{\"msg\":%q}\n", s.Reveal()) // an older log, before the secret was known
		lines.WriteString(s.Reveal() + "\n")
	}
	lines.WriteString("{\"msg\":\"the door is open\"}\n{\"msg\":\"asked: 年假还剩几天\"}\n{\"msg\":\"said \\\"quite a lot\\\" of words\"}\nno end of line")
	if err := os.WriteFile(log, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "diagnostics.zip")
	err := logs.Save(path, logs.Bundle{
		Logs:    []string{log, log + ".gone"},
		Files:   map[string]any{"version.txt": "1.0", "health.json": map[string]string{"address": "http://x/" + url.PathEscape(values()[3].Reveal())}},
		Secrets: values(),
		Texts:   []string{"年假还剩几天", `"quite a lot" of words`, "ok", "", "1.0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	got := opened(t, path)
	for _, text := range got {
		wantNone(t, text)
	}
	log1 := got["logs/switchboard.log"]
	if len(got) != 3 || got["version.txt"] != "1.0" || !strings.Contains(log1, "the door is open") || !strings.HasSuffix(log1, "no end of line") ||
		strings.Contains(log1, "年假") || strings.Contains(log1, "quite a lot") || strings.Count(log1, "left out") != 2 {
		t.Errorf("%v", got)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestBundleIsLookedThrough refuses what cleaning cannot mend, and leaves nothing.
func TestBundleIsLookedThrough(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "diagnostics.zip")
	for _, name := range []string{"app-0123456789.txt", "年假还剩几天.txt"} {
		err := logs.Save(path, logs.Bundle{Files: map[string]any{name: "x"}, Secrets: values(), Texts: []string{"年假还剩几天"}})
		if !errors.Is(err, logs.ErrFound) {
			t.Errorf("%s: %v", name, err)
		}
		for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
			if _, ok := i18n.Find(lang, "error.logs.found"); !ok || i18n.Explain(lang, err).Next == "" {
				t.Errorf("no words in %s", lang)
			}
		}
	}
	if err := logs.Save(path, logs.Bundle{Files: map[string]any{"bad": make(chan int)}}); err == nil {
		t.Error("a channel was saved")
	}
	if err := logs.Save(filepath.Join(path, "below.zip"), logs.Bundle{}); err == nil {
		t.Error("saved below nothing")
	}
	if files, err := os.ReadDir(filepath.Dir(path)); err != nil || len(files) != 0 {
		t.Errorf("left %v, %v", files, err)
	}
}
