package platformtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// arrived is when requests arrive in these tests.
func arrived() time.Time { return time.Unix(1_780_000_000, 0).UTC() }

func receiveChecks() []check[*bundle] {
	return []check[*bundle]{
		{"receive", webhooks(carried(checkReceive))},
		{"redelivery", webhooks(carried(checkRedelivery))},
		{"ring", webhooks(checkRing)},
		{"forged", webhooks(checkForged)},
		{"handshake", webhooks(checkHandshake)},
		{"old", webhooks(checkOld)},
		{"method", webhooks(checkMethod)},
		{"marks of a request", webhooks(checkMarks)},
		{"changed body", webhooks(checkChangedBody)},
		{"unreadable", webhooks(checkUnreadable)},
		{"odd texts", webhooks(carried(checkOddTexts))},
		{"no webhook", checkNoWebhook},
	}
}

// webhooks runs a check in the modes that have one.
func webhooks(test func(*testing.T, *bundle)) func(*testing.T, *bundle) {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		if b.Webhook != nil {
			test(t, b)
		}
	}
}

// carried runs a check where the requests carry the messages.
func carried(test func(*testing.T, *bundle)) func(*testing.T, *bundle) {
	return func(t *testing.T, b *bundle) {
		t.Helper()
		if !b.Webhook.Rings {
			test(t, b)
		}
	}
}

// request is a genuine message.
func (b *bundle) request(t *testing.T, id, text string) bridge.Request {
	t.Helper()
	return b.Webhook.Sign(t, b.Webhook.Message(id, text), arrived())
}

// one receives a genuine request and returns its only message, a zero one if it
// rings.
func (b *bundle) one(t *testing.T, bot bridge.Bot, req bridge.Request) bridge.Message {
	t.Helper()
	d, err := bot.Receive(t.Context(), req)
	if err != nil || len(d.Messages) != b.most() || len(d.Actions) != 0 || d.Note != "" || d.Suspect || d.Unproven {
		t.Fatalf("a genuine message: %v, %+v", err, d)
	}
	if len(d.Messages) == 0 {
		return bridge.Message{}
	}
	return d.Messages[0]
}

// most is how many messages a genuine request carries.
func (b *bundle) most() int {
	if b.Webhook.Rings {
		return 0
	}
	return 1
}

// checkRing: what only rings is taken at once, as often as it comes, without a word
// about there being nothing, and without the network.
func checkRing(t *testing.T, b *bundle) {
	t.Helper()
	if !b.Webhook.Rings {
		return
	}
	if !b.mode.Listens {
		t.Error("who fetches the messages of a mode that rings is a Listener")
	}
	bot := b.openAlone(t)
	for range 100 {
		b.one(t, bot, b.request(t, "1", "hello"))
	}
}

// checkReceive: a message is complete, survives being stored, and its address
// can be answered.
func checkReceive(t *testing.T, b *bundle) {
	t.Helper()
	m := b.one(t, b.openAlone(t), b.request(t, "1", "What is new?"))
	b.complete(t, m)
	if m.Text != "What is new?" || m.Chat.Kind != bridge.Direct {
		t.Errorf("got %+v", m)
	}
	storable(t, m)
	if _, err := b.open(t).Send(t.Context(), roundTrip(t, m).Address.WithKey("answer"), bridge.Text{Text: "Much."}); err != nil {
		t.Fatalf("answering: %v", err)
	}
	b.shown(t, "the answer", "Much.")
}

// complete looks for what every message must have.
func (b *bundle) complete(t *testing.T, m bridge.Message) {
	t.Helper()
	whole := fmt.Sprintf("%+v", m)
	switch {
	case m.ID == "" || m.Sender.ID == "" || m.Chat.ID == "" || m.Chat.Kind == "" || m.SentAt.IsZero():
		t.Errorf("something is missing: %s", whole)
	case m.Bot != b.Config.ID || m.Address.Bot != b.Config.ID || m.Platform != b.kit.Connector.Platform:
		t.Errorf("for another bot: %s", whole)
	case m.Address.Chat == "" || m.Address.Kind != m.Chat.Kind || m.Address.Key != "":
		t.Errorf("an address that cannot be used: %+v", m.Address)
	case m.Text == "" && len(m.Files) == 0 && m.Quote == "" && m.QuoteID == "":
		t.Errorf("nothing to answer: %s", whole)
	case !utf8.ValidString(whole) || strings.ContainsRune(whole, 0):
		t.Errorf("unfit for a database: %q", whole)
	}
}

