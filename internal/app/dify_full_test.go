package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"switchboard/internal/agent/difytest"
	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// desk is the whole program between Li on a simulated platform and a Dify app.
type desk struct {
	*testing.T
	*simulator.Simulator

	ctx  context.Context //nolint:containedctx // of the test
	app  *app.App
	dify *difytest.Server
	on   bridge.Platform
}

func newDesk(t *testing.T, dify difytest.App) *desk {
	t.Helper()
	d := &desk{T: t, dify: difytest.New(t, dify)}
	d.app, d.ctx, d.Simulator = onSimulator(t, fmt.Sprintf("language: en\nagents: [{id: help, kind: dify, base_url: %q}]\n", d.dify.URL))
	d.on = d.Employees()[0].Platforms[0]
	return d
}

// says writes something as Li and waits for that many messages of the bot's,
// which it returns.
func (d *desk) says(text string, file *simulator.File, messages int) []string {
	d.Helper()
	before := len(d.fromBot())
	if _, err := d.Write(d.ctx, simulator.Line{Employee: "li", Platform: d.on, Text: text, File: file}); err != nil {
		d.Fatal(err)
	}
	until(d, func() bool {
		all := d.fromBot()
		return len(all) >= before+messages && !strings.HasPrefix(all[len(all)-1], "Thinking") && d.idle()
	})
	return d.fromBot()[before:]
}

func (d *desk) fromBot() []string {
	var all []string
	for _, b := range d.Bubbles("li") {
		if b.FromBot {
			all = append(all, b.Text)
		}
	}
	return all
}

// asks says something and returns everything that is shown after that, the words
// on buttons too.
func (d *desk) asks(text string) string {
	d.Helper()
	before := len(d.fromBot())
	d.says(text, nil, 1)
	return d.after(before)
}

// after is what is shown after so many messages of the bot's.
func (d *desk) after(n int) string {
	var all []string
	for _, b := range d.Bubbles("li") {
		if n--; !b.FromBot {
			n++
		} else if n < 0 {
			all = append(append(all, b.Text), b.Buttons...)
		}
	}
	return strings.Join(all, "\n")
}

// idle says that every message is answered.
func (d *desk) idle() bool {
	rows, err := d.app.Talks(d.ctx, bridge.TalkQuery{Limit: 20})
	if err != nil {
		d.Fatal(err)
	}
	for _, r := range rows {
		if !r.State.Final() {
			return false
		}
	}
	return true
}

const takesFiles = `"file_upload":{"enabled":true,"allowed_file_types":["image","document"],"allowed_file_upload_methods":["local_file"],"number_limits":3}`

// TestFilesBothWays: a picture goes to the app with the same user, and one comes
// back as a picture.
func TestFilesBothWays(t *testing.T) { //nolint:paralleltest // sets the environment
	png := "\x89PNG\r\n\x1a\n and more"
	d := newDesk(t, difytest.App{Parameters: "{" + takesFiles + "}", Answer: func(q difytest.Question) difytest.Answer {
		return difytest.Answer{Text: fmt.Sprintf("%d files with %s", len(q.Sent), q.Query), Picture: []byte(png), Sources: []string{"Handbook"}}
	}})
	for n, platform := range d.Employees()[0].Platforms {
		d.on = platform
		got := d.says("", &simulator.File{Kind: bridge.FileImage, Data: []byte(png)}, 2)
		if len(got) != 2 || !strings.Contains(got[0], "1 files with ") || !strings.Contains(got[0], "Handbook") || !strings.HasPrefix(got[1], "🖼") {
			t.Errorf("%s: shown %q", platform, got)
		}
		if asked := d.dify.Asked(); len(asked) != n+1 || len(asked[n].Sent) != 1 || string(asked[n].Sent[0].Data) != png || asked[n].Sent[0].User != asked[n].User {
			t.Errorf("%s: asked %+v", platform, asked)
		}
		got = d.says("", &simulator.File{Kind: bridge.FileOther, Name: "a.exe", Data: []byte("MZ\x90\x00")}, 1)
		if len(got) != 1 || !strings.Contains(got[0], "a.exe") || len(d.dify.Asked()) != n+1 {
			t.Errorf("%s: a program: shown %q", platform, got)
		}
	}
	if v := d.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// TestFilesFromEverywhere: what somebody sends on any platform reaches the app as it
// is, for the user who asks about it.
func TestFilesFromEverywhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Parameters: "{" + takesFiles + "}"})
	for _, d.on = range d.Employees()[0].Platforms {
		for _, file := range []simulator.File{
			{Kind: bridge.FileImage, Name: "plan.png", Data: []byte("\x89PNG\r\n\x1a\n and more")},
			{Kind: bridge.FileOther, Name: "plan.txt", Data: []byte("the plan")},
		} {
			d.says("", &file, 1)
			all := d.dify.Asked()
			q := all[len(all)-1]
			if len(q.Sent) != 1 || string(q.Sent[0].Data) != string(file.Data) || q.Sent[0].User != q.User || q.User == "" {
				t.Errorf("%s, %s: asked %+v", d.on, file.Kind, q)
			}
			if file.Kind == bridge.FileOther && len(q.Sent) == 1 && q.Sent[0].Name != file.Name {
				t.Errorf("%s: the name is %q", d.on, q.Sent[0].Name)
			}
		}
	}
	if n, v := len(d.dify.Asked()), d.Violations(); n != 6 || len(v) > 0 {
		t.Errorf("asked %d times, %v", n, v)
	}
}

