package main

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckBesideAnother: a program that runs is asked how everything is, and tells
// what it has noticed since it was started.
func TestCheckBesideAnother(t *testing.T) {
	t.Parallel()
	data := settled(t)
	inBackground(t, data)
	for lang, words := range map[string]string{"en": "The agent is reachable", "zh_CN.UTF-8": "智能体可以使用"} {
		invokeWith(t, []string{"LC_ALL=" + lang}, "", "check", "--data", data).want(t, exitOK, "✓ help: ", words)
	}
	var r report
	s := invoke(t, "", "check", "--json", "--data", data)
	if err := json.Unmarshal([]byte(s.out), &r); err != nil || s.code != exitOK || !r.OK || len(r.Checks) != 1 || r.Checks[0].Who != "help" || r.Version != version {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestCheckAdvises: what works, but would be better otherwise, is told and is no
// reason to fail.
func TestCheckAdvises(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	data := settled(t)
	text := `server: {listen: "127.0.0.1:0", admin: "127.0.0.1:0"}
agents: [{id: help, kind: echo}]
bots: [{id: main, platform: feishu, mode: webhook, settings: {app_id: cli_a1, base_url: "http://` + nobody.Addr().String() + `"}}]
secrets: {bot/main/app_secret: "env:A3_SECRET", bot/main/verification_token: "env:A3_SECRET"}
`
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := invokeWith(t, []string{"A3_SECRET=0123456789abcdef0123456789abcdef"}, "", "check", "--data", data)
	s.want(t, exitTrouble, "✓ help: ", "✗ main: ", "! main: main would be safer with one more secret: bot/main/encrypt_key\n    → Copy it")
	if strings.Contains(s.out, "✗ switchboard") {
		t.Errorf("the house is said to be broken: %s", s.out)
	}
}
