package tunnel_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/tunnel"
)

func unopened(t *testing.T) *tunnel.Tunnel {
	t.Helper()
	return unopenedTo(t, http.NotFoundHandler())
}

// unopenedTo is a tunnel that leads to a door and is not running.
func unopenedTo(t *testing.T, door http.Handler) *tunnel.Tunnel {
	t.Helper()
	h, err := tunnel.New(tunnel.Config{Kind: tunnel.KindNgrok, Domain: domain, Token: bridge.NewSecret(token)}, door,
		slog.New(slog.DiscardHandler), tunnel.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestCodes: what somebody has to mend here is not asked again by itself, what is
// mended elsewhere is asked now and then, and the service's own trouble soon
// (https://ngrok.com/docs/errors).
func TestCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		kind  bridge.Kind
		retry tunnel.Retry
		codes string
	}{
		{"token", bridge.KindCredential, tunnel.RetryNever, "105 106 107 300"},
		{"account", bridge.KindForbidden, tunnel.RetryLater, "102 103 336 337 338"},
		{"email", bridge.KindForbidden, tunnel.RetryLater, "123"},
		{"sessions", bridge.KindQuota, tunnel.RetryLater, "108 348"},
		{"endpoints", bridge.KindQuota, tunnel.RetryLater, "323 324 350 352"},
		{"pace", bridge.KindRateLimited, tunnel.RetryLater, "349 351 353"},
		{"ip", bridge.KindForbidden, tunnel.RetryLater, "115 116 127"},
		{"ingress", bridge.KindForbidden, tunnel.RetryLater, "118 122 126"},
		{"version", bridge.KindUnsupported, tunnel.RetryNever, "119 120 121"},
		{"protocol", bridge.KindUnsupported, tunnel.RetryNever, "109 124 125 301"},
		{"heartbeat", bridge.KindInvalid, tunnel.RetryNow, "111 112"},
		{"domain_taken", bridge.KindForbidden, tunnel.RetryLater, "334 6030"},
		{"domain_foreign", bridge.KindForbidden, tunnel.RetryLater, "309 316 320"},
		{"domain_unreserved", bridge.KindForbidden, tunnel.RetryLater, "318 319 321 354"},
		{"domain_plan", bridge.KindForbidden, tunnel.RetryLater, "305 306 313 314 315"},
		{"domain_invalid", bridge.KindInvalid, tunnel.RetryNever, "326 327 328 329 330 331 347 355"},
		{"other", bridge.KindUnavailable, tunnel.RetrySoon, "1 104 9999"},
	} {
		for _, code := range strings.Fields(c.codes) {
			h := unopened(t)
			for _, text := range []string{"No.\r\n\r\nERR_NGROK_" + code + "\r\n", "see https://ngrok.com/docs/errors/err_ngrok_" + code + "."} {
				if c.name == "heartbeat" { // of which the second is another matter
					h = unopened(t)
				}
				err, again := h.Classify(errors.New(text))
				if err.Code != c.name || err.Kind != c.kind || again != c.retry || err.Args["ngrok"] != "ERR_NGROK_"+code || err.Args["domain"] != domain {
					t.Errorf("%s: %+v, again: %d", code, err, again)
				}
			}
		}
	}
}

// TestSlowHeartbeatRefused: when the usual heartbeat is refused as well, it is not
// asked for again at once, and again, and again.
func TestSlowHeartbeatRefused(t *testing.T) {
	t.Parallel()
	h := unopened(t)
	no := errors.New("The heartbeat interval you specified is not valid. ERR_NGROK_111")
	for n, want := range []tunnel.Retry{tunnel.RetryNow, tunnel.RetryLater, tunnel.RetryLater} {
		if err, again := h.Classify(no); err.Code != "heartbeat" || again != want {
			t.Errorf("refusal %d: %v, again: %d", n, err, again)
		}
	}
}

// TestTakeover: soon after we were online a domain that is taken is our own; before
// that, and some minutes later, it is not.
func TestTakeover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := unopened(t)
		taken := func(when string, want tunnel.Retry) {
			if err, again := h.Classify(errors.New("The endpoint is already online. ERR_NGROK_334")); err.Code != "domain_taken" || again != want {
				t.Errorf("%s: %v, again: %d", when, err, again)
			}
		}
		taken("never online", tunnel.RetryLater)
		h.BeOnline(t.Context())
		time.Sleep(3*time.Minute - time.Second)
		taken("a moment ago", tunnel.RetrySoon)
		time.Sleep(time.Second)
		taken("some minutes ago", tunnel.RetryLater)
	})
}

// TestLongWords: what the service says at length is cut, and its code stays.
func TestLongWords(t *testing.T) {
	t.Parallel()
	err, _ := unopened(t).Classify(errors.New(strings.Repeat("词 "+token+" ", 200) + "\nERR_NGROK_107"))
	if len(err.Detail) > 400 || !strings.HasSuffix(err.Detail, "… ERR_NGROK_107") || strings.Contains(err.Detail, "\n") || strings.Contains(err.Detail, token) {
		t.Errorf("%d bytes: %s", len(err.Detail), err.Detail)
	}
}
