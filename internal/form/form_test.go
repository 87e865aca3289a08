package form_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/form"
)

func fields() []bridge.Field {
	return []bridge.Field{
		{Key: "id", Required: true, Check: form.Word},
		{Key: "key", Secret: true, Required: true, Check: form.Line},
		{Key: "url", Default: "https://x", Check: form.CheckURL},
		{Key: "note"},
	}
}

func TestValues(t *testing.T) {
	t.Parallel()
	got, err := form.Values("x: open", fields(), bridge.Config{
		Settings: map[string]string{"id": " a ", "url": " ", "other": "y", "key": "not a setting"},
		Secrets:  map[string]bridge.Secret{"key": bridge.NewSecret("k 1\r\n"), "id": bridge.NewSecret("no secret")},
	})
	if diff := cmp.Diff(map[string]string{"id": "a", "key": "k 1", "url": "https://x", "note": ""}, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	for field, c := range map[string]struct{ id, key, url, words string }{
		"id":  {"a b", "k", "", "blank"},
		"key": {"a", " ", "", "missing"},
		"url": {"a", "k", "ftp://x", "https"},
	} {
		_, err := form.Values("x: open", fields(), bridge.Config{
			Settings: map[string]string{"id": c.id, "url": c.url}, Secrets: map[string]bridge.Secret{"key": bridge.NewSecret(c.key)},
		})
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != bridge.KindInvalid || e.Op != "x: open" || e.Args["field"] != field || !strings.HasPrefix(e.Detail, field+" ") || !strings.Contains(e.Detail, c.words) {
			t.Errorf("%s: %+v", field, err)
		}
	}
}

func TestNoMode(t *testing.T) {
	t.Parallel()
	if err := form.NoMode("x: open", "kf"); bridge.KindOf(err) != bridge.KindUnsupported || !strings.Contains(err.Error(), `"kf"`) {
		t.Error(err)
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"https://x": "https://x", "https://x:1/sub//": "https://x:1/sub", "http://127.0.0.1:1/": "http://127.0.0.1:1", "http://[::1]": "http://[::1]",
		"http://localhost:1": "http://localhost:1",
		"http://x":           "", "http://127.0.0.1.example.com": "", "http://10.0.0.1": "", "x": "", "": "", "https://": "", "https://:1": "", "ftp://x": "", "wss://x": "",
		"https://u:p@x": "", "https://x?a=b": "", "https://x#f": "", "https://x/\x00": "",
	} {
		u, err := form.URL(s)
		if (err != nil) != (want == "") || err == nil && u.String() != want || (form.CheckURL(s) != nil) != (err != nil) {
			t.Errorf("%q: %v, %v", s, u, err)
		}
	}
	for s, good := range map[string]bool{"wss://x/ws": true, "ws://127.0.0.1:1": true, "ws://x": false, "https://x": false} {
		if _, err := form.SocketURL(s); (err == nil) != good || (form.CheckSocketURL(s) == nil) != good {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][2]bool{
		"a": {true, true}, "变量": {true, true}, "a b": {false, true}, "a\u00a0b": {false, true}, "a\u3000b": {false, true}, "a\tb": {false, false}, "a\nb": {false, false}, "\x7f": {false, false},
	} {
		if got := [2]bool{form.Word(s) == nil, form.Line(s) == nil}; got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
