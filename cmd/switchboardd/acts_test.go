package main

import (
	"strings"
	"testing"

	"switchboard/internal/app"
)

// TestActsAreAudited: whatever the terminal changes is in the audit with the user
// of this computer, whether a program runs or not, and no value with it.
func TestActsAreAudited(t *testing.T) {
	t.Parallel()
	for _, running := range []bool{false, true} {
		t.Run(map[bool]string{false: "alone", true: "through the running program"}[running], func(t *testing.T) {
			t.Parallel()
			data := settled(t)
			do := func(in string, args ...string) said {
				return invokeWith(t, []string{"SWITCHBOARD_PASSPHRASE=" + passphrase}, in, append(args, "--data", data)...)
			}
			do("", "people", "list").want(t, exitOK) // makes the database
			do(passphrase+"\n"+passphrase+"\n", "secret", "file").want(t, exitOK)
			if running {
				inBackground(t, data)
			}
			do("very-secret-value\n", "secret", "set", "agent/help/api_key").want(t, exitOK)
			do("", "secret", "delete", "agent/help/api_key").want(t, exitOK)
			do(passphrase+"!\n"+passphrase+"!\n", "secret", "passphrase").want(t, exitOK)
			do("", "backup").want(t, exitOK)
			want := []string{"backup switchboard-", "passphrase changed", "deleted agent/help/api_key", "kept agent/help/api_key", "encrypted file made"}
			if !running {
				do("", "restore", "--yes").want(t, exitOK)
				do("", "fresh", "--yes").want(t, exitOK)
				want = append([]string{"begun afresh", "restored switchboard-"}, want...)
			}
			audit := do("", "audit")
			audit.want(t, exitOK)
			lines := strings.Split(strings.TrimSpace(audit.out), "\n")[1:]
			if len(lines) != len(want) {
				t.Fatalf("%d entries: %s", len(lines), audit.out)
			}
			for i, line := range lines {
				if !strings.Contains(line, want[i]) || !strings.Contains(line, ","+app.Harmless(whoAmI())+",cli,") {
					t.Errorf("entry %d is %q, want %q", i, line, want[i])
				}
			}
			if strings.Contains(audit.out, "very-secret-value") || strings.Contains(audit.out, passphrase) {
				t.Error("the audit holds a value")
			}
		})
	}
}