// TestVoice: what is said is asked.
func TestVoice(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Parameters: `{"speech_to_text":{"enabled":true}}`, Heard: "when do we meet?"})
	got := d.says("", &simulator.File{Kind: bridge.FileAudio, Name: "v.opus", Data: []byte("OggS and more")}, 1)
	if len(got) != 1 || got[0] != "Dify heard when do we meet?" {
		t.Errorf("shown %q", got)
	}
}

// TestFeedback: what somebody thinks of an answer reaches the app, with the user
// who asked, and so does a second thought.
func TestFeedback(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{})
	for _, platform := range d.Employees()[0].Platforms {
		d.on = platform
		d.says("hello", nil, 1)
		for _, word := range []string{"/good", "/bad", "/unrate", "/unrate"} {
			if got := d.says(word, nil, 1); strings.Contains(got[0], "cannot") {
				t.Errorf("%s on %s: %q", word, platform, got)
			}
		}
	}
	asked, ratings := d.dify.Asked(), ""
	for n, r := range d.dify.Rated() {
		ratings += r.Rating + " "
		if r.User != asked[n/3].User {
			t.Errorf("rated by %s, asked by %s", r.User, asked[n/3].User)
		}
	}
	if ratings != strings.Repeat("like dislike  ", 3) {
		t.Errorf("rated %q", ratings)
	}
}

// TestNextQuestions: what the app suggests stands below its answer on every
// platform, and a number picks it; its opening words begin a new conversation.
func TestNextQuestions(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{
		Parameters: `{"opening_statement":"Welcome!","suggested_questions":["What can you do?"],"suggested_questions_after_answer":{"enabled":true}}`,
		Suggested:  []string{"Why so?", "Since when?"},
	})
	for n, platform := range d.Employees()[0].Platforms {
		d.on = platform
		if got := d.asks("hello"); !strings.Contains(got, "Dify heard hello") || !strings.Contains(got, "Since when?") {
			t.Errorf("%s: %q", platform, got)
		}
		d.says("2", nil, 1)
		if got := d.asks("/new"); !strings.Contains(got, "Welcome!") || !strings.Contains(got, "What can you do?") {
			t.Errorf("%s: %q", platform, got)
		}
		d.says("1", nil, 1)
		var asked []string
		for _, q := range d.dify.Asked()[3*n:] {
			asked = append(asked, q.Query)
		}
		if got := strings.Join(asked, ", "); got != "hello, Since when?, What can you do?" {
			t.Errorf("%s: asked %q", platform, got)
		}
	}
	if v := d.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// TestDecisions: an answer that waits for a decision goes on when it is made, on
// every platform.
func TestDecisions(t *testing.T) {
	t.Parallel()
	d := newDesk(t, difytest.App{Mode: "advanced-chat", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Text: "Three days in May. ", Form: "Please review: {{#$output.comment#}}", After: map[string]string{"approve": "Approved: "}}
	}})
	for _, platform := range d.Employees()[0].Platforms {
		d.on = platform
		if got := d.asks("I want a holiday"); !strings.Contains(got, "Three days in May.") || !strings.Contains(got, "Please review: looks fine") || !strings.Contains(got, "Reject") {
			t.Errorf("%s: %q", platform, got)
		}
		if got := d.says("1 enjoy", nil, 1); got[0] != "Three days in May. Approved: enjoy" {
			t.Errorf("%s: %q", platform, got)
		}
	}
	if asked := d.dify.Asked(); len(asked) != 3 {
		t.Errorf("asked %d times", len(asked))
	}
	if v := d.Violations(); len(v) > 0 {
		t.Error(v)
	}
}

// TestDecisionsElsewhere: a decision in plain words reaches the agent that a rule led
// to, on every platform.
func TestDecisionsElsewhere(t *testing.T) {
	t.Parallel()
	dify := difytest.New(t, difytest.App{Mode: "advanced-chat", Answer: func(difytest.Question) difytest.Answer {
		return difytest.Answer{Text: "Three days in May. ", Form: "Please review: {{#$output.comment#}}", After: map[string]string{"approve": "Approved: "}}
	}})
	agents := fmt.Sprintf("agents: [{id: chat, kind: echo}, {id: help, kind: dify, base_url: %q}]\n", dify.URL)
	s := onBots(t, agents+"routes: [{when: {keyword: holiday}, agent: help}]\n", "agent: chat", asUsual)
	for _, p := range s.platforms() {
		for _, decision := range []string{"Approve\nenjoy", "1 enjoy"} {
			s.reads("li", p, "I want a holiday", "Three days in May.", "Please review")
			until(t, func() bool { return s.settled("I want a holiday") }) // its choices may be a message of their own
			s.reads("li", p, decision, "Approved: enjoy")
			until(t, func() bool { return s.settled(decision) })
		}
		s.reads("li", p, "approve", "**approve**")
	}
	s.clean()
}
