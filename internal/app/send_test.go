package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/app"
	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/store"
)

// pigeon is a platform whose bots recall and preview; those of mode "post" know
// one chat only and receive nothing.
type pigeon struct {
	chat *bridgetest.Chat

	mu       sync.Mutex
	recalled []bridge.MessageID
	refuse   error // of a recall
}

func (p *pigeon) connector() bridge.Connector {
	able := bridge.Capabilities{MaxText: 20, MaxMarkdown: 40, Groups: true, Recall: true}
	return bridge.Connector{
		Platform: "pigeon",
		Modes:    []bridge.Mode{{ID: "loft", Webhook: true, Capabilities: able}, {ID: "post", Capabilities: bridge.Capabilities{MaxText: 20}}},
		Open: func(c bridge.Config, _ bridge.Env) (bridge.Bot, error) {
			switch {
			case c.ID == "lame":
				return nil, &bridge.Error{Kind: bridge.KindInvalid, Op: "pigeon: open"}
			case c.Mode == "post":
				return p.chat.Bot(), nil
			default:
				return homer{p.chat.Bot(), p}, nil
			}
		},
	}
}

type homer struct {
	bridge.Bot
	pigeon *pigeon
}

func (homer) Preview(_ bridge.Address, c bridge.Content) ([]bridge.Shown, error) {
	switch c := c.(type) {
	case bridge.Text:
		return []bridge.Shown{{Kind: bridge.ContentText, Text: c.Text, Size: len(c.Text), Limit: 20}}, nil
	case bridge.Card:
		return []bridge.Shown{{Kind: bridge.ContentMarkdown, Text: c.Title + c.Text, Size: 5}}, nil
	default:
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "pigeon: preview"}
	}
}

func (h homer) Recall(_ context.Context, m bridge.MessageID, _ bridge.Address) error {
	h.pigeon.mu.Lock()
	defer h.pigeon.mu.Unlock()
	if h.pigeon.refuse == nil {
		h.pigeon.recalled = append(h.pigeon.recalled, m)
	}
	return h.pigeon.refuse
}

// loft is a house with pigeons. Li wrote to bot one, and so did a group.
type loft struct {
	*life
	*pigeon
	t  *testing.T
	li string // Person.ID
}

func inLoft(t *testing.T, f func(l *loft)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pigeon{chat: &bridgetest.Chat{}}
		bots := "bots: [{id: one, platform: pigeon, mode: loft}, {id: two, platform: pigeon, mode: loft}, {id: post, platform: pigeon, mode: post}, {id: lame, platform: pigeon}, {id: lamp, platform: lamp}]\n"
		l := &loft{t: t, pigeon: p}
		l.life = begin(t, t.TempDir(), bots, newLamp(), func(o *app.Options) { o.Connectors = append(o.Connectors, p.connector()) })
		direct := message("one", "m1", "hello")
		direct.Platform, direct.Address = "pigeon", bridge.Address{
			Bot: "one", Chat: "c", Kind: bridge.Direct, User: "u", ReplyTo: "m1", Job: "7", Stop: "stop", Thread: "t", Data: json.RawMessage(`{"x":1}`),
		}
		group := direct
		group.ID, group.Chat = "m2", bridge.Chat{ID: "g1", Kind: bridge.Group, Title: "Lunch"}
		group.Address = bridge.Address{Bot: "one", Chat: "g1", Kind: bridge.Group}
		for _, m := range []bridge.Message{direct, group} {
			if status := l.request(t, l.door, "POST", "/hook/one", packed(t, m)); status != 200 {
				t.Fatal(status)
			}
		}
		rest(time.Minute)
		rows, err := l.People(l.ctx, bridge.PeopleQuery{})
		if err != nil || len(rows) != 1 {
			t.Fatal(rows, err)
		}
		l.li = rows[0].Person.ID
		f(l)
	})
}

func (l *loft) last() bridgetest.Shown {
	all := l.chat.Shown()
	return all[len(all)-1]
}

func (l *loft) audit(kind bridge.AuditKind) []bridge.Audit {
	l.t.Helper()
	all, err := l.Audits(l.ctx, bridge.AuditQuery{Kind: kind})
	if err != nil {
		l.t.Fatal(err)
	}
	return all
}

