package feishu

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
	"switchboard/internal/prose"
	"switchboard/internal/webcall"
)

const (
	// tooFast is how long to wait when calls come too fast and nobody says how long.
	tooFast = time.Second
)

// The codes that somebody here decides by.
const (
	codeNoScope     = "99991672"
	codeUntrustedIP = "99991401"
	codeQuota       = "99991403"
	codeUnpublished = "212100"
	codeBadCard     = "230099"
	codeSequence    = "300317"
	codeTwice       = "300301" // an element of that id is there already
	codeBusy        = "200810" // a click on the card is being worked on
	codeClosed      = "300309" // the card no longer grows
	codeTimedOut    = "200850" // the same, after ten minutes

	codeNoDepartment = "40004" // the department is not among those that the app may see
)

// kindOf translates the codes of open.feishu.cn.
func kindOf(code string) (bridge.Kind, bool) {
	switch code {
	case "10003", "10014", "10015", "99991543", "99991661", "99991663", "99991664", "99991668", "99991671":
		return bridge.KindCredential, true
	case codeNoScope, "99991679", "230027", codeUntrustedIP, codeUnpublished, "230002", "230006", "230013", "230018",
		"230026", "230035", "230038", "230053", "230075", "300311", "234004", "234009", "234038",
		codeNoDepartment:
		return bridge.KindForbidden, true
	case "99991400", "230020", "11232", "11233", "11247", "230049", codeBusy:
		return bridge.KindRateLimited, true
	case codeQuota:
		return bridge.KindQuota, true
	case "230011", "230110", "231003", "230050", "232009", "230019", "230111", "230029", "200740", "234003", "41050":
		return bridge.KindNotFound, true
	case "230009", "230031", "200750":
		return bridge.KindExpired, true
	case "230025", "200860", "234006", "234037", "300305":
		return bridge.KindTooLarge, true
	case "230022", "230028":
		return bridge.KindBlocked, true
	case "231203", "234011", "234039", "234043", "300303":
		return bridge.KindUnsupported, true
	case codeSequence, codeClosed, codeTimedOut, "200220", "300120", "300121", "300122":
		return bridge.KindUnavailable, true
	case "230001", "230017", "230034", "230054", "230055", "230071", "230072", "99992351", "99992354", "99992361", "99992402", "234010":
		return bridge.KindInvalid, true
	default:
		return bridge.KindInvalid, aboutCard(code)
	}
}

// aboutCard tells whether a code means that a card is not written as it should
// be: the code for all cards in messages, and the families of six digits.
func aboutCard(code string) bool {
	return code == codeBadCard || code == "10002" || len(code) == 6 && (strings.HasPrefix(code, "200") || strings.HasPrefix(code, "300"))
}

// kindOfStatus is the last resort.
func kindOfStatus(status int) bridge.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return bridge.KindCredential
	case status == http.StatusForbidden:
		return bridge.KindForbidden
	case status == http.StatusNotFound:
		return bridge.KindNotFound
	case status == http.StatusRequestEntityTooLarge:
		return bridge.KindTooLarge
	case status == http.StatusTooManyRequests:
		return bridge.KindRateLimited
	case status >= http.StatusInternalServerError:
		return bridge.KindUnavailable
	case status >= http.StatusMultipleChoices:
		return bridge.KindInvalid
	default:
		return bridge.KindInternal
	}
}

// staleToken tells whether a call failed for its token alone.
func staleToken(code string) bool {
	return code == "99991661" || code == "99991663" || code == "99991664" || code == "99991671"
}

// trouble finds the error in an answer; nil when there is none. The code has
// the last word: a 429 may mean "in a second" or "next month".
func trouble(got webcall.Answer, made webcall.Request) *bridge.Error {
	var f failure
	if !decode(got.Body, &f) || f.Code == nil || *f.Code == "" {
		return foreign(got, made.Op)
	}
	if *f.Code == "0" && got.Status < http.StatusMultipleChoices {
		return nil
	}
	e := &bridge.Error{Op: made.Op, Code: prose.Label(string(*f.Code)), Detail: webcall.Hide(detail(f.Msg, cmp.Or(f.Error.LogID, got.Header.Get("X-Tt-Logid"))), made.Secrets...)}
	kind, known := kindOf(e.Code)
	if !known {
		kind = kindOfStatus(got.Status)
	}
	e.Kind = sharpen(kind, f.Msg)
	e.Uncertain = e.Code == "230049" || !known && got.Status >= http.StatusInternalServerError
	if e.Kind == bridge.KindRateLimited {
		e.RetryAfter = wait(got.Header)
	}
	switch e.Code {
	case codeNoScope, "99991679", "230027":
		var scopes []string
		for _, v := range f.Error.Violations {
			scopes = append(scopes, prose.OneLine(v.Subject))
		}
		e.Args = map[string]string{"scope": strings.Join(scopes, ",")}
	case codeUntrustedIP:
		e.Args = map[string]string{"ip": cmp.Or(address(f.Msg), "?")}
	}
	return e
}

