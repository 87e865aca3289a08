package tunnel

import (
	"errors"
	"net"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// Where errors come from; what stands before the colon finds their words.
const (
	opSettings = "tunnel: settings"
	opConnect  = "tunnel: connect"
	opProve    = "tunnel: prove"
)

// retry says whether and when to try again.
type retry int

const (
	retrySoon  retry = iota // by itself, with growing pauses
	retryNow                // without a pause
	retryLater              // with long pauses: somebody has to change something elsewhere
	retryNever              // only when asked to: it would be refused again
)

// trouble is why a session ended.
type trouble struct {
	err   *bridge.Error
	retry retry
}

const (
	codePrefix = "ERR_NGROK_"
	maxDetail  = 300
	// takeover is how long after we were online ourselves the service may
	// still believe that our domain is in use.
	takeover = 3 * time.Minute
)

// classify says what an error of the SDK means. The token is taken out of it.
func (t *Tunnel) classify(err error) trouble {
	var own *bridge.Error
	if errors.As(err, &own) {
		return trouble{own, retrySoon}
	}
	text := t.clean(err.Error())
	code := ngrokCode(text)
	if code == "" {
		return trouble{&bridge.Error{Kind: bridge.KindUnavailable, Op: opConnect, Code: network(err, text), Detail: text}, retrySoon}
	}
	name, kind, again := refusal(code)
	t.mu.Lock()
	switch {
	case name == "domain_taken" && time.Since(t.onlineAt) < takeover:
		again = retrySoon // taken by ourselves, a moment ago
	case name == "heartbeat" && t.slow:
		again = retryLater
	case name == "heartbeat":
		t.slow = true
	}
	t.mu.Unlock()
	args := map[string]string{"ngrok": code, "domain": t.cfg.Domain}
	return trouble{&bridge.Error{Kind: kind, Op: opConnect, Code: name, Detail: text, Args: args}, again}
}

// clean makes one line of a text of the service and takes the token out of it:
// the service repeats it in its answer to a wrong one.
func (t *Tunnel) clean(text string) string {
	if token := strings.TrimSpace(t.cfg.Token.Reveal()); token != "" {
		text = strings.ReplaceAll(text, token, t.cfg.Token.String())
	}
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > maxDetail {
		code := ngrokCode(text)
		text = strings.ToValidUTF8(text[:maxDetail], "") + "… " + code
	}
	return strings.TrimSpace(text)
}

// network names an error that is not the service's.
func network(err error, text string) string {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case strings.Contains(text, "x509:"), strings.Contains(text, "tls: failed to verify"):
		return "intercepted"
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return "unreachable"
	default:
		return "dropped"
	}
}

// ngrokCode finds the service's error code in a text. In the address of its
// page it stands in small letters.
func ngrokCode(text string) string {
	_, rest, found := strings.Cut(strings.ToUpper(text), codePrefix)
	if !found {
		return ""
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return ""
	}
	return codePrefix + rest[:end]
}

// refusal says what a code of the service means ("Errors Reference"). A code
// that is not known may be the service's own trouble, so it is tried again.
func refusal(code string) (string, bridge.Kind, retry) {
	switch strings.TrimPrefix(code, codePrefix) {
	case "105", "106", "107", "300":
		return "token", bridge.KindCredential, retryNever
	case "102", "103", "336", "337", "338":
		return "account", bridge.KindForbidden, retryLater
	case "123":
		return "email", bridge.KindForbidden, retryLater
	case "108", "348":
		return "sessions", bridge.KindQuota, retryLater
	case "323", "324", "350", "352":
		return "endpoints", bridge.KindQuota, retryLater
	case "349", "351", "353":
		return "pace", bridge.KindRateLimited, retryLater
	case "115", "116", "127":
		return "ip", bridge.KindForbidden, retryLater
	case "118", "122", "126":
		return "ingress", bridge.KindForbidden, retryLater
	case "119", "120", "121":
		return "version", bridge.KindUnsupported, retryNever
	case "109", "124", "125", "301":
		return "protocol", bridge.KindUnsupported, retryNever
	case "111", "112":
		return "heartbeat", bridge.KindInvalid, retryNow
	case "334", "6030":
		return "domain_taken", bridge.KindForbidden, retryLater
	case "309", "316", "320":
		return "domain_foreign", bridge.KindForbidden, retryLater
	case "318", "319", "321", "354":
		return "domain_unreserved", bridge.KindForbidden, retryLater
	case "305", "306", "313", "314", "315":
		return "domain_plan", bridge.KindForbidden, retryLater
	case "326", "327", "328", "329", "330", "331", "347", "355":
		return "domain_invalid", bridge.KindInvalid, retryNever
	default:
		return "other", bridge.KindUnavailable, retrySoon
	}
}
