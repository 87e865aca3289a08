package app_test

import (
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// TestButtonsOfDingTalk: in a card with a list of buttons an answer can be stopped
// and rated; clicks come by the address where the house can be reached.
func TestButtonsOfDingTalk(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	defer close(hold)
	d := &desk{T: t, on: "dingtalk", dify: difytest.New(t, difytest.App{
		Parameters: `{"suggested_questions_after_answer":{"enabled":true}}`, Suggested: []string{"Why so?"},
		Answer: func(q difytest.Question) difytest.Answer {
			if q.Query != "long" {
				return difytest.Answer{Text: "Dify heard " + q.Query}
			}
			return difytest.Answer{Parts: func(yield func(string) bool) {
				if yield("a beginning ") {
					<-hold
				}
			}}
		},
	})}
	var err error
	if d.Simulator, err = simulator.Start(t.Context(), simulator.Options{Platforms: []bridge.Platform{"dingtalk"}, DingCards: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	var door atomic.Pointer[url.URL]
	outside := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(door.Load()) }})
	t.Cleanup(outside.Close)
	data := t.TempDir()
	text := fmt.Sprintf("server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\", public_url: %q}\nlanguage: en\nagents: [{id: help, kind: dify, base_url: %q}]\n", outside.URL, d.dify.URL) +
		channels(t, d.Configs())
	d.app, d.ctx = houseWith(t, data, "", func(*app.Options) { write(t, data, text) })
	o, err := d.app.Overview(d.ctx)
	if err != nil {
		t.Fatal(err)
	}
	door.Store(&url.URL{Scheme: "http", Host: o.Listen})
	for _, c := range d.Configs() {
		d.Attach(c.ID, outside.URL+"/hook/"+c.ID)
	}

	if _, err := d.Say(d.ctx, "li", d.on, "long"); err != nil {
		t.Fatal(err)
	}
	d.newest("li", func(b bridge.Bubble) bool {
		return b.Growing && strings.Contains(b.Text, "a beginning") && slices.Equal(b.Buttons, []string{"Stop"})
	})
	d.presses("li", "Stop")
	d.newest("li", shows("(stopped)", "🔄 Try again"))
	if _, err := d.Say(d.ctx, "li", d.on, "hello"); err != nil {
		t.Fatal(err)
	}
	d.newest("li", shows("Dify heard hello", "Why so?", "👍", "👎", "🔄 Another answer"))
	d.presses("li", "👍")
	d.newest("li", shows("Dify heard hello", "Why so?", "👍 ✓", "👎", "🔄 Another answer"))
	d.presses("li", "Why so?")
	d.newest("li", shows("Dify heard Why so?", "Why so?", "👍", "👎", "🔄 Another answer"))
	if rated := d.dify.Rated(); len(rated) != 1 || rated[0].Rating != "like" {
		t.Errorf("rated %+v", rated)
	}
	if v := d.Violations(); len(v) > 0 {
		t.Errorf("violations %q", v)
	}
}
