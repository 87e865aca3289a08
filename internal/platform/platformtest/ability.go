package platformtest

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// patience is how long a test waits for what must happen at once.
const patience = 30 * time.Second

func abilityChecks() []check[*bundle] {
	return []check[*bundle]{
		{"check", checkCheck},
		{"refused secret", checkRefused},
		{"unreachable", checkUnreachable},
		{"look up", checkLookUp},
		{"open file", checkOpenFile},
		{"recall", checkRecall},
		{"listen", checkListen},
		{"missed", checkMissed},
		{"renew", checkRenew},
	}
}

// checkCheck: nothing is found where nothing is wrong, and nobody is disturbed.
func checkCheck(t *testing.T, b *bundle) {
	t.Helper()
	findings, err := b.open(t).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if !f.OK || f.Err != nil {
			t.Errorf("%s: %v, %v", f.Code, f.OK, f.Err)
		}
	}
	b.known(t, findings)
	b.shown(t, "a check")
}

// checkRenew: a bot can do without the connections it kept.
func checkRenew(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	for range 2 {
		if findings, err := bot.Check(t.Context()); err != nil || slices.ContainsFunc(findings, func(f bridge.Finding) bool { return !f.OK }) {
			t.Errorf("%+v, %v", findings, err)
		}
		r, ok := bot.(bridge.Renewer)
		if !ok {
			t.Fatal("the bot cannot be told that its connections may be dead")
		}
		r.Renew()
	}
}

// known wants words and a step of the set-up for every finding.
func (b *bundle) known(t *testing.T, findings []bridge.Finding) {
	t.Helper()
	for _, f := range findings {
		key := "finding." + string(b.kit.Connector.Platform) + "." + f.Code
		for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
			for _, key := range []string{key, key + ".next"} {
				if text, ok := i18n.Find(lang, key); !ok || text == "" {
					t.Errorf("%s has no text for %s", lang, key)
				}
			}
		}
		if !slices.ContainsFunc(steps(b.kit.Connector, b.mode.ID), func(s bridge.Step) bool { return slices.Contains(s.Checks, f.Code) }) {
			t.Errorf("no step of mode %s leads to finding %s", b.mode.ID, f.Code)
		}
		if f.OK != (f.Err == nil) {
			t.Errorf("finding %s: %v, but %v", f.Code, f.OK, f.Err)
		}
	}
}

// checkRefused: a secret that is not accepted is found, said, and not tried in a
// loop.
func checkRefused(t *testing.T, b *bundle) {
	t.Helper()
	for _, v := range b.Refused {
		bot := b.open(t, v)
		findings, err := bot.Check(t.Context())
		if err != nil {
			t.Errorf("%s: %v", v.Key, err)
		}
		b.known(t, findings)
		if !slices.ContainsFunc(findings, func(f bridge.Finding) bool { return bridge.KindOf(f.Err) == bridge.KindCredential }) {
			t.Errorf("%s: not found in %+v", v.Key, findings)
		}
		calls, most := b.fake.Calls(), 1
		if b.mode.SendOnly() { // there is no token to be remembered as refused
			most = 5
		}
		for i := range 5 {
			_, err := bot.Send(t.Context(), b.to(t, strconv.Itoa(i)), bridge.Text{Text: "hello"})
			b.wants(t, v.Key, err, bridge.KindCredential)
		}
		if n := b.fake.Calls() - calls; n > most {
			t.Errorf("%s: %d calls for 5 messages", v.Key, n)
		}
		b.shown(t, "refused")
	}
}

// checkUnreachable: a platform that cannot be asked is no finding.
func checkUnreachable(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	if _, err := bot.Check(t.Context()); err != nil || b.fake.Calls() == 0 {
		return // this mode has nothing to ask the platform
	}
	for name, url := range map[string]string{"nobody": nobody(t), "broken": broken(t).URL} {
		findings, err := b.openAt(t, url).Check(t.Context())
		b.wants(t, name, err, bridge.KindUnavailable)
		if err != nil && len(findings) > 0 {
			t.Errorf("%s: could not check, but found %+v", name, findings)
		}
	}
	if _, err := bot.Check(canceled(t)); bridge.KindOf(err) != bridge.KindCanceled {
		t.Errorf("given up: %v", err)
	}
}

