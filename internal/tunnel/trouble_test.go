package tunnel_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/tunnel"
	"switchboard/internal/tunnel/tunneltest"
)

// The service repeats the token in this answer.
const invalidToken = "The authtoken you specified is properly formed, but it is invalid.\nYour authtoken: " + token +
	"\nThis usually happens when:\n  - You reset your authtoken"

// TestRefused: what lasts is recognised at the first answer, shown with words,
// and not asked again.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, text string
		bind       bool
		name       string
		kind       bridge.Kind
		again      bool // some minutes later, by itself
	}{
		{"ERR_NGROK_107", invalidToken, false, "token", bridge.KindCredential, false},
		{"ERR_NGROK_105", "The authtoken you specified does not look like a proper ngrok tunnel authtoken.\nYour authtoken: " + token, false, "token", bridge.KindCredential, false},
		{"ERR_NGROK_103", "The account team has been suspended.", false, "account", bridge.KindForbidden, true},
		{"ERR_NGROK_123", "The account may not start a session until the admin's email address is verified.", false, "email", bridge.KindForbidden, true},
		{"ERR_NGROK_108", "Your account is limited to 3 simultaneous ngrok agent sessions.", false, "sessions", bridge.KindQuota, true},
		{"ERR_NGROK_115", "Your IP 192.0.2.1 does not match.", false, "ip", bridge.KindForbidden, true},
		{"ERR_NGROK_121", "Your agent version is too old.", false, "version", bridge.KindUnsupported, false},
		{"ERR_NGROK_334", "The endpoint is already online.", true, "domain_taken", bridge.KindForbidden, true},
		{"ERR_NGROK_320", "This domain is reserved for another account.", true, "domain_foreign", bridge.KindForbidden, true},
		{"ERR_NGROK_319", "You must reserve a custom hostname.", true, "domain_unreserved", bridge.KindForbidden, true},
		{"ERR_NGROK_313", "Custom subdomains are a feature on ngrok's paid plans.", true, "domain_plan", bridge.KindForbidden, true},
		{"ERR_NGROK_324", "Your account may not run more than 3 endpoints.", true, "endpoints", bridge.KindQuota, true},
		{"ERR_NGROK_331", "This TLD is not reachable.", true, "domain_invalid", bridge.KindInvalid, false},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			edge := tunneltest.New(t)
			refused := tunneltest.Refusal{Code: c.code, Text: c.text}
			if c.bind {
				edge.RefuseBind(refused)
			} else {
				edge.Refuse(refused)
			}
			h := open(t, edge, http.NotFoundHandler())
			s := h.awaitState(t, tunnel.StateDown)
			if name, ngrok, kind := trouble(s.Err); name != c.name || ngrok != c.code || kind != c.kind {
				t.Errorf("got %s %s %s", name, ngrok, kind)
			}
			if s.Retry.IsZero() == c.again {
				t.Errorf("tries again at %v", s.Retry)
			}
			told(t, s.Err)
			if n := len(edge.Auths()); n != 1 {
				t.Errorf("asked %d times", n)
			}
			// Down is not the end: asked to, it tries again.
			h.Reconnect()
			h.awaitState(t, tunnel.StateOnline)
		})
	}
}

// told wants words of its own in both languages for an error, with a next step,
// and no token anywhere.
func told(t *testing.T, err error) {
	t.Helper()
	var e *bridge.Error
	if !errors.As(err, &e) {
		t.Errorf("%T is not ours", err)
		return
	}
	general := []string{}
	for _, lang := range []bridge.Language{bridge.English, bridge.Chinese} {
		for _, kind := range bridge.Kinds() {
			general = append(general, i18n.Explain(lang, &bridge.Error{Kind: kind}).What)
		}
		x := i18n.Explain(lang, err)
		if x.Next == "" || slices.Contains(general, x.What) || strings.ContainsAny(x.String(), "{}") {
			t.Errorf("%s: %s has no words: %q", lang, e.Code, x)
		}
		if strings.Contains(x.String(), token) {
			t.Errorf("%s: the token is shown: %q", lang, x)
		}
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the token is in the error: %v", err)
	}
}

