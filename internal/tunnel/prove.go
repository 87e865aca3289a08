package tunnel

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// ProofPath is where the self-test is answered. It lies among the webhooks, so
// that whatever lets those through lets it through as well, and no bot can have
// this id.
const ProofPath = hookPrefix + "~proof"

const (
	proofHeader  = "X-Switchboard-Proof"
	foreign      = "another" // the header's value when the key is not ours
	proofTimeout = 10 * time.Second
	proofTries   = 12 // with pooling, until it is our turn
	maxProof     = 64 << 10
	nonceSize    = 16

	plainCaller = "Switchboard self-test"
	// browserCaller is what the callbacks of some platforms look like; the free
	// plan of ngrok shows browsers a page of its own first.
	browserCaller = "Mozilla/4.0"
)

// Proof answers the requests of Prove. The door serves it at ProofPath; the
// tunnel itself already does.
func (t *Tunnel) Proof() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		nonce, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*nonceSize))
		sign, _ := hex.DecodeString(r.Header.Get(proofHeader))
		if err != nil || !hmac.Equal(sign, t.sign("ask", string(nonce))) {
			w.Header().Set(proofHeader, foreign)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, hex.EncodeToString(t.sign("answer", string(nonce)))) // the caller is gone
	})
}

func (t *Tunnel) sign(what, nonce string) []byte {
	h := hmac.New(sha256.New, t.key)
	_, _ = io.WriteString(h, what+"\n"+nonce) // it never fails
	return h.Sum(nil)
}

// Prove sends a signed request to the public address and looks whether it comes
// back to us. The finding is "loop"; with ngrok there are "online" before it
// and "browser" after it: a caller that looks like a browser gets through, too.
// Their words stand under "finding.tunnel.<code>".
func (t *Tunnel) Prove(ctx context.Context) []bridge.Finding {
	status := t.Status()
	args := map[string]string{"url": status.URL}
	if status.State != StateOnline {
		err := status.Err
		if err == nil {
			err = &bridge.Error{Kind: bridge.KindUnavailable, Op: opProve, Code: "state_" + string(status.State)}
		}
		return []bridge.Finding{{Code: "online", Args: args, Err: err}}
	}
	loop := t.find(ctx, "loop", args, plainCaller)
	if t.cfg.Kind != KindNgrok {
		return []bridge.Finding{loop}
	}
	findings := []bridge.Finding{{Code: "online", OK: true, Args: args}, loop}
	if loop.OK {
		findings = append(findings, t.find(ctx, "browser", args, browserCaller))
	}
	return findings
}

func (t *Tunnel) find(ctx context.Context, code string, args map[string]string, caller string) bridge.Finding {
	err := t.prove(ctx, args["url"], caller)
	return bridge.Finding{Code: code, OK: err == nil, Args: args, Err: err}
}

// prove makes one round trip. Under a pooled domain another machine may get
// the request; it is repeated until it is our turn.
func (t *Tunnel) prove(ctx context.Context, base, caller string) error {
	tries := 1
	if t.cfg.Pooling {
		tries = proofTries
	}
	var err error
	for range tries {
		err = t.roundTrip(ctx, base, caller)
		var e *bridge.Error
		if !errors.As(err, &e) || e.Code != "loop_foreign" {
			break
		}
	}
	return err
}

func (t *Tunnel) roundTrip(ctx context.Context, base, caller string) error {
	ctx, cancel := context.WithTimeout(ctx, proofTimeout)
	defer cancel()
	raw := make([]byte, nonceSize)
	_, _ = rand.Read(raw) // it never fails
	nonce := hex.EncodeToString(raw)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+ProofPath, strings.NewReader(nonce))
	if err != nil {
		return t.unproven("loop_failed", bridge.KindInvalid, err.Error(), "")
	}
	r.Header.Set(proofHeader, hex.EncodeToString(t.sign("ask", nonce)))
	r.Header.Set("User-Agent", caller)
	r.Header.Set("Content-Type", "text/plain")
	// #nosec G704 -- the admin's own public address
	answer, err := t.client().Do(r)
	if err != nil {
		return t.unproven(unreached(err), bridge.KindUnavailable, err.Error(), "")
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxProof))
	if err != nil {
		return t.unproven("loop_failed", bridge.KindUnavailable, err.Error(), "")
	}
	if answer.StatusCode == http.StatusOK && hmac.Equal(body, []byte(hex.EncodeToString(t.sign("answer", nonce)))) {
		return nil
	}
	return t.judge(answer, string(body))
}

// client follows no redirects: a platform's POST would not survive them.
func (t *Tunnel) client() *http.Client {
	transport := t.opt.Transport
	if transport == nil {
		transport = &http.Transport{Proxy: t.opt.Proxy, DisableKeepAlives: true, TLSHandshakeTimeout: proofTimeout}
	}
	return &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// judge says what answered instead of us.
func (t *Tunnel) judge(answer *http.Response, body string) error {
	code := ngrokCode(answer.Header.Get("Ngrok-Error-Code"))
	if code == "" && strings.Contains(answer.Header.Get("Content-Type"), "html") {
		code = ngrokCode(body)
	}
	detail := strconv.Itoa(answer.StatusCode) + " " + http.StatusText(answer.StatusCode)
	switch {
	case code != "":
		return t.unproven(page(code), bridge.KindUnavailable, detail, code)
	case answer.Header.Get(proofHeader) == foreign:
		return t.unproven("loop_foreign", bridge.KindInvalid, detail, "")
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return t.unproven("loop_redirect", bridge.KindInvalid, detail, "")
	case answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusMethodNotAllowed:
		return t.unproven("loop_path", bridge.KindNotFound, detail, "")
	case answer.StatusCode == http.StatusUnauthorized, answer.StatusCode == http.StatusForbidden:
		return t.unproven("loop_guarded", bridge.KindForbidden, detail, "")
	case answer.StatusCode >= 500:
		return t.unproven("loop_gateway", bridge.KindUnavailable, detail, "")
	default:
		return t.unproven("loop_other", bridge.KindInvalid, detail, "")
	}
}

// page names a page of ngrok that came instead of our answer.
func page(code string) string {
	switch strings.TrimPrefix(code, codePrefix) {
	case "6024":
		return "page_browser"
	case "3200":
		return "page_offline"
	case "725", "726", "727":
		return "page_quota"
	case "702", "703", "734":
		return "page_pace"
	case "3004", "8012":
		return "page_gateway"
	default:
		return "page_other"
	}
}

// unreached names why the public address could not be reached at all.
func unreached(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "loop_dns"
	case strings.Contains(err.Error(), "x509:"), strings.Contains(err.Error(), "tls:"):
		return "loop_certificate"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "loop_timeout"
	default:
		return "loop_failed"
	}
}

func (t *Tunnel) unproven(code string, kind bridge.Kind, detail, ngrokError string) error {
	args := map[string]string{"url": t.Status().URL, "ngrok": ngrokError}
	return &bridge.Error{Kind: kind, Op: opProve, Code: code, Detail: t.clean(detail), Args: args}
}