// checkLookUp: who is known has a name, who is not is not found.
func checkLookUp(t *testing.T, b *bundle) {
	t.Helper()
	directory, ok := b.open(t).(bridge.Directory)
	if !ok {
		return
	}
	if p, err := directory.LookUp(t.Context(), b.Known); err != nil || p.Name == "" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, id := range []bridge.UserID{b.Unknown, ""} {
		_, err := directory.LookUp(t.Context(), id)
		b.wants(t, string(id), err, bridge.KindNotFound)
	}
}

// checkOpenFile: files can be read, until they are gone.
func checkOpenFile(t *testing.T, b *bundle) {
	t.Helper()
	opener, ok := b.open(t).(bridge.FileOpener)
	if !ok {
		return
	}
	body, err := opener.OpenFile(t.Context(), b.Kept)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil || string(data) != "content" {
		t.Errorf("%q, %v", data, err)
	}
	_, err = opener.OpenFile(t.Context(), b.Gone)
	if kind := bridge.KindOf(err); kind != bridge.KindNotFound && kind != bridge.KindExpired {
		t.Errorf("gone: got %v", err)
	}
	if _, err := opener.OpenFile(canceled(t), b.Kept); bridge.KindOf(err) != bridge.KindCanceled {
		t.Errorf("given up: got %v", err)
	}
}

// checkRecall: a message can be taken back.
func checkRecall(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	recaller, ok := bot.(bridge.Recaller)
	if !ok {
		return
	}
	to := b.to(t, "1")
	id, err := bot.Send(t.Context(), to, bridge.Text{Text: "one"})
	if err != nil || id == "" {
		t.Fatalf("%q, %v", id, err)
	}
	if _, err := bot.Send(t.Context(), b.to(t, "2"), bridge.Text{Text: "two"}); err != nil {
		t.Fatal(err)
	}
	if err := recaller.Recall(t.Context(), id, to); err != nil {
		t.Fatal(err)
	}
	b.shown(t, "taken back", "two")
}

// checkListen: a delivery is acknowledged when it was accepted, and only then;
// the connection ends with its context.
func checkListen(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	listener, ok := bot.(bridge.Listener)
	if !ok {
		return
	}
	pusher, ok := b.fake.(Pusher)
	if !ok {
		t.Fatal("the fake of a mode that listens has to be a Pusher")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	accepted, ended := make(chan bridge.Delivery, 10), make(chan error, 1)
	refusal := errors.New("the disk is full")
	go func() {
		ended <- listener.Listen(ctx, func(_ context.Context, d bridge.Delivery) error {
			accepted <- d
			if len(d.Messages) == 1 && d.Messages[0].Text == "refuse" {
				return refusal
			}
			return nil
		})
	}()
	ring := func() {
		if b.Webhook != nil && b.Webhook.Rings {
			b.one(t, bot, b.request(t, "1", "hello"))
		}
	}
	for _, m := range [][2]string{{"1", "take"}, {"2", "refuse"}} {
		id, text := m[0], m[1]
		pusher.Push(id, text)
		ring()
		d := within(t, accepted)
		if len(d.Messages) != 1 || d.Messages[0].Text != text {
			t.Fatalf("pushed %q, got %+v", text, d)
		}
		b.complete(t, d.Messages[0])
		storable(t, d.Messages[0])
		ring()
		if got := pusher.Acknowledged(id); got != (text == "take") {
			t.Errorf("%s: acknowledged %v", text, got)
		}
	}
	cancel()
	if err := within(t, ended); err != nil && bridge.KindOf(err) != bridge.KindCanceled {
		t.Errorf("ended with %v", err)
	}
}

// within takes a value that comes at once.
func within[T any](t *testing.T, values <-chan T) T {
	t.Helper()
	select {
	case v := <-values:
		return v
	case <-time.After(patience):
		t.Fatal("nothing happened")
		panic("unreachable")
	}
}
