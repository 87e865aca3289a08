package bridge_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// TestSecretNeverPrints tries every way a value usually slips out.
func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	const value = "hunter2-very-secret"
	type inner struct{ secret bridge.Secret }
	type outer struct {
		Key   bridge.Secret
		Map   map[string]bridge.Secret
		inner inner
	}
	s := bridge.NewSecret(value)
	o := outer{s, map[string]bridge.Secret{"a": s}, inner{s}}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.InfoContext(t.Context(), "x", "secret", s, "outer", o, "map", o.Map)
	text := slog.New(slog.NewTextHandler(&log, nil))
	text.InfoContext(t.Context(), "x", "secret", s, "outer", o, "inner", o.inner)
	js, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %x %d", s, s, s, s, s, s, s), fmt.Sprintf("%v %+v %#v", o, o, o),
		fmt.Sprintf("%v %+v", &o, []bridge.Secret{s}), log.String(), string(js), fmt.Errorf("x: %v", s).Error(),
	} {
		if strings.Contains(printed, value) || strings.Contains(printed, fmt.Sprintf("%x", value)) {
			t.Errorf("the secret shows in %q", printed)
		}
	}
	if s.Reveal() != value || (bridge.Secret{}).Reveal() != "" || s.Empty() || !(bridge.Secret{}).Empty() {
		t.Error("Reveal or Empty is wrong")
	}
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	limited := &bridge.Error{Kind: bridge.KindRateLimited, RetryAfter: time.Second}
	for _, c := range []struct {
		err  error
		want bridge.Kind
	}{
		{nil, ""},
		{limited, bridge.KindRateLimited},
		{fmt.Errorf("outer: %w", limited), bridge.KindRateLimited},
		{context.Canceled, bridge.KindCanceled},
		{fmt.Errorf("x: %w", context.DeadlineExceeded), bridge.KindUnavailable},
		{errors.New("x"), bridge.KindInternal},
	} {
		if got := bridge.KindOf(c.err); got != c.want {
			t.Errorf("KindOf(%v) = %q, want %q", c.err, got, c.want)
		}
	}
	if bridge.RetryAfter(fmt.Errorf("x: %w", limited)) != time.Second || bridge.RetryAfter(errors.New("x")) != 0 {
		t.Error("RetryAfter is wrong")
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	err := &bridge.Error{Op: "lamp: switch on", Code: "42", Detail: "no bulb", Err: errors.New("dark")}
	if got, want := err.Error(), "lamp: switch on: code 42: no bulb: dark"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (&bridge.Error{Kind: bridge.KindQuota}).Error(); got != "quota" {
		t.Errorf("got %q", got)
	}
}

// TestMessageRoundTrip makes sure that a stored message comes back whole, or
// its answer would go nowhere after a restart.
func TestMessageRoundTrip(t *testing.T) {
	t.Parallel()
	in := bridge.Message{
		ID: "m1", Bot: "b", Platform: "p", Chat: bridge.Chat{ID: "c", Kind: bridge.Group, Title: "团队"},
		Sender: bridge.Sender{ID: "u", Tenant: "t", Name: "张伟"}, SentAt: time.Unix(1, 0).UTC(), Text: "你好",
		Files:   []bridge.File{{Kind: bridge.FileImage, ID: "f", Size: 3}},
		Address: bridge.Address{Bot: "b", Chat: "c", Kind: bridge.Group, User: "u", Data: json.RawMessage(`{"card":"x"}`), Expires: time.Unix(9, 0).UTC(), Key: "k"},
	}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out bridge.Message
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	if a, b := fmt.Sprintf("%+v", in), fmt.Sprintf("%+v", out); a != b {
		t.Errorf("\n in %s\nout %s", a, b)
	}
}