// storable wants a message to be the same after it was stored.
func storable(t *testing.T, m bridge.Message) {
	t.Helper()
	if diff := cmp.Diff(m, roundTrip(t, m), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("stored and read again (-before +after):\n%s", diff)
	}
}

func roundTrip[T any](t *testing.T, v T) T {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var back T
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	return back
}

// checkRedelivery: what comes again has the same id, later and signed anew as
// well; another message has not.
func checkRedelivery(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	req := b.request(t, "1", "hello")
	first := b.one(t, bot, req)
	if again := b.one(t, bot, req); again.ID != first.ID {
		t.Errorf("the same request: %q, then %q", first.ID, again.ID)
	}
	late := b.Webhook.Sign(t, b.Webhook.Message("1", "hello"), arrived().Add(time.Minute))
	if again := b.one(t, b.openAlone(t), late); again.ID != first.ID {
		t.Errorf("delivered again to another process: %q, then %q", first.ID, again.ID)
	}
	if other := b.one(t, bot, b.request(t, "2", "hello")); other.ID == first.ID {
		t.Errorf("another message has the same id %q", other.ID)
	}
}

// refused tells whether a request was refused with nothing in hand.
func (b *bundle) refused(t *testing.T, name string, d bridge.Delivery, err error, kinds ...bridge.Kind) {
	t.Helper()
	kind := bridge.KindOf(err)
	if err == nil || !slices.Contains(kinds, kind) {
		t.Errorf("%s: got %v with %+v, want %v", name, err, d, kinds)
		return
	}
	b.wants(t, name, err, kind)
	if !cmp.Equal(d, bridge.Delivery{}) {
		t.Errorf("%s: refused, but with %+v", name, d)
	}
}

// checkForged: who does not know the secrets gets nothing stored, and neither
// does what is meant for somebody else.
func checkForged(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	kinds, doubts := map[bridge.Kind]bool{}, 0
	for _, f := range b.Webhook.Forged(t) {
		kinds[f.Want] = true
		d, err := bot.Receive(t.Context(), f.Request)
		b.refused(t, f.Name, d, err, f.Want)
		b.doubts(t, f.Name, err, f.Doubt)
		if f.Doubt != "" && f.Want == bridge.KindUnauthenticated {
			doubts++
		}
	}
	if !kinds[bridge.KindUnauthenticated] || !kinds[bridge.KindForbidden] || doubts == 0 {
		t.Errorf("the kit lacks a forgery: %v, %d look genuine", slices.Sorted(maps.Keys(kinds)), doubts)
	}
	for name, body := range map[string]string{"garbage": "\x00\xff{[<", "nothing we know": "hello", "object": "{}", "document": "<xml></xml>"} {
		d, err := bot.Receive(t.Context(), bridge.Request{Method: http.MethodPost, Body: []byte(body), At: arrived()})
		b.refused(t, name, d, err, bridge.KindUnauthenticated, bridge.KindInvalid)
		b.doubts(t, name, err, "")
	}
}

// doubts looks which setting a refusal names, and for the words that help to compare
// it.
func (b *bundle) doubts(t *testing.T, name string, err error, field string) {
	t.Helper()
	var e *bridge.Error
	if !errors.As(err, &e) || e.Args["field"] != field || e.Likely != (field != "") {
		t.Errorf("%s: %+v, wanted the setting %q to be named", name, err, field)
		return
	}
	if field == "" {
		return
	}
	if !slices.ContainsFunc(b.kit.Connector.Fields(b.mode.ID), func(f bridge.Field) bool { return f.Key == field }) {
		t.Errorf("%s: there is no setting %q", name, field)
	}
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		words := i18n.Explain(lang, err)
		if other := i18n.Explain(lang, &bridge.Error{Kind: e.Kind}); words.What == other.What || words.Next == "" || strings.ContainsAny(words.String(), "{}") {
			t.Errorf("%s, %s: %s", name, lang, words)
		}
	}
}