func code(err error) string {
	e, _ := err.(*bridge.Error) //nolint:errorlint // the house's own
	if e == nil {
		return ""
	}
	return e.Code
}

// TestSendToPerson: it goes to where they wrote last, answers nothing, and is
// written down without what it says.
func TestSendToPerson(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		sent, err := l.Send(l.ctx, bridge.Sending{Key: "k1", Bot: "one", Person: l.li, Content: bridge.Text{Text: "secret words"}})
		if err != nil || sent.Message == "" || !sent.Recallable || sent.Key != "k1" || sent.Bot != "one" {
			t.Fatalf("%+v, %v", sent, err)
		}
		want := bridge.Address{Bot: "one", Chat: "c", Kind: bridge.Direct, User: "u", Name: "Li", Data: json.RawMessage(`{"x":1}`), Key: "send-k1", Language: "en"}
		if got := l.last(); got.Text != "secret words" || got.ID != sent.Message || cmp.Diff(want, got.To) != "" {
			t.Errorf("%+v %s", got, cmp.Diff(want, got.To))
		}
		a := l.audit(bridge.AuditSent)
		if len(a) != 1 || a[0].Person != l.li || a[0].By != (bridge.Actor{Where: "window"}) || a[0].Note != "text with one" {
			t.Errorf("audit %+v", a)
		}
		_, text := l.ask(t, l.admin, "GET", "/metrics", nil, token(t, l.DataDir()))
		if !strings.Contains(text, `switchboard_sends_total{bot="one",kind=""} 1`) {
			t.Error("not in the metrics")
		}
		// A bot they never wrote to knows them by their account.
		if _, err := l.Send(l.ctx, bridge.Sending{Bot: "two", Person: l.li, Content: bridge.Text{Text: "x"}}); err != nil || l.last().To.User != "u" || l.last().To.Chat != "" || l.last().To.Bot != "two" {
			t.Errorf("%v %+v", err, l.last().To)
		}
		if _, err := l.Send(l.ctx, bridge.Sending{Bot: "lamp", Person: l.li, Content: bridge.Text{Text: "x"}}); code(err) != "no_account" {
			t.Error(err)
		}
		if n := len(l.audit(bridge.AuditSent)); n != 2 {
			t.Errorf("%d entries: what was not tried is no send", n)
		}
	})
}

// TestSendOnce: the same key is shown once, though the platform has no keys.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		before := len(l.chat.Shown())
		s := bridge.Sending{Key: "same", Bot: "one", Person: l.li, Content: bridge.Text{Text: "x"}}
		first, err := l.Send(l.ctx, s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := l.Send(l.ctx, s)
		if err != nil || again != first || len(l.chat.Shown()) != before+1 {
			t.Errorf("%+v, %v, %d shown", again, err, len(l.chat.Shown())-before)
		}
		s.Key = "" // one of its own
		other, err := l.Send(l.ctx, s)
		if err != nil || other.Key == first.Key || other.Key == "" || len(l.chat.Shown()) != before+2 {
			t.Errorf("%+v, %v", other, err)
		}
	})
}

// TestSendFails: the error is the platform's, the audit has both lines, and the
// same key can be tried again.
func TestSendFails(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		calls := l.chat.Calls("send")
		l.chat.Fail = func(_ string, n int) error {
			if n == calls+1 {
				return &bridge.Error{Kind: bridge.KindCredential, Op: "pigeon: send"}
			}
			return nil
		}
		s := bridge.Sending{Key: "k", Bot: "one", Chat: "g1", Content: bridge.Text{Text: "x"}}
		if _, err := l.Send(l.ctx, s); bridge.KindOf(err) != bridge.KindCredential {
			t.Error(err)
		}
		if a := l.audit(bridge.AuditSent); len(a) != 2 || a[0].Note != "text with one to group g1: credential" || a[1].Note != "text with one to group g1" {
			t.Errorf("audit %+v", a)
		}
		if o, err := l.Overview(l.ctx); err != nil || stateOf(o, "one") != bridge.BotFailing {
			t.Errorf("the bot is %v, %v", stateOf(o, "one"), err)
		}
		if sent, err := l.Send(l.ctx, s); err != nil || sent.Message == "" || l.last().To.Kind != bridge.Group {
			t.Errorf("%+v, %v", sent, err)
		}
		if o, err := l.Overview(l.ctx); err != nil || stateOf(o, "one") == bridge.BotFailing {
			t.Errorf("the bot is still failing: %v", err)
		}
		_, text := l.ask(t, l.admin, "GET", "/metrics", nil, token(t, l.DataDir()))
		if !strings.Contains(text, `switchboard_sends_total{bot="one",kind="credential"} 1`) {
			t.Error("not in the metrics")
		}
	})
}

