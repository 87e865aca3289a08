package tunnel_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/tunnel"
)

// TestSettings: what is wrong with the settings is said with words.
func TestSettings(t *testing.T) {
	t.Parallel()
	key := bridge.NewSecret(token)
	for _, c := range []struct {
		want  string
		cfg   tunnel.Config
		paths []string
	}{
		{"", tunnel.Config{Kind: tunnel.KindNone}, nil},
		{"", tunnel.Config{Kind: tunnel.KindURL, PublicURL: " https://bots.example.com/path/ "}, nil},
		{"", tunnel.Config{Kind: tunnel.KindURL, PublicURL: "http://192.0.2.1:8080"}, nil},
		{"", tunnel.Config{Kind: tunnel.KindNgrok, Token: key}, nil},
		{"", tunnel.Config{Kind: tunnel.KindNgrok, Token: key, Domain: " https://Team.ngrok.app/ "}, nil},
		{"", tunnel.Config{Kind: tunnel.KindNgrok, Token: key}, []string{"/WW_verify_*.txt", "/web/"}},
		{"kind", tunnel.Config{Kind: "frp"}, nil},
		{"kind", tunnel.Config{}, nil},
		{"public_url", tunnel.Config{Kind: tunnel.KindURL}, nil},
		{"public_url", tunnel.Config{Kind: tunnel.KindURL, PublicURL: "bots.example.com"}, nil},
		{"public_url", tunnel.Config{Kind: tunnel.KindURL, PublicURL: "https://a:b@bots.example.com"}, nil},
		{"public_url", tunnel.Config{Kind: tunnel.KindURL, PublicURL: "https://bots.example.com/?x"}, nil},
		{"no_token", tunnel.Config{Kind: tunnel.KindNgrok}, nil},
		{"no_token", tunnel.Config{Kind: tunnel.KindNgrok, Token: bridge.NewSecret(" \n")}, nil},
		{"domain", tunnel.Config{Kind: tunnel.KindNgrok, Token: key, Domain: "team"}, nil},
		{"domain", tunnel.Config{Kind: tunnel.KindNgrok, Token: key, Domain: "http://team.ngrok.app"}, nil},
		{"domain", tunnel.Config{Kind: tunnel.KindNgrok, Token: key, Domain: "team.ngrok.app/hook"}, nil},
		{"path", tunnel.Config{Kind: tunnel.KindNgrok, Token: key}, []string{"web/"}},
		{"path", tunnel.Config{Kind: tunnel.KindNgrok, Token: key}, []string{"/a'b"}},
		{"path", tunnel.Config{Kind: tunnel.KindNgrok, Token: key}, []string{"/a|b"}},
	} {
		h, err := tunnel.New(c.cfg, http.NotFoundHandler(), slog.New(slog.DiscardHandler), tunnel.Options{Paths: c.paths})
		if code, _, _ := trouble(err); code != c.want || (h == nil) != (c.want != "") {
			t.Errorf("%+v %v: got %v", c.cfg, c.paths, err)
		}
		if err != nil {
			told(t, err)
		}
		if strings.Contains(fmt.Sprintf("%+v %#v", c.cfg, h), token) {
			t.Errorf("the token shows")
		}
	}
}

// TestWithoutSession: the kinds that need no connection only wait.
func TestWithoutSession(t *testing.T) {
	t.Parallel()
	for kind, state := range map[tunnel.Kind]tunnel.State{tunnel.KindNone: tunnel.StateOff, tunnel.KindURL: tunnel.StateOnline} {
		h, err := tunnel.New(tunnel.Config{Kind: kind, PublicURL: "https://bots.example.com/"}, http.NotFoundHandler(), slog.New(slog.DiscardHandler), tunnel.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s := h.Status(); s.Kind != kind || s.State != state || (kind == tunnel.KindURL) != (s.URL == "https://bots.example.com") {
			t.Errorf("got %+v", s)
		}
		h.Reconnect() // nothing to do
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- h.Run(ctx) }()
		select {
		case err := <-ended:
			t.Errorf("%s: ended by itself: %v", kind, err)
		default:
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