// checkHandshake: the platform's own test of the address is answered.
func checkHandshake(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	if b.Webhook.Handshakes == nil {
		return
	}
	for _, h := range b.Webhook.Handshakes(t) {
		d, err := bot.Receive(t.Context(), h.Request)
		if err != nil || len(d.Messages)+len(d.Actions) != 0 || string(d.Response.Body) != h.Want || d.Response.Status > http.StatusNoContent || d.Suspect {
			t.Errorf("%s: %v, %+v, answered %q", h.Name, err, d, d.Response.Body)
		}
	}
}

// checkOld: where the platform signs the time, a copied request ends.
func checkOld(t *testing.T, b *bundle) {
	t.Helper()
	bot, fresh := b.openAlone(t), b.Webhook.Fresh
	req := b.request(t, "1", "hello")
	if fresh == 0 {
		req.At = req.At.Add(365 * 24 * time.Hour)
		b.one(t, bot, req)
		return
	}
	for _, off := range []time.Duration{fresh - time.Second, -fresh + time.Second} {
		req.At = arrived().Add(off)
		b.one(t, bot, req)
	}
	for _, off := range []time.Duration{fresh + 2*time.Second, -fresh - 2*time.Second, 1000 * fresh} {
		req.At = arrived().Add(off)
		d, err := bot.Receive(t.Context(), req)
		b.refused(t, "off by "+off.String(), d, err, bridge.KindUnauthenticated)
	}
}

// checkMethod: messages are posted.
func checkMethod(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodHead, "", "post"} {
		req := b.request(t, "1", "hello")
		req.Method = method
		d, err := bot.Receive(t.Context(), req)
		b.refused(t, "method "+method, d, err, bridge.KindInvalid, bridge.KindUnauthenticated)
	}
}

// checkMarks takes away and changes each header and each parameter. A request
// either is refused then or carries what it did; and not all of them may pass.
func checkMarks(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	whole := b.one(t, bot, b.request(t, "1", "hello"))
	refused, marks := 0, 0
	try := func(name string, change func(*bridge.Request)) {
		t.Helper()
		req := b.request(t, "1", "hello")
		change(&req)
		marks++
		d, err := bot.Receive(t.Context(), req)
		if err != nil {
			refused++
			b.refused(t, name, d, err, bridge.KindUnauthenticated, bridge.KindForbidden, bridge.KindInvalid)
		} else if len(d.Messages) != b.most() || len(d.Messages) == 1 && d.Messages[0].ID != whole.ID {
			t.Errorf("%s: %+v", name, d)
		}
	}
	req := b.request(t, "1", "hello")
	for key := range req.Header {
		try("without header "+key, func(r *bridge.Request) { delete(r.Header, key) })
		try("with another header "+key, func(r *bridge.Request) { r.Header[key] = []string{req.Header.Get(key) + "0"} })
	}
	for key := range req.Query {
		try("without parameter "+key, func(r *bridge.Request) { r.Query.Del(key) })
		try("with another parameter "+key, func(r *bridge.Request) { r.Query.Set(key, req.Query.Get(key)+"0") })
	}
	if marks > 0 && refused == 0 {
		t.Errorf("%d changed requests were all taken", marks)
	}
}

// checkChangedBody cuts, turns and swells the body of a genuine request.
func checkChangedBody(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	body := b.request(t, "1", "hello").Body
	try := func(name string, changed []byte) {
		t.Helper()
		req := b.request(t, "1", "hello")
		req.Body = changed
		d, err := bot.Receive(t.Context(), req)
		switch {
		case err != nil:
			b.refused(t, name, d, err, bridge.KindUnauthenticated, bridge.KindForbidden, bridge.KindInvalid)
		case b.Webhook.Sealed && (len(d.Messages) != b.most() || len(d.Messages) == 1 && d.Messages[0].Text != "hello"):
			t.Errorf("%s: taken as %+v", name, d)
		default:
			b.acceptable(t, name, d)
		}
	}
	step := max(1, len(body)/60)
	for n := 0; n < len(body); n += step {
		try(fmt.Sprintf("cut after %d bytes", n), body[:n])
		turned := bytes.Clone(body)
		turned[n] ^= 0x20
		try(fmt.Sprintf("byte %d turned", n), turned)
		turned[n] = 0xFF
		try(fmt.Sprintf("byte %d broken", n), turned)
	}
	try("twice", append(bytes.Clone(body), body...))
	try("swollen", append(bytes.Clone(body), bytes.Repeat([]byte("A"), 1<<20)...))
}