func stateOf(o bridge.Overview, bot string) bridge.BotState {
	for _, b := range o.Bots {
		if b.ID == bot {
			return b.State
		}
	}
	return ""
}

// TestSendRefused: what cannot be right is refused before anything happens.
func TestSendRefused(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		before := l.chat.Calls("send")
		text := bridge.Text{Text: "x"}
		link := func(words, url string) bridge.Content {
			return bridge.Card{Title: "t", Buttons: []bridge.Button{{Text: words, URL: url}}}
		}
		for want, s := range map[string]bridge.Sending{
			"no_bot":   {Bot: "none", Person: l.li, Content: text},
			"broken":   {Bot: "lame", Person: l.li, Content: text},
			"nobody":   {Bot: "one", Content: text},
			"empty":    {Bot: "one", Person: l.li, Content: bridge.Text{}},
			"empty ":   {Bot: "one", Person: l.li},
			"too_long": {Bot: "one", Person: l.li, Content: bridge.Text{Text: strings.Repeat("字", 7)}},
			"json":     {Bot: "one", Person: l.li, Content: bridge.Native{Type: "text", JSON: []byte("{")}},
			"type":     {Bot: "one", Person: l.li, Content: bridge.Native{JSON: []byte("{}")}},
			"button":   {Bot: "one", Person: l.li, Content: link("go", "javascript:alert(1)")},
			"button ":  {Bot: "one", Person: l.li, Content: link(" ", "https://example.com")},
			"button  ": {Bot: "one", Person: l.li, Content: link("go", "")},
		} {
			if _, err := l.Send(l.ctx, s); code(err) != strings.TrimSpace(want) {
				t.Errorf("%s: %v", want, err)
			}
		}
		if _, err := l.Send(l.ctx, bridge.Sending{Bot: "one", Person: "nobody", Content: text}); bridge.KindOf(err) != bridge.KindNotFound {
			t.Error(err)
		}
		if l.chat.Calls("send") != before || len(l.audit(bridge.AuditSent)) != 0 {
			t.Error("something was sent")
		}
		if _, err := l.Send(l.ctx, bridge.Sending{Bot: "one", Person: l.li, Content: bridge.Text{Text: strings.Repeat("x", 20)}}); err != nil {
			t.Error("exactly as long as allowed:", err)
		}
	})
}

// TestSendOnly: a bot that knows one chat needs no receiver.
func TestSendOnly(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		sent, err := l.Send(l.ctx, bridge.Sending{Bot: "post", Chat: "ignored", Content: bridge.Text{Text: "x"}})
		if err != nil || sent.Recallable || l.last().To.Bot != "post" || l.last().To.Chat != "" || l.last().To.Kind != bridge.Group {
			t.Errorf("%+v, %v, %+v", sent, err, l.last())
		}
		if err := l.TakeBack(l.ctx, sent.Key); code(err) != "no_recall" {
			t.Error(err)
		}
		for _, b := range l.SendBots() {
			if b.Fixed != (b.ID == "post") || (b.Err != nil) != (b.ID == "lame") || b.Recalls != (b.ID == "one" || b.ID == "two") {
				t.Errorf("%+v", b)
			}
		}
	})
}

