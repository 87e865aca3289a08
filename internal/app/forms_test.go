package app_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// holiday is an app that asks for a decision within some time.
func holiday(within time.Duration) difytest.App {
	return difytest.App{Mode: "advanced-chat", Answer: func(q difytest.Question) difytest.Answer {
		if q.Query != "holiday" {
			return difytest.Answer{Text: "Dify heard " + q.Query}
		}
		return difytest.Answer{
			Text: "Three days. ", Form: "Please review: {{#$output.comment#}}", After: map[string]string{"approve": "Approved: "},
			Within: within, Lapsed: "Your manager is asked.",
		}
	}}
}

// clickable says whether anything of a form can still be clicked; where a card
// cannot be shown again, that is all the same.
func (d *desk) clickable() bool {
	return slices.ContainsFunc(d.seen("li"), func(b bridge.Bubble) bool {
		return b.Platform != "wecom" && slices.Contains(b.Buttons, "Approve")
	})
}

// toldOn counts what the bot says on a platform that begins with some words.
func toldOn(sim *simulator.Simulator, on bridge.Platform, words string) int {
	n := 0
	for _, b := range sim.Bubbles("li") {
		if b.FromBot && b.Platform == on && strings.HasPrefix(b.Text, words) && !b.Growing {
			n++
		}
	}
	return n
}

// TestFormsOverUnasked: on every platform who asked is told, unasked and once, when
// a form was decided on a page of the agent's own or when its time is over, and
// nothing of it can be clicked any more.
func TestFormsOverUnasked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		within time.Duration
		told   string
	}{
		"decided": {0, "Somebody has decided this in the meantime. What came of it:\n\nThree days. Approved: fine"},
		"lapsed":  {3 * time.Second, "Nobody decided in time, so the assistant went on without a decision:\n\nThree days. Your manager is asked."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, holiday(test.within))
			platforms := d.Employees()[0].Platforms
			for _, d.on = range platforms {
				d.says("holiday", nil, 1)
			}
			if test.within == 0 {
				if n := d.dify.Decide("approve", "fine"); n != len(platforms) {
					t.Fatalf("%d forms", n)
				}
			}
			for _, on := range platforms {
				until(t, func() bool { return toldOn(d.Simulator, on, test.told) == 1 })
			}
			until(t, func() bool { return d.idle() && !d.clickable() })
			for _, d.on = range platforms {
				if got := d.says("1", nil, 1); got[0] != "Dify heard 1" {
					t.Errorf("%s: %q", d.on, got)
				}
				if n := toldOn(d.Simulator, d.on, test.told); n != 1 {
					t.Errorf("%s: told %d times", d.on, n)
				}
			}
			if v := d.Violations(); len(v) > 0 {
				t.Error(v)
			}
		})
	}
}

// TestFormOverWhileDown: what runs out while the program does not run is told after
// that, once; and nothing of it is kept where nothing is to be kept.
func TestFormOverWhileDown(t *testing.T) {
	t.Parallel()
	dify := difytest.New(t, holiday(2*time.Second))
	sim, err := simulator.Start(t.Context(), simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	data := t.TempDir()
	write(t, data, fmt.Sprintf("server: {listen: \"127.0.0.1:0\", admin: \"127.0.0.1:0\"}\nlanguage: en\nprivacy: {store_content: false}\nagents: [{id: help, kind: dify, base_url: %q}]\n", dify.URL)+
		channels(t, sim.Configs()))
	d := &desk{T: t, Simulator: sim, ctx: t.Context(), dify: dify}
	stop := d.open(data)
	platforms := sim.Employees()[0].Platforms
	for _, d.on = range platforms {
		d.says("holiday", nil, 1)
	}
	stop()
	until(t, func() bool { return dify.Waiting() == 0 }) // it has gone on without us
	stop = d.open(data)
	const told = "Nobody decided in time, so the assistant went on without a decision:\n\nThree days. Your manager is asked."
	for _, on := range platforms {
		until(t, func() bool { return toldOn(sim, on, told) == 1 })
	}
	until(t, func() bool { return d.idle() && !d.clickable() && !d.keeps("holiday", "Three days", "manager") })
	stop()
	d.open(data)
	for _, d.on = range platforms {
		if got := d.says("hello", nil, 1); got[0] != "Dify heard hello" {
			t.Errorf("%s: %q", d.on, got)
		}
		if n := toldOn(sim, d.on, told); n != 1 {
			t.Errorf("%s: told %d times", d.on, n)
		}
	}
	if v := sim.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// open starts the program on some data; what it returns ends it.
func (d *desk) open(data string) (stop func()) {
	d.Helper()
	a, err := app.Open(d.ctx, app.Options{Data: data, Log: slog.New(slog.DiscardHandler), RetryPause: 20 * time.Millisecond})
	if err != nil {
		d.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(d.ctx))
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-ended, a.Close(context.WithoutCancel(ctx))); err != nil {
			d.Error(err)
		}
	})
	d.Cleanup(stop)
	until(d, func() bool {
		o, err := a.Overview(d.ctx)
		for _, c := range d.Configs() {
			d.Attach(c.ID, "http://"+o.Listen+"/hook/"+c.ID)
		}
		return err == nil && o.Listen != ""
	})
	d.app = a
	return stop
}

// keeps says whether any of these words is kept in a talk.
func (d *desk) keeps(words ...string) bool {
	rows, err := d.app.Talks(d.ctx, bridge.TalkQuery{Limit: 20})
	if err != nil {
		d.Fatal(err)
	}
	for _, r := range rows {
		all, err := d.app.Exchanges(d.ctx, r.Lane, 0, 50)
		if err != nil {
			d.Fatal(err)
		}
		for _, x := range all {
			if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(x.Job.Message.Text+x.Reply.Text, w) }) {
				return true
			}
		}
	}
	return false
}

// TestFormWithFile: on every platform a file that somebody sends while a form asks
// for it goes into the form, with the same user.
func TestFormWithFile(t *testing.T) { //nolint:paralleltest // sets the environment
	d := newDesk(t, difytest.App{Mode: "advanced-chat", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Form: "Please prove it. {{#$output.proof#}}", Wants: "file-list", After: map[string]string{"approve": "Approved: "}}
	}})
	png := &simulator.File{Kind: bridge.FileImage, Data: []byte("\x89PNG\r\n\x1a\n and more")}
	for _, d.on = range d.Employees()[0].Platforms {
		if got := d.asks("I want a holiday"); !strings.Contains(got, "send one to 2 files for proof (document, picture)") {
			t.Errorf("%s: %q", d.on, got)
		}
		if got := d.says("1", nil, 1); !strings.HasPrefix(got[0], "Before that, send") {
			t.Errorf("%s: %q", d.on, got)
		}
		if got := d.says("", png, 1); !strings.Contains(got[0], "Received for proof: the picture.") || !strings.Contains(got[0], "2. Reject") {
			t.Errorf("%s: %q", d.on, got)
		}
		if got := d.says("1 see there", nil, 1); got[0] != "Approved: see there [image.png]" {
			t.Errorf("%s: %q", d.on, got)
		}
	}
	if v := d.Violations(); len(v) > 0 {
		t.Error(v)
	}
}
