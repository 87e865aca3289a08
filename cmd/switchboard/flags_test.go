package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"switchboard/ui"
)

func TestParse(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", "/cfg")
	t.Setenv("HOME", "/home/lin")
	o, err := parse(nil, io.Discard)
	if err != nil || filepath.Base(o.data) != "switchboard" || o.config != filepath.Join(o.data, "switchboard.yaml") || o.hidden {
		t.Errorf("got %+v, %v", o, err)
	}
	o, err = parse([]string{"--data", "/d", "--hidden", "--config", "/c.yaml"}, io.Discard)
	if err != nil || o.data != "/d" || o.config != "/c.yaml" || !o.hidden {
		t.Errorf("got %+v, %v", o, err)
	}
	if _, err := parse([]string{"--nonsense"}, io.Discard); err == nil {
		t.Error("took a flag it does not know")
	}
}

// TestVersionsAgree compares the places a version stands in.
func TestVersionsAgree(t *testing.T) {
	data, err := os.ReadFile("../../FyneApp.toml")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"Version": version, "ID": appID, "Icon": "assets/icons/app.png"} {
		m := regexp.MustCompile(`(?m)^` + key + ` = "(.*)"$`).FindSubmatch(data)
		if m == nil || string(m[1]) != want {
			t.Errorf("%s in FyneApp.toml is %q, want %q", key, m, want)
		}
	}
	if _, err := os.Stat("../../assets/icons/app.png"); err != nil {
		t.Error(err)
	}
}

func TestDesktopThere(t *testing.T) {
	env := func(set ...string) func(string) string {
		return func(key string) string {
			for _, s := range set {
				if s == key {
					return "x"
				}
			}
			return ""
		}
	}
	if desktopThere(env()) {
		t.Error("a desktop out of nothing")
	}
	if !desktopThere(env("DISPLAY")) || !desktopThere(env("WAYLAND_DISPLAY")) {
		t.Error("does not see the desktop")
	}
	set := map[string]string{}
	put := func(k, v string) error { set[k] = v; return nil }
	preferX11(env("WAYLAND_DISPLAY"), put)
	preferX11(env("DISPLAY", "FYNE_PLATFORM"), put)
	if len(set) != 0 {
		t.Errorf("overruled the user: %v", set)
	}
	preferX11(env("DISPLAY", "WAYLAND_DISPLAY"), put)
	if set["FYNE_PLATFORM"] != "x11" {
		t.Errorf("set %v", set)
	}
}

func TestNoDesktopHasItsOwnExitCode(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	never := func(context.Context, options, *slog.Logger) (ui.Backend, func(), error) {
		t.Error("opened the house")
		return nil, nil, errors.New("no")
	}
	if code := run(t.Context(), []string{"--data", t.TempDir()}, never); code != exitNoDesktop {
		t.Errorf("exit code %d", code)
	}
	if code := run(t.Context(), []string{"--nonsense"}, never); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
}

func TestGoneWaitsForThePicture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.ready")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if err := gone(ctx, file); err == nil || !strings.Contains(err.Error(), "x.ready") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := gone(t.Context(), file); err != nil {
		t.Error(err)
	}
}
