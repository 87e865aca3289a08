package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
	"switchboard/internal/store"
)

// office is a data directory whose bots live on simulated platforms, with 张伟
// known on all of them.
func office(t *testing.T) (data string, sim *simulator.Simulator) {
	t.Helper()
	sim, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	data = t.TempDir()
	bots, secrets := "bots:\n", "secrets:\n"
	for n, c := range sim.Configs() {
		settings, err := json.Marshal(c.Settings) // JSON is YAML
		if err != nil {
			t.Fatal(err)
		}
		bots += fmt.Sprintf("  - {id: %s, platform: %s, mode: %s, settings: %s}\n", c.ID, c.Platform, c.Mode, settings)
		for key, value := range c.Secrets {
			name := fmt.Sprintf("SB_TEST_SEND_%d_%s", n, key)
			t.Setenv(name, value.Reveal())
			secrets += fmt.Sprintf("  bot/%s/%s: env:%s\n", c.ID, key, name)
		}
	}
	text := "server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nagents: [{id: help, kind: echo}]\n" + bots + secrets
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	meet(t, data, sim)
	return data, sim
}

// meet lets the house know somebody on every platform.
func meet(t *testing.T, data string, sim *simulator.Simulator) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range sim.Configs() {
		who := sim.Identity("zhang", c.Platform)
		who.Name = "张伟 " + string(c.Platform)
		if _, err := s.PersonOf(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSend sends on every platform, while no program runs and through the one
// that runs, and writes down who did.
func TestSend(t *testing.T) { //nolint:paralleltest // sets the environment
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "alone", true: "through the running program"}[running], func(t *testing.T) {
			data, sim := office(t)
			if running {
				inBackground(t, data)
			}
			do := func(in string, args ...string) said {
				return invokeWith(t, nil, in, append(append([]string{"send"}, args...), "--data", data)...)
			}
			for _, c := range sim.Configs() {
				sendOn(t, sim, c, do)
			}
			audit := invokeWith(t, nil, "", "audit", "--kind", "sent", "--data", data)
			audit.want(t, exitOK, ",sent,"+app.Harmless(whoAmI())+",cli,", "markdown with ")
			if strings.Contains(audit.out, "Lunch") || strings.Count(audit.out, "\n") != 1+2*len(sim.Configs()) {
				t.Errorf("the audit has %s", audit.out)
			}
			do("", "--bot", "none", "--to", "x", "--text", "y").want(t, exitTrouble, "There is no channel “none”", sim.Configs()[0].ID)
			do("", "--bot", sim.Configs()[0].ID, "--to", "nobody", "--text", "y").want(t, exitTrouble, "Nobody is called")
			do("", "--bot", sim.Configs()[0].ID, "--text", "y").want(t, exitTrouble, "Nobody was chosen")
			do("", "--bot", sim.Configs()[0].ID, "--to", "x", "--file", filepath.Join(data, "none")).want(t, exitTrouble, "cannot be read")
		})
	}
}

func sendOn(t *testing.T, sim *simulator.Simulator, c bridge.Config, do func(in string, args ...string) said) {
	t.Helper()
	seen := func() (texts []string) {
		for _, b := range sim.Bubbles("zhang") {
			if b.Platform == c.Platform {
				texts = append(texts, b.Text)
			}
		}
		return texts
	}
	to := []string{"--bot", c.ID, "--to", "张伟 " + string(c.Platform)}
	do("", append(to, "--card", "Lunch is *here*", "--title", "Lunch", "--button", "Menu=https://example.com/m", "--dry-run")...).want(t, exitOK,
		"Nothing was sent", "Lunch is", "Menu", "bytes")
	if got := seen(); len(got) != 0 {
		t.Errorf("%s: a dry run shows %q", c.Platform, got)
	}
	got := do("Lunch is **here**\n", append(to, "--markdown", "-", "--json")...)
	var r app.SendReport
	if err := json.Unmarshal([]byte(got.out), &r); err != nil || got.code != exitOK || r.Key == "" || r.At.IsZero() || len(r.Messages) != 1 {
		t.Errorf("%s: %v %+v", c.Platform, err, got)
	}
	do("", append(to, "--text", "second", "--key", "k-"+c.ID)...).want(t, exitOK, "Sent to 张伟")
	if got := seen(); len(got) != 2 || !strings.Contains(got[0], "here") || !strings.Contains(got[1], "second") {
		t.Errorf("%s: %q", c.Platform, got)
	}
	do("", append(to, "--text", strings.Repeat("x", 100_000))...).want(t, exitTrouble, "100000 bytes")
}

// TestSendMisused: what is unclear is not guessed.
func TestSendMisused(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{},
		{"--bot", "b"},
		{"--text", "x", "--to", "y"},
		{"--bot", "b", "--to", "y", "--chat", "z", "--text", "x"},
		{"--bot", "b", "--to", "y", "--direct", "--text", "x"},
		{"--bot", "b", "--to", "y", "--text", "x", "--markdown", "z"},
		{"--bot", "b", "--to", "y", "--text", "x", "--button", "a=https://x"},
		{"--bot", "b", "--to", "y", "--card", "x", "--button", "no link"},
		{"stray", "--bot", "b", "--to", "y", "--text", "x"},
	} {
		got := invokeWith(t, nil, "", slices.Concat([]string{"send"}, args, []string{"--data", t.TempDir()})...)
		if got.code != exitUsage || !strings.Contains(got.errs, "send --bot BOT") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}