// TestSendTakenBack once, and written down.
func TestSendTakenBack(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		sent, err := l.Send(l.ctx, bridge.Sending{Bot: "one", Person: l.li, Content: bridge.Text{Text: "x"}})
		if err != nil {
			t.Fatal(err)
		}
		l.refuse = &bridge.Error{Kind: bridge.KindExpired, Op: "pigeon: recall"}
		if err := l.TakeBack(l.ctx, sent.Key); bridge.KindOf(err) != bridge.KindExpired {
			t.Error(err)
		}
		l.refuse = nil
		for range 2 {
			if err := l.TakeBack(l.ctx, sent.Key); err != nil {
				t.Error(err)
			}
		}
		if diff := cmp.Diff([]bridge.MessageID{sent.Message}, l.recalled); diff != "" {
			t.Error(diff)
		}
		if a := l.audit(bridge.AuditTakenBack); len(a) != 2 || a[0].Person != l.li || a[0].Note != "with one" {
			t.Errorf("audit %+v", a)
		}
		if err := l.TakeBack(l.ctx, "unheard of"); code(err) != "forgotten" {
			t.Error(err)
		}
	})
}

// TestSendPreview sends nothing and says what is shown in a simpler way.
func TestSendPreview(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		before := l.chat.Calls("send")
		card := bridge.Card{Title: "T", Text: "text"}
		p, err := l.PreviewSend(l.ctx, bridge.Sending{Bot: "one", Person: l.li, Content: card})
		want := bridge.Preview{To: "Li", Messages: []bridge.Shown{{Kind: bridge.ContentMarkdown, Text: "Ttext", Size: 5}}, Simpler: true, Size: 6, Limit: 40}
		if diff := cmp.Diff(want, p); diff != "" || err != nil {
			t.Error(diff, err)
		}
		if p, err := l.PreviewSend(l.ctx, bridge.Sending{Bot: "one", Content: bridge.Text{Text: "x"}}); err != nil || p.Simpler || len(p.Messages) != 1 {
			t.Errorf("before a receiver is chosen: %+v, %v", p, err)
		}
		if p, err := l.PreviewSend(l.ctx, bridge.Sending{Bot: "one", Content: bridge.Text{Text: strings.Repeat("x", 21)}}); code(err) != "too_long" || p.Size != 21 || p.Limit != 20 {
			t.Errorf("%+v, %v", p, err)
		}
		if p, err := l.PreviewSend(l.ctx, bridge.Sending{Bot: "post", Content: bridge.Text{Text: "x"}}); err != nil || p.Messages[0].Text != "x" {
			t.Errorf("a bot that cannot say: %+v, %v", p, err)
		}
		if _, err := l.PreviewSend(l.ctx, bridge.Sending{Bot: "one", Content: bridge.Markdown{Text: "x"}}); bridge.KindOf(err) != bridge.KindUnsupported {
			t.Error(err)
		}
		if l.chat.Calls("send") != before || len(l.audit(bridge.AuditSent)) != 0 {
			t.Error("something was sent")
		}
	})
}

// TestReceivers are those a bot can write to.
func TestReceivers(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		names := func(bot, text string) (all []string) {
			t.Helper()
			found, err := l.Receivers(l.ctx, bot, text)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range found {
				all = append(all, r.Name+" "+r.Chat)
			}
			return all
		}
		if diff := cmp.Diff([]string{"Lunch g1", "Li "}, names("one", "")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"Lunch g1"}, names("one", "LUN")); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"Li "}, names("two", "")); diff != "" {
			t.Error("a group of another bot:", diff)
		}
		if got := names("lamp", ""); len(got) != 0 {
			t.Errorf("on another platform %v", got)
		}
		if _, err := l.Receivers(l.ctx, "lame", ""); code(err) != "broken" {
			t.Error(err)
		}
	})
}