// sharpen looks for the code inside the words, where a card was refused.
func sharpen(kind bridge.Kind, words string) bridge.Kind {
	_, after, found := strings.Cut(words, "ErrCode:")
	if kind != bridge.KindInvalid || !found {
		return kind
	}
	inner := strings.TrimSpace(after)
	if i := strings.IndexFunc(inner, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		inner = inner[:i]
	}
	if inner == "200860" { // the others all mean that the card is not a good one
		return bridge.KindTooLarge
	}
	return kind
}

// foreign is an answer that is not Feishu's JSON: the page of a gateway, or of
// something in between. Whether the call arrived, nobody knows.
func foreign(got webcall.Answer, op string) *bridge.Error {
	e := &bridge.Error{Kind: kindOfStatus(got.Status), Op: op, Code: strconv.Itoa(got.Status), Detail: "an answer without a code"}
	switch {
	case got.Status < http.StatusMultipleChoices:
		e.Kind, e.Uncertain = bridge.KindUnavailable, true
	case got.Status >= http.StatusInternalServerError:
		e.Uncertain = true
	case e.Kind == bridge.KindRateLimited:
		e.RetryAfter = wait(got.Header)
	case e.Kind != bridge.KindTooLarge:
		e.Kind = bridge.KindInvalid // a redirect, a log-in page or a missing page: the address is wrong
	}
	return e
}

// wait reads how long to wait, in either of two headers.
func wait(h http.Header) time.Duration {
	reset := http.Header{"Retry-After": h.Values("X-Ogw-Ratelimit-Reset")}
	return max(webcall.RetryAfter(reset), webcall.RetryAfter(h), tooFast)
}

// address finds the IP address that a message speaks of.
func address(words string) string {
	fields := strings.FieldsFunc(words, func(r rune) bool {
		hex := r >= '0' && r <= '9' || r >= 'a' && r <= 'f' || r >= 'A' && r <= 'F'
		return !hex && r != '.' && r != ':'
	})
	for _, field := range fields {
		field = strings.Trim(field, ".:")
		if _, err := netip.ParseAddr(field); err == nil {
			return field
		}
	}
	return ""
}

// detail is the other side's words, with the id its support asks for.
func detail(words, log string) string {
	if log == "" {
		return words
	}
	return "log_id " + prose.Label(log) + ": " + words
}

// badCard tells whether a message was refused for the way it is written, so
// that a simpler one may be taken.
func badCard(err error) bool {
	e := asError(err)
	return e != nil && e.Kind == bridge.KindInvalid && aboutCard(e.Code)
}

// gone tells whether the message that was to be answered is no longer there.
func gone(err error) bool {
	return hasCode(err, "230011", "230110", "230111", "230050", "230019", "99992354")
}

// hasCode tells whether an error has one of these codes.
func hasCode(err error, codes ...string) bool {
	e := asError(err)
	return e != nil && slices.Contains(codes, e.Code)
}

// transient tells whether an error says nothing about the settings.
func transient(err error) bool {
	kind := bridge.KindOf(err)
	return kind == bridge.KindCanceled || kind.Retryable()
}

func asError(err error) *bridge.Error {
	var e *bridge.Error
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// finding is one result of a check.
func finding(code string, err error) bridge.Finding {
	f := bridge.Finding{Code: code, OK: err == nil, Err: err}
	if e := asError(err); e != nil {
		f.Args = e.Args
	}
	return f
}

// parseObject reads the JSON of a good answer.
func parseObject(op string, body []byte, into any) error {
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Detail: "an answer of an unexpected form", Uncertain: true}
	}
	return nil
}