// TestEveryCodeHasWords goes through all codes of errors and findings.
func TestEveryCodeHasWords(t *testing.T) {
	t.Parallel()
	for _, code := range strings.Fields(`
		no_token public_url domain kind path
		token account email sessions endpoints pace ip ingress version protocol heartbeat
		domain_taken domain_foreign domain_unreserved domain_plan domain_invalid other
		stopped dropped unreachable intercepted proxy
		state_off state_starting state_reconnecting state_down
		loop_failed loop_foreign loop_redirect loop_path loop_guarded loop_gateway loop_other loop_dns loop_certificate loop_timeout
		page_browser page_offline page_quota page_pace page_gateway page_other`) {
		args := map[string]string{"ngrok": "ERR_NGROK_1", "domain": "d", "url": "u", "value": "v"}
		told(t, &bridge.Error{Kind: bridge.KindInvalid, Op: "tunnel: x", Code: code, Detail: "d", Args: args})
	}
	for _, code := range []string{"online", "loop", "browser"} {
		for _, key := range []string{"finding.tunnel." + code, "finding.tunnel." + code + ".next"} {
			if _, ok := i18n.Find(bridge.English, key); !ok {
				t.Errorf("no words for %s", key)
			}
		}
	}
}

// TestTakenByOurselves: right after we were online the service may still hold
// our domain for the connection that is gone.
func TestTakenByOurselves(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	h := open(t, edge, http.NotFoundHandler())
	h.awaitState(t, tunnel.StateOnline)
	edge.RefuseBind(tunneltest.Refusal{Code: "ERR_NGROK_334", Text: "The endpoint is already online."})
	edge.Drop()
	s := h.await(t, "refused", func(s tunnel.Status) bool { code, _, _ := trouble(s.Err); return code == "domain_taken" })
	if s.State != tunnel.StateReconnecting {
		t.Errorf("got %+v", s)
	}
	if s := h.awaitState(t, tunnel.StateOnline); s.URL != address {
		t.Errorf("got %+v", s)
	}
}

// TestTakenByOthers: two tunnels without pooling cannot share a domain.
func TestTakenByOthers(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	first := open(t, edge, echo("first"))
	first.awaitState(t, tunnel.StateOnline)
	second := open(t, edge, echo("second"), pooling)
	s := second.awaitState(t, tunnel.StateDown)
	if code, _, _ := trouble(s.Err); code != "domain_taken" {
		t.Errorf("got %v", s.Err)
	}
	if _, text := post(t, edge, address+"/hook/b1", ""); !strings.HasPrefix(text, "first") {
		t.Errorf("answered by %q", text)
	}
}

// TestRevokedWhileOnline: a token that is refused at a reconnect ends it.
func TestRevokedWhileOnline(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	h := open(t, edge, http.NotFoundHandler())
	h.awaitState(t, tunnel.StateOnline)
	edge.Refuse(tunneltest.Refusal{Code: "ERR_NGROK_107", Text: invalidToken})
	edge.Drop()
	s := h.awaitState(t, tunnel.StateDown)
	if code, _, kind := trouble(s.Err); code != "token" || kind != bridge.KindCredential {
		t.Errorf("got %v", s.Err)
	}
	told(t, s.Err)
	if n := len(edge.Auths()); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

// TestUnreachable: an address where nobody listens, and one that is somebody
// else.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	edge := tunneltest.New(t)
	for name, o := range map[string]option{
		"unreachable": func(_ *tunnel.Config, o *tunnel.Options) { o.Server = "127.0.0.1:1" },
		"intercepted": func(_ *tunnel.Config, o *tunnel.Options) { o.CAs = nil }, // checked with the real service's
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, edge, http.NotFoundHandler(), o)
			s := h.await(t, "in trouble", func(s tunnel.Status) bool { return s.Err != nil })
			if code, _, kind := trouble(s.Err); code != name || kind != bridge.KindUnavailable || s.State != tunnel.StateStarting {
				t.Errorf("got %+v", s)
			}
			told(t, s.Err)
		})
	}
}
