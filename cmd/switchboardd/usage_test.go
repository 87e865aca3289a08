package main

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/store"
)

// spent is a data directory where Alex, whose name a spreadsheet could take for a
// formula, asked twice, in two currencies, and Zhang once.
func spent(t *testing.T) (string, map[string]string) {
	t.Helper()
	data, ids := inhabited(t)
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db"), Role: bridge.RoleNew})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Rename(t.Context(), ids["alex"], "=Alex", bridge.Actor{}); err != nil {
		t.Fatal(err)
	}
	for n, q := range []struct{ user, currency string }{{"alex", "USD"}, {"alex", "RMB"}, {"zhang", ""}} {
		m := bridge.Message{ID: bridge.MessageID(rune('a' + n)), Bot: "fs", Platform: "feishu", Sender: bridge.Sender{ID: bridge.UserID(q.user), Tenant: "t"}, Text: "?"}
		_, err := s.Accept(t.Context(), []bridge.NewJob{{Queue: "help", Lane: "p:" + ids[q.user] + ":help", Message: m}})
		if err != nil {
			t.Fatal(err)
		}
		jobs, err := s.Claim(t.Context(), "n", "help", 1, time.Minute)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		r := bridge.Reply{JobID: jobs[0].ID, State: bridge.ReplyDelivered, Agent: "help", Usage: bridge.Usage{Tokens: 10, Price: "0.5", Currency: q.currency}}
		if err := s.SaveReply(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if ours, err := s.Settle(t.Context(), "n", bridge.Settlement{JobID: jobs[0].ID, Attempt: 1, State: bridge.JobCompleted}); err != nil || !ours {
			t.Fatal(ours, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return data, ids
}

func TestUsageReport(t *testing.T) {
	t.Parallel()
	data, ids := spent(t)
	do := func(args ...string) said {
		return invokeWith(t, []string{"TZ=UTC"}, "", append(args, "--data", data)...)
	}
	do("usage").want(t, exitOK, "2 questions       2 answers", "20 tokens  0.5 RMB + 0.5 USD", "=Alex", "张伟")
	do("usage", "--from", "2020-01-01", "--to", "2020-12-31").want(t, exitOK, "Nobody has asked")
	do("usage", "--by", "weekday").want(t, exitTrouble, "“weekday”")
	do("usage", "--from", "someday").want(t, exitUsage)
	do("usage", "--csv", "--json").want(t, exitUsage)
	do("usage", "more").want(t, exitUsage)
	do("people", "show", "=Alex").want(t, exitOK, "This month: 2 questions, 20 tokens, 0.5 RMB + 0.5 USD")

	table, err := csv.NewReader(strings.NewReader(do("usage", "--csv", "--by", "person,agent").out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i := range table[1:] {
		table[i+1][10] = "" // when
	}
	want := [][]string{
		{"day", "person", "name", "bot", "agent", "questions", "answers", "tokens", "price", "currency", "last_at"},
		{"", ids["alex"], "'=Alex", "", "help", "2", "2", "20", "0.5", "RMB", ""},
		{"", ids["alex"], "'=Alex", "", "help", "0", "0", "0", "0.5", "USD", ""},
		{"", ids["zhang"], "张伟", "", "help", "1", "1", "10", "0.5", "", ""},
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Error(diff)
	}
	var all []app.UsageReport
	if err := json.Unmarshal([]byte(do("usage", "--json", "--by", "day,bot", "--person", "zhang").out), &all); err != nil || len(all) != 1 || all[0].Questions != 1 || all[0].Bot != "fs" || len(all[0].Day) != 10 {
		t.Errorf("%+v, %v", all, err)
	}
}
