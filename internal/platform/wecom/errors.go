package wecom

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/webcall"
)

const (
	codeBusy       = "-1"
	codeUntrusted  = "60020" // the caller's address is not a trusted one
	codeInvalid    = "invaliduser"
	codeUnlicensed = "unlicenseduser"
	codeClosed     = "closed"
	codeNoAccount  = "no_account" // no account of customer service has this id
	codeUnmanaged  = "unmanaged"  // the account is not served through the API
	codeNoMedia    = "40007"      // the file is not, or no longer, there
	codeNoType     = "40004"      // not a file of the type it was sent as
)

const (
	// blocked is how long WeCom keeps out a caller that exceeded a limit of a
	// minute (page 90454).
	blocked = time.Minute
	// crowded is how long to wait when too many calls run at once.
	crowded = 2 * time.Second
)

// kindOf translates the codes of page 90313 that an app can meet.
func kindOf(code string) (bridge.Kind, bool) {
	switch code {
	case "40001", "40013", "40014", "40056", "40091", "41001", "42001", "93000", "95011", "95012":
		return bridge.KindCredential, true
	case "43009", "48002", "48006", "48009", "60011", codeUntrusted, "80001", "85005", "93004", "93008", "95003", "95014", "95017", "301002":
		return bridge.KindForbidden, true
	case codeNoType, "40005", "40008", "40058", "44001", "44004", "82001", "95016":
		return bridge.KindInvalid, true
	case "40003", "60111", "81013", "93006", "95000", "95004":
		return bridge.KindNotFound, true
	case codeNoMedia, "95002", "95013", "95018":
		return bridge.KindExpired, true
	case "40006", "40009", "45001", "45002":
		return bridge.KindTooLarge, true
	case "45009", "45033":
		return bridge.KindRateLimited, true
	case "85004", "95001":
		return bridge.KindQuota, true
	case codeBusy:
		return bridge.KindUnavailable, true
	default:
		return "", false
	}
}

// staleToken tells whether a call failed for its token alone.
func staleToken(code string) bool { return code == "40014" || code == "42001" || code == "41001" }

// hasCode tells whether an error has one of these codes.
func hasCode(err error, codes ...string) bool {
	var e *bridge.Error
	return errors.As(err, &e) && slices.Contains(codes, e.Code)
}

// taken says that a message of customer service was refused for its id alone. Ours
// are always well formed, so the id was used: the message has been shown. Page
// 94677 says that this is an error, but not which one.
func taken(err error) bool {
	var e *bridge.Error
	return errors.As(err, &e) && e.Code != "" && !e.Kind.Retryable() && strings.Contains(strings.ToLower(e.Detail), "msgid")
}

// kindOfStatus is for answers that are not WeCom's own.
func kindOfStatus(status int) bridge.Kind {
	switch {
	case status == http.StatusTooManyRequests:
		return bridge.KindRateLimited
	case status >= http.StatusInternalServerError:
		return bridge.KindUnavailable
	case status >= http.StatusMultipleChoices:
		return bridge.KindInvalid // a redirect or a missing page: the address is wrong
	default:
		return bridge.KindUnavailable
	}
}

// trouble finds the error in an answer; nil when there is none. WeCom reports
// its errors inside an HTTP 200.
func trouble(a webcall.Answer, r webcall.Request) *bridge.Error {
	var f failure
	if json.Unmarshal(a.Body, &f) != nil || f.Code == nil {
		return foreign(a, r.Op)
	}
	if *f.Code == 0 {
		return nil
	}
	e := &bridge.Error{Kind: bridge.KindInternal, Op: r.Op, Code: strconv.FormatInt(*f.Code, 10), Detail: webcall.Hide(f.Message, r.Secrets...)}
	if kind, known := kindOf(e.Code); known {
		e.Kind = kind
	}
	// A busy server may have begun all the same.
	e.Uncertain = e.Code == codeBusy
	switch e.Code {
	case "45009":
		e.RetryAfter = max(blocked, webcall.RetryAfter(a.Header))
	case "45033":
		e.RetryAfter = max(crowded, webcall.RetryAfter(a.Header))
	}
	if ip := callerIP(f.Message); ip != "" || e.Code == codeUntrusted {
		e.Args = map[string]string{"ip": cmp.Or(ip, "?")}
	}
	return e
}

// foreign is an answer that is not WeCom's JSON: the page of a gateway, or of
// something in between. Whether the call arrived, nobody knows.
func foreign(a webcall.Answer, op string) *bridge.Error {
	e := &bridge.Error{Kind: kindOfStatus(a.Status), Op: op, Code: strconv.Itoa(a.Status), Detail: "an answer without an errcode"}
	e.Uncertain = a.Status < http.StatusMultipleChoices || a.Status >= http.StatusInternalServerError
	if e.Kind == bridge.KindRateLimited {
		e.RetryAfter = max(blocked, webcall.RetryAfter(a.Header))
	}
	return e
}

// callerIP finds the address that WeCom saw us calling from: "…, from ip:
// 203.0.113.7, more info at …". It is the one to enter as trusted.
func callerIP(words string) string {
	_, after, found := strings.Cut(words, "from ip:")
	if !found {
		return ""
	}
	ip, _, _ := strings.Cut(strings.TrimSpace(after), ",")
	if fields := strings.Fields(ip); len(fields) > 0 {
		ip = fields[0]
	}
	if _, err := netip.ParseAddr(ip); err != nil {
		return ""
	}
	return ip
}

// refused turns the lists of a successful answer into an error: errcode 0 does
// not mean that the member got anything. WeCom writes the names in lower case.
func (s sent) refused(user string) error {
	switch {
	case listed(s.Invalid, user):
		return &bridge.Error{Kind: bridge.KindNotFound, Op: opSend, Code: codeInvalid, Detail: "outside the app's visible range, or unknown"}
	case listed(s.Unlicensed, user):
		return &bridge.Error{Kind: bridge.KindForbidden, Op: opSend, Code: codeUnlicensed, Detail: "the member has no licence for this app"}
	default:
		return nil
	}
}

func listed(names, user string) bool {
	for name := range strings.SplitSeq(names, "|") {
		if strings.EqualFold(strings.TrimSpace(name), user) {
			return true
		}
	}
	return false
}
