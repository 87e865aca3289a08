package echo_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/agent/echo"
	"switchboard/internal/bridge"
)

type heard struct {
	text         string
	conversation bridge.Conversation
	ended        int
	err          error
}

func ask(ctx context.Context, a bridge.Agent, q bridge.Question) heard {
	var h heard
	for event, err := range a.Ask(ctx, q) {
		if err != nil {
			h.err = err
			continue
		}
		switch e := event.(type) {
		case bridge.Started:
			h.conversation = e.Conversation
		case bridge.TextAdded:
			h.text += e.Text
		case bridge.Ended:
			h.ended++
		}
	}
	return h
}

func TestConversationGoesOn(t *testing.T) {
	t.Parallel()
	a := echo.New(echo.Options{Delay: -1})
	first := ask(t.Context(), a, bridge.Question{Text: "how are you?", Known: map[string]string{bridge.InputPlatform: "wecom"}, Conversation: bridge.Conversation{User: "u"}})
	if first.err != nil || first.ended != 1 || first.conversation.ID == "" || first.conversation.User != "u" {
		t.Fatalf("%+v", first)
	}
	second := ask(t.Context(), a, bridge.Question{Text: "然后呢？", Conversation: first.conversation})
	if second.conversation != first.conversation || !strings.Contains(second.text, "第 2 个问题") || !strings.Contains(second.text, "how are you?") || !strings.Contains(second.text, "企业微信") {
		t.Errorf("%+v", second)
	}
	if other := ask(t.Context(), a, bridge.Question{Text: "hello"}); !strings.Contains(other.text, "question 1 ") {
		t.Errorf("another conversation: %q", other.text)
	}
}

func TestWishes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := echo.New(echo.Options{})
		if h := ask(t.Context(), a, bridge.Question{Text: "!fail"}); bridge.KindOf(h.err) != bridge.KindAgentFailed || h.text != "" {
			t.Errorf("%+v", h)
		}
		if h := ask(t.Context(), a, bridge.Question{Text: "!cut"}); bridge.KindOf(h.err) != bridge.KindInterrupted || h.text == "" || h.ended != 0 {
			t.Errorf("%+v", h)
		}
		if h := ask(t.Context(), a, bridge.Question{Text: "!long 6000"}); len(h.text) < 6000 || len(h.text) > 7000 || h.ended != 1 {
			t.Errorf("%d bytes", len(h.text))
		}
		start := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		if h := ask(ctx, a, bridge.Question{Text: "!slow 60"}); h.err == nil || time.Since(start) != time.Second {
			t.Errorf("stopped after %v: %v", time.Since(start), h.err)
		}
		if h := ask(t.Context(), a, bridge.Question{Text: "x", Run: bridge.Run{Run: "r"}}); bridge.KindOf(h.err) != bridge.KindUnsupported {
			t.Errorf("%+v", h)
		}
	})
}
