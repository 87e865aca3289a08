package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// TestUsage: what somebody asks over several platforms is theirs, with tokens and
// price; words of ours cost nothing.
func TestUsage(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{})
	d.says("hello", nil, 1)
	d.says("again", nil, 1)
	d.says("/help", nil, 1)
	rows, err := d.app.Usage(d.ctx, bridge.UsageQuery{By: []bridge.UsageBy{bridge.UsageByPerson, bridge.UsageByAgent}})
	if err != nil || len(rows) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	r := rows[0]
	if r.Name != "李娜" || r.Agent != "help" || r.Questions != 2 || r.Answers != 2 || r.Tokens == 0 || len(r.Prices) != 1 || r.Prices[0].Currency != "USD" {
		t.Errorf("%+v", r)
	}
	card, err := d.app.PersonCard(d.ctx, r.Person)
	if err != nil {
		t.Fatal(err)
	}
	if u := card.Usage; u.ThisMonth.Questions != 2 || u.LastMonth.Questions != 0 || u.Quota.Asked != 2 || u.Quota.Tokens != r.Tokens || !u.Quota.Resets.After(time.Now()) {
		t.Errorf("%+v", u)
	}
	var said []app.UsageReport
	ask := func(query string) error {
		return app.Ask(d.ctx, app.Options{Data: d.app.DataDir()}, http.MethodGet, "/api/v1/usage?"+query, nil, &said)
	}
	if err := ask("by=month&person=" + r.Person); err != nil || len(said) != 1 || said[0].Questions != 2 || said[0].Day != time.Now().Format("2006-01") {
		t.Errorf("%+v, %v", said, err)
	}
	if diff := cmp.Diff(r.Prices, said[0].Prices); diff != "" {
		t.Error(diff)
	}
	for query, want := range map[string]string{"by=weekday": "weekday", "from=yesterday": "yesterday", "to=2026-02-30": "2026-02-30", "person=nobody": "nobody"} {
		if err := ask(query); err == nil || !strings.Contains(i18n.Explain(bridge.English, err).String(), want) {
			t.Errorf("%s: %v", query, err)
		}
	}
}
