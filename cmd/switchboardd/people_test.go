package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// inhabited is a data directory with people in it, two of whom are 李娜 and one of
// whom waits to be admitted.
func inhabited(t *testing.T) (data string, ids map[string]string) {
	t.Helper()
	data, ids = t.TempDir(), map[string]string{}
	text := `server: {listen: "127.0.0.1:0", admin: "127.0.0.1:0"}
agents: [{id: help, kind: echo}, {id: hr, kind: echo}]
bots: [{id: fs, platform: feishu, agent: help, admission: approval, settings: {app_id: cli_x}}]
routes:
  - {name: late, when: {outside_hours: "Mon-Fri 09:00-18:00 Asia/Shanghai"}, reply: "Tomorrow."}
  - {name: personnel, when: {prefix: hr, role: member}, agent: hr}
`
	if err := os.WriteFile(filepath.Join(data, "switchboard.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db"), Role: bridge.RoleNew})
	if err != nil {
		t.Fatal(err)
	}
	for user, name := range map[string]string{"zhang": "张伟", "li": "李娜", "li2": "李娜", "alex": "Alex / Chen"} {
		p, err := s.PersonOf(t.Context(), bridge.Identity{Platform: "feishu", Tenant: "t", User: bridge.UserID(user), Name: name})
		if err == nil && user != "zhang" {
			err = s.SetRole(t.Context(), p.ID, bridge.RoleMember, bridge.Actor{})
		}
		if err == nil && user == "zhang" {
			err = s.Audit(t.Context(), bridge.Audit{Kind: bridge.AuditApproval, By: bridge.Actor{Who: p.ID, Where: "fs"}, Person: p.ID, Note: "=approval"})
		}
		ids[user] = p.ID
		if profile := (bridge.Profile{Email: "li.na@example.com"}); err == nil && strings.HasPrefix(user, "li") {
			err = s.SaveProfile(t.Context(), bridge.Identity{Platform: "feishu", Tenant: "t", User: bridge.UserID(user)}, profile, time.Now())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return data, ids
}

// wantApart tells two apart whom the directory knows by the same address, and takes
// that back.
func wantApart(t *testing.T, do func(...string) said, ids map[string]string) {
	t.Helper()
	alike := []string{"same e-mail address as 李娜", ids["li"], ids["li2"]}
	do("people", "alike").want(t, exitOK, alike...)
	do("people", "alike", "--json").want(t, exitOK, `"because": "email"`, `"name": "李娜"`)
	do("people", "apart", "li", "li").want(t, exitTrouble, "same person already")
	do("people", "apart", "li", "nobody").want(t, exitTrouble, "Nobody is called “nobody”")
	do("people", "apart", "li").want(t, exitUsage)
	apart := do("people", "apart", "li2", "li")
	apart.want(t, exitOK, ids["li2"], "switchboardd people undo")
	do("people", "alike").want(t, exitOK, "Nobody.")
	do("people", "show", "li").want(t, exitOK, "feishu:li")
	if shown := do("people", "show", "li"); strings.Contains(shown.out, "same e-mail") {
		t.Errorf("who was told apart is suggested: %s", shown.out)
	}
	undo := regexp.MustCompile(`undo (\d+)`).FindStringSubmatch(apart.errs)
	do("people", "undo", undo[1]).want(t, exitOK, "Done.")
	do("people", "alike").want(t, exitOK, alike...)
}

// TestPeople does everything that can be done about people: while no program runs,
// and through the one that runs.
func TestPeople(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "alone", true: "through the running program"}[running], func(t *testing.T) {
			t.Parallel()
			data, ids := inhabited(t)
			if running {
				inBackground(t, data)
			}
			do := func(args ...string) said {
				return invokeWith(t, []string{"TZ=UTC"}, "", append(args, "--data", data)...)
			}
			do("people", "list").want(t, exitOK, ids["zhang"], "张伟  (waits for fs", "李娜", "Alex / Chen")
			do("people", "list", "--waiting").want(t, exitOK, "张伟")
			if got := do("people", "list", "--waiting"); strings.Contains(got.out, "李娜") {
				t.Errorf("waiting: %s", got.out)
			}
			do("people", "list", "nobody").want(t, exitOK, "Nobody.")
			do("people", "show", "alex / chen").want(t, exitOK, ids["alex"], "feishu:alex", "Role changed: new to member")
			do("people", "show", "Wang").want(t, exitTrouble, "Nobody is called “Wang”")
			do("people", "show", "李娜").want(t, exitTrouble, "Several people", ids["li"], ids["li2"])

			do("people", "approve", "李娜").want(t, exitTrouble, "Several people")
			do("people", "approve", "zhang", "--role", "guest").want(t, exitOK, "guest", "张伟")
			do("people", "approve", "zhang").want(t, exitTrouble, "does not wait for a decision; the role is guest")
			do("people", "role", "zhang", "boss").want(t, exitTrouble, "“boss” is no role", "admin, member")
			do("people", "role", "zhang", "new").want(t, exitOK, "new")
			do("people", "decline", "zhang").want(t, exitOK, "blocked")
			do("people", "rename", "zhang", "老张").want(t, exitOK, "老张")
			do("people", "rename", "zhang", " ").want(t, exitTrouble, "A name is needed")

			merged := do("people", "merge", "li2", ids["li"])
			merged.want(t, exitOK, ids["li"], "feishu,feishu", "switchboardd people undo")
			do("people", "merge", "li2", "li").want(t, exitTrouble, "same person already")
			undo := regexp.MustCompile(`undo (\d+)`).FindStringSubmatch(merged.errs)
			do("people", "undo", undo[1]).want(t, exitOK, "Done.")
			do("people", "undo", undo[1]).want(t, exitTrouble, "cannot be taken back")
			do("people", "merge", "li2", "li").want(t, exitOK)
			do("people", "unlink", "li", "feishu").want(t, exitTrouble, "is not one account of")
			apart := do("people", "unlink", "li", "feishu:li2")
			apart.want(t, exitOK, ids["li2"])
			undo = regexp.MustCompile(`undo (\d+)`).FindStringSubmatch(apart.errs)
			do("people", "undo", undo[1]).want(t, exitOK, "Done.")
			do("people", "show", "li2").want(t, exitOK, ids["li"], "feishu:li2", "feishu:li ")
			do("people", "unlink", "li", "feishu:li2").want(t, exitOK, ids["li2"])
			do("people", "unlink", "li", "feishu").want(t, exitTrouble, "the only account")
			wantApart(t, do, ids)
			do("people", "block", "li").want(t, exitOK, "blocked")
			wantAudit(t, do, ids)
			wantExplained(t, do)
		})
	}
}

