package tunnel_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/bridge/bridgetest"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
	"switchboard/internal/webhook"
)

// TestDoor: what a platform posts to the public address reaches the bot, is
// stored, and is answered; and the limits of the door hold behind the tunnel.
func TestDoor(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var stored []bridge.MessageID
	bot := (&bridgetest.Chat{}).Bot()
	door := webhook.New(func(id string) (bridge.Bot, bool) { return bot, id == "b1" },
		func(_ context.Context, id string, d bridge.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			for _, m := range d.Messages {
				stored = append(stored, m.ID)
			}
			return nil
		}, slog.New(slog.DiscardHandler), webhook.Options{})
	h := open(t, tunneltest.New(t), door)
	h.awaitState(t, tunnel.StateOnline)

	body, err := json.Marshal(bridge.Delivery{Messages: []bridge.Message{{ID: "m1"}}, Response: bridge.Response{Body: []byte("success")}})
	if err != nil {
		t.Fatal(err)
	}
	if status, text := post(t, h.edge, address+webhook.Path("b1"), string(body)); status != http.StatusOK || text != "success" {
		t.Errorf("got %d %q", status, text)
	}
	for _, c := range []struct {
		path, body string
		want       int
	}{
		{"/hook/b1", "forged", http.StatusUnauthorized},
		{"/hook/b1", strings.Repeat("x", 1<<20+1), http.StatusRequestEntityTooLarge},
		{"/hook/b1", "panic", http.StatusInternalServerError},
		{"/hook/b2", string(body), http.StatusNotFound},
		{"/admin", "", http.StatusNotFound},
	} {
		if got, _ := post(t, h.edge, address+c.path, c.body); got != c.want {
			t.Errorf("%s: got %d, want %d", c.path, got, c.want)
		}
	}
	if diff := summary(t, h.Prove(t.Context())); len(diff) != 3 || diff[1] != "loop" {
		t.Errorf("got %v", diff)
	}
	h.stop()
	mu.Lock()
	defer mu.Unlock()
	if len(stored) != 1 || stored[0] != "m1" {
		t.Errorf("stored %v", stored)
	}
}
