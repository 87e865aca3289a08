package wecom_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
}

// pretty writes JSON for people.
func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestInbound reads every message and event in testdata.
func TestInbound(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/webhook/*.xml")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	bot := openWith(t, nil, bridge.Env{})
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := bot.Receive(t.Context(), genuine(t, string(data)))
		if err != nil || d.Suspect || d.Response.Status != 0 || len(d.Response.Body) != 0 {
			t.Errorf("%s: %v, %+v", name, err, d)
			continue
		}
		golden(t, strings.TrimSuffix(name, ".xml")+".golden", pretty(t, struct {
			Messages []bridge.Message
			Actions  []bridge.Action
			Note     string
		}{d.Messages, d.Actions, d.Note}))
	}
}

// TestRedelivery: what comes again has the same id, what is another event has
// not, or one of two clicks would be lost.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	id := func(text string) string {
		d, err := bot.Receive(t.Context(), genuine(t, text))
		if err != nil || len(d.Actions) != 1 {
			t.Fatalf("%v, %+v", err, d)
		}
		return d.Actions[0].ID
	}
	click := inner("<MsgType>event</MsgType><Event>click</Event><EventKey>A</EventKey>")
	first := id(click)
	if again := id(click); again != first {
		t.Errorf("%q then %q", first, again)
	}
	for _, other := range []string{
		strings.Replace(click, "ZhangSan", "LiSi", 1),
		strings.Replace(click, "1700000000", "1700000001", 1),
		strings.Replace(click, ">A<", ">B<", 1),
		strings.Replace(click, "click", "enter_agent", 1),
	} {
		if got := id(other); got == first {
			t.Errorf("%s has the same id %q", other, got)
		}
	}
}

// TestNotesTellNoSecrets: a note is stored and shown, so it may not hold what
// people wrote or what can be used.
func TestNotesTellNoSecrets(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	for _, text := range []string{
		inner("<MsgType>event</MsgType><Event>template_card_event</Event><ResponseCode>HIDDEN</ResponseCode>"),
		inner("<MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>HIDDEN</Token>"),
		inner("<MsgType>" + strings.Repeat("x", 500) + "\n报</MsgType><MsgId>1</MsgId><Content>HIDDEN</Content>"),
	} {
		d, err := bot.Receive(t.Context(), genuine(t, text))
		if err != nil || d.Note == "" || len(d.Note) > 80 || strings.Contains(d.Note, "HIDDEN") || strings.Contains(d.Note, "\n") {
			t.Errorf("%v, %q", err, d.Note)
		}
	}
}