// wantAudit reads the audit in both formats.
func wantAudit(t *testing.T, do func(...string) said, ids map[string]string) {
	t.Helper()
	table := do("audit")
	table.want(t, exitOK)
	rows, err := csv.NewReader(strings.NewReader(table.out)).ReadAll()
	if err != nil || len(rows) < 12 || rows[0][0] != "id" || rows[1][2] != "role" || rows[1][3] != app.Harmless(whoAmI()) || rows[1][4] != "cli" || rows[1][5] != ids["li"] {
		t.Errorf("%v %q", err, table.out)
	}
	if !strings.Contains(table.out, ",'=approval,") {
		t.Errorf("a spreadsheet would take a note for a formula: %q", table.out)
	}
	lines := do("audit", "--format", "jsonl", "--kind", "merged", "--since", "1h")
	lines.want(t, exitOK)
	for line := range strings.Lines(lines.out) {
		var e struct{ Kind, Where string }
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Kind != "merged" || e.Where != "cli" {
			t.Errorf("%v %q", err, line)
		}
	}
	if strings.Count(lines.out, "\n") != 2 {
		t.Errorf("merges %q", lines.out)
	}
	if got := do("audit", "--since", "2100-01-01", "--format", "jsonl"); got.out != "" || got.code != exitOK {
		t.Errorf("%+v", got)
	}
	for _, who := range []string{"老张", "zhang", ids["zhang"]} {
		if got := do("audit", "--person", who, "--kind", "renamed"); got.code != exitOK || strings.Count(got.out, ids["zhang"]) != 1 {
			t.Errorf("%s: %+v", who, got)
		}
	}
	do("audit", "--person", "Wang").want(t, exitTrouble, "Nobody is called “Wang”")
	do("audit", "--kind", "gossip").want(t, exitTrouble, "“gossip” is no kind of entry")
	do("audit", "--since", "yesterday").want(t, exitUsage)
	do("audit", "--format", "xml").want(t, exitUsage)
}

// wantExplained asks which rule a message would hit.
func wantExplained(t *testing.T, do func(...string) said) {
	t.Helper()
	const day, night = "2026-11-26 15:00", "2026-11-26 23:00" // in UTC and in Shanghai alike
	explain := func(args ...string) said { return do(append([]string{"route", "explain", "--bot", "fs"}, args...)...) }
	explain("--text", "hi", "--person", "alex", "--at", night).want(t, exitOK, "✓ rule late", "as member: the reply “Tomorrow.”")
	explain("--text", "/HR hi", "--person", "alex", "--at", "2026-11-26 04:00").want(t, exitOK, "✗ rule late", "is 2026-11-26T04:00", "✓ rule personnel", "as member: the agent hr")
	explain("--text", "/hr hi", "--at", day).want(t, exitOK, "as new: not answered. Hello! Your administrator has to approve you first")
	explain("--text", "/help", "--person", "alex").want(t, exitOK, "the command /help")
	explain("--text", "hi", "--person", "nobody").want(t, exitTrouble, "Nobody is called")
	explain("--text", "hi", "--at", "noon").want(t, exitUsage)
	do("route", "explain", "--bot", "none", "--text", "x").want(t, exitTrouble, "There is no channel “none”")
	do("route", "explain").want(t, exitUsage)
	do("route").want(t, exitUsage)
	do("people").want(t, exitUsage)
	do("people", "merge", "a").want(t, exitUsage)
	do("people", "gossip").want(t, exitUsage)
}

// inBackground runs the program until the test ends.
func inBackground(t *testing.T, data string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() {
		var log bytes.Buffer
		ended <- run(ctx, []string{"run", "--data", data}, strings.NewReader(""), &log, &log)
	}()
	t.Cleanup(func() {
		stop()
		if code := <-ended; code != exitOK {
			t.Errorf("it exits with %d", code)
		}
	})
	deadline := time.Now().Add(20 * time.Second)
	for {
		if _, err := os.Stat(filepath.Join(data, "admin.address")); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatal(err)
		}
		pause(5 * time.Millisecond)
	}
}
