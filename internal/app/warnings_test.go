package app_test

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
)

// stands says that a warning of some code is standing.
func (r *life) stands(code string) bool {
	return slices.ContainsFunc(r.Notices(bridge.English), func(n bridge.Notice) bool { return strings.HasPrefix(n.ID, code+" ") })
}

// TestStoreFailing: the first message that cannot be stored is a warning, the first
// one that can ends it. A platform that hangs up is none.
func TestStoreFailing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := shut(t)
		l.call = func(context.Context) bridge.Delivery {
			m := message("one", "m1", "hello")
			m.Address.Data = json.RawMessage("{") // nothing that can be written down
			return bridge.Delivery{Messages: []bridge.Message{m}}
		}
		if status := r.request(t, r.door, "POST", "/hook/one", []byte("call")); status != http.StatusServiceUnavailable || !r.stands("store_failing") {
			t.Errorf("answered %d; notices %+v", status, r.Notices(bridge.English))
		}
		r.deliver(t, "m2", "hello")
		if r.stands("store_failing") {
			t.Error("the warning outlasts a message that is stored")
		}
		called := false
		l.call = func(ctx context.Context) bridge.Delivery {
			<-ctx.Done()
			called = true
			return bridge.Delivery{Messages: []bridge.Message{message("one", "m3", "hello")}}
		}
		conn, err := r.door.dial(r.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("POST /hook/one HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\ncall")); err != nil {
			t.Fatal(err)
		}
		rest(time.Second)
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		rest(time.Second)
		if all := r.Notices(bridge.English); len(all) > 0 || !called {
			t.Errorf("somebody hung up: %+v", all)
		}
	})
}

// TestUnreadableTraffic: a genuine request that cannot be read is a warning until a
// message is accepted.
func TestUnreadableTraffic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, l := shut(t)
		l.call = func(context.Context) bridge.Delivery { return bridge.Delivery{Note: "no sender", Suspect: true} }
		r.send(t, "call", 1, time.Second)
		if n := r.Notices(bridge.English); !r.stands("unreadable_traffic") || n[0].Detail != "no sender" || n[0].Bot != "one" {
			t.Errorf("notices %+v", n)
		}
		r.deliver(t, "m1", "hello")
		if r.stands("unreadable_traffic") {
			t.Error("the warning outlasts a message that is accepted")
		}
	})
}

// TestAdviceIsTaken: a secret that would make a bot safer is asked for only as long
// as a locked keyring hides it.
func TestAdviceIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		k := &ring{entries: map[string]string{"bot/one/key": "k", "bot/one/token": "t"}, locked: true}
		l := newLamp()
		c := l.connector()
		c.Form = []bridge.Field{{Key: "key", Secret: true, Advised: true}, {Key: "token", Secret: true, Required: true}}
		r := begin(t, t.TempDir(), oneBot, l, func(o *app.Options) { o.Connectors, o.Keyring = []bridge.Connector{c}, glass{k} })
		if !r.stands("setting_advised") {
			t.Errorf("notices %+v", r.Notices(bridge.English))
		}
		k.unlock()
		rest(time.Minute)
		if n := r.Notices(bridge.English); len(n) > 0 {
			t.Errorf("notices %+v", n)
		}
	})
}

// TestBudgetMonthEnds: an allowance that runs short and then is spent is one warning
// at a time, and none in the next month.
func TestBudgetMonthEnds(t *testing.T) { //nolint:paralleltest // sets the time zone
	here := time.Local
	time.Local = time.FixedZone("an hour before the month ends", -3600)
	t.Cleanup(func() { time.Local = here })
	synctest.Test(t, func(t *testing.T) {
		l := newLamp()
		l.calls = 10
		r := begin(t, t.TempDir(), oneBot, l, nil) // which makes a call
		for _, c := range []struct {
			calls        int
			short, spent bool
		}{{0, false, false}, {7, true, false}, {2, false, true}} {
			l.spend("one", c.calls)
			rest(6 * time.Second)
			if r.stands("budget_short") != c.short || r.stands("budget_spent") != c.spent {
				t.Errorf("after %d more: %+v", c.calls, r.Notices(bridge.English))
			}
		}
		rest(time.Hour)
		if r.stands("budget_spent") {
			t.Errorf("in the next month: %+v", r.Notices(bridge.English))
		}
	})
}

// TestMetricNames: the metrics are called as Prometheus advises, each is explained,
// and a part that dies is counted.
func TestMetricNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLamp()
		l.calls = 10
		l.listen = func(context.Context, string, func(context.Context, bridge.Delivery) error) error {
			return &bridge.Error{Kind: bridge.KindCredential, Op: "lamp: listen"}
		}
		data := t.TempDir()
		r := begin(t, data, "bots: [{id: one, platform: lamp}, {id: air, platform: lamp, mode: radio}]\n", l, nil)
		r.deliver(t, "m1", "hello")
		rest(time.Minute)
		_, text := r.ask(t, r.admin, "GET", "/metrics", nil, token(t, data))
		if !strings.Contains(text, `switchboard_part_deaths_total{part="listen air"} 1`) || !strings.Contains(text, `switchboard_warnings{code="bot_disconnected",severity="error"} 1`) {
			t.Errorf("the metrics are %s", text)
		}
		help, families := map[string]bool{}, 0
		for line := range strings.Lines(text) {
			switch words := strings.Fields(line); {
			case strings.HasPrefix(line, "# HELP "):
				help[words[2]] = strings.HasSuffix(strings.TrimSpace(line), ".")
			case strings.HasPrefix(line, "# TYPE "):
				families++
				if why := misnamed(words[2], words[3]); why != "" || !help[words[2]] {
					t.Errorf("the %s %s is not explained or %s", words[3], words[2], why)
				}
			}
		}
		if families < 20 {
			t.Errorf("only %d metrics", families)
		}
	})
}

// misnamed says why a metric of some type should be called otherwise, after
// “Metric and label naming” of the Prometheus documentation.
func misnamed(name, kind string) string {
	switch {
	case !regexp.MustCompile(`^switchboard(_[a-z]+)+$`).MatchString(name):
		return "does not begin with the program's name, or has other characters than letters"
	case strings.HasSuffix(name, "_total") != (kind == "counter"):
		return "ends as another type does"
	case kind == "histogram" && !strings.HasSuffix(name, "_seconds"):
		return "has no base unit"
	case regexp.MustCompile(`_(count|sum|bucket|created|milliseconds|ms|minutes|counter|gauge|histogram)$`).MatchString(name):
		return "has an ending that means something else"
	}
	return ""
}