// TestSendAPI: the same over the admin listener, with the user of a terminal.
func TestSendAPI(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		header := token(t, l.DataDir())
		post := func(path, body string, more http.Header) (int, app.SendReport, string) {
			h := header.Clone()
			for k, v := range more {
				h[k] = v
			}
			status, text := l.ask(t, l.admin, "POST", path, []byte(body), h)
			var r app.SendReport
			_ = json.Unmarshal([]byte(text), &r)
			return status, r, text
		}
		before := l.chat.Calls("send")
		status, r, text := post("/api/v1/send", `{"bot":"one","person":"Li","kind":"card","title":"T","text":"b","buttons":[{"text":"go","url":"https://example.com"}],"dry_run":true}`, nil)
		if status != 200 || !r.Simpler || r.Key != "" || r.To != "Li" || len(r.Messages) != 1 || l.chat.Calls("send") != before {
			t.Errorf("%d %s", status, text)
		}
		status, r, text = post("/api/v1/send", `{"bot":"one","person":"u","text":"hi","key":"k"}`, http.Header{"Switchboard-User": {"CORP%5Cwang"}})
		if status != 200 || r.Key != "k" || r.Message == "" || !r.Recallable || l.chat.Calls("send") != before+1 {
			t.Errorf("%d %s", status, text)
		}
		if a := l.audit(bridge.AuditSent); len(a) != 1 || a[0].By != (bridge.Actor{Who: `CORP\wang`, Where: "cli"}) {
			t.Errorf("audit %+v", a)
		}
		if status, _, text := post("/api/v1/send/k/recall", "", nil); status != 200 || len(l.recalled) != 1 {
			t.Errorf("%d %s", status, text)
		}
		if a := l.audit(bridge.AuditTakenBack); len(a) != 1 || a[0].By != (bridge.Actor{Where: "api"}) {
			t.Errorf("audit %+v", a)
		}
		for _, c := range []struct{ body, code string }{
			{`{"bot":"one","person":"Li","kind":"smoke"}`, `"kind"`},
			{`{"bot":"one","person":"Wang","text":"x"}`, `"nobody"`},
			{`{"bot":"one","text":"x","colour":"red"}`, `"body"`},
			{`{"bot":"none","person":"Li","text":"x"}`, `"no_bot"`},
		} {
			if status, _, text := post("/api/v1/send", c.body, nil); status < 400 || status >= 500 || !strings.Contains(text, `"code":`+c.code) {
				t.Errorf("%s: %d %s", c.body, status, text)
			}
		}
		if status, text := l.ask(t, l.admin, "POST", "/api/v1/send", []byte(`{}`), nil); status != 401 {
			t.Errorf("without the token %d %s", status, text)
		}
	})
}

// TestEarlierSends: what was sent before the start, or from elsewhere, is told with
// what became of it; what this window sent since it knows itself.
func TestEarlierSends(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(data, "switchboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.PersonOf(t.Context(), bridge.Identity{Platform: "pigeon", User: "u", Name: "Li"})
	window, terminal := bridge.Actor{Where: "window"}, bridge.Actor{Who: "wang", Where: "cli"}
	entry := func(s *store.Store, by bridge.Actor, person, note string) {
		t.Helper()
		if err := s.Audit(t.Context(), bridge.Audit{Kind: bridge.AuditSent, By: by, Person: person, Note: note}); err != nil {
			t.Fatal(err)
		}
	}
	entry(s, window, "", "markdown with gone to group g 1")
	entry(s, window, p.ID, "text with one")
	entry(s, window, p.ID, "text with one")
	entry(s, window, p.ID, "text with one: credential")
	entry(s, terminal, "", "card with post")
	entry(s, terminal, "", "something else")
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	a, ctx := house(t, data, "")
	all, err := a.EarlierSends(ctx)
	for i := range all {
		if all[i].At.IsZero() {
			t.Error("no time")
		}
		all[i].At = time.Time{}
	}
	want := []bridge.EarlierSend{
		{Kind: bridge.ContentCard, Bot: "post", By: terminal},
		{Kind: bridge.ContentText, Bot: "one", To: "Li", Error: bridge.KindCredential, By: window},
		{Kind: bridge.ContentText, Bot: "one", To: "Li", By: window},
		{Kind: bridge.ContentMarkdown, Bot: "gone", To: "g 1", By: window},
	}
	if diff := cmp.Diff(want, all); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// TestSendsFromElsewhere: this window tells of its own sends.
func TestSendsFromElsewhere(t *testing.T) {
	t.Parallel()
	inLoft(t, func(l *loft) {
		if _, err := l.Send(l.ctx, bridge.Sending{Bot: "one", Person: l.li, Content: bridge.Text{Text: "x"}}); err != nil {
			t.Fatal(err)
		}
		if status, text := l.ask(t, l.admin, "POST", "/api/v1/send", []byte(`{"bot":"one","person":"u","text":"hi"}`), token(t, l.DataDir())); status != 200 {
			t.Fatal(status, text)
		}
		all, err := l.EarlierSends(l.ctx)
		if err != nil || len(all) != 1 || all[0].By.Where != "api" || all[0].To != "Li" || all[0].Platform != "pigeon" {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