// acceptable is what may come of a request that is genuine: complete messages,
// or a word about why there are none; and no content in the answer. A proof of
// the address may be answered with what it holds.
func (b *bundle) acceptable(t *testing.T, name string, d bridge.Delivery) {
	t.Helper()
	for _, m := range d.Messages {
		b.complete(t, m)
	}
	for _, a := range d.Actions {
		if a.ID == "" || a.Kind == "" || a.Sender.ID == "" {
			t.Errorf("%s: incomplete: %+v", name, a)
		}
	}
	if len(d.Messages)+len(d.Actions) > 0 && (d.Note != "" || d.Suspect) {
		t.Errorf("%s: something, but a word about nothing: %+v", name, d)
	}
	if d.Suspect && d.Note == "" || len(d.Note) > 200 || strings.Contains(d.Note, "\n") {
		t.Errorf("%s: note %q", name, d.Note)
	}
	if d.Response.Status > http.StatusNoContent {
		t.Errorf("%s: answered with status %d, so it will come again", name, d.Response.Status)
	}
	b.hushed(t, d.Note+string(d.Response.Body))
}

// checkUnreadable: what is rightly signed but makes no sense is taken, because
// it would come again and again; it is noted, and answered like any other.
func checkUnreadable(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	good, err := bot.Receive(t.Context(), b.request(t, "1", "hello"))
	if err != nil {
		t.Fatal(err)
	}
	payload := b.Webhook.Message("1", "hello")
	cases := map[string][]byte{
		"garbage": []byte("\x00\xff\xfe{[<&"), "a word": []byte("PROBE"), "a number": []byte("7"), "a list": []byte(`["PROBE"]`),
		"an object": []byte(`{"a":"PROBE"}`), "a document": []byte("<xml><a>PROBE</a></xml>"), "blank within": []byte("  \n\t  PROBE"),
		"deep list": bytes.Repeat([]byte("["), 10_000), "deep objects": bytes.Repeat([]byte(`{"a":`), 10_000), "deep elements": bytes.Repeat([]byte("<xml>"), 10_000),
		"big": append(bytes.Repeat([]byte("A"), 1<<20), "PROBE"...),
	}
	for n := 1; n < len(payload)-1; n += max(1, len(payload)/40) {
		cases[fmt.Sprintf("cut after %d bytes", n)] = payload[:n]
	}
	for name, data := range cases {
		d, err := bot.Receive(t.Context(), b.Webhook.Sign(t, data, arrived()))
		if err != nil {
			b.refused(t, name, d, err, bridge.KindForbidden)
			continue
		}
		b.acceptable(t, name, d)
		if len(d.Messages)+len(d.Actions) != 0 || d.Note == "" {
			t.Errorf("%s: %+v", name, d)
		}
		if diff := cmp.Diff(good.Response, d.Response); diff != "" {
			t.Errorf("%s: not answered as a message is (-message +this):\n%s", name, diff)
		}
		if strings.Contains(d.Note, "PROBE") {
			t.Errorf("%s: the note holds content: %q", name, d.Note)
		}
	}
}

// checkOddTexts: people and their keyboards send anything, and get an answer. Only
// control characters may make a payload one that cannot be read.
func checkOddTexts(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.openAlone(t)
	for name, text := range map[string]string{
		"broken UTF-8": "a\xff\xc3(b", "half a character": "你好\xe4\xbd", "controls": "a\x00\x01\x08\x1b\x7fb", "other ends of line": "a\u0085b\u2028c",
		"directions": "a\u202eb\ufeffc", "joined": "👩\u200d👧\u200d👦", "beyond": "𠀀\U0010FFFF", "long": strings.Repeat("很长", 50_000),
	} {
		d, err := bot.Receive(t.Context(), b.request(t, "1", text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		b.acceptable(t, name, d)
		if len(d.Messages) == 0 && (d.Note == "" || name != "controls") {
			t.Errorf("%s: nothing: %+v", name, d)
		}
		for _, m := range d.Messages {
			storable(t, m)
		}
	}
}

// checkNoWebhook: a bot without a webhook says so.
func checkNoWebhook(t *testing.T, b *bundle) {
	t.Helper()
	if b.Webhook != nil {
		return
	}
	d, err := b.openAlone(t).Receive(t.Context(), bridge.Request{Method: http.MethodPost, Body: []byte("{}"), At: arrived()})
	b.refused(t, "no webhook", d, err, bridge.KindUnsupported)
}
