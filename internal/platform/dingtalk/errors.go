package dingtalk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
	"switchboard/internal/webcall"
)

const (
	// tooFast is how long to wait when calls come too fast.
	tooFast = 1500 * time.Millisecond
	// banned is how long an address that made far too many calls is shut out.
	banned = 5 * time.Minute
	// flowControl is how long to wait for a person who got too many messages.
	flowControl = 30 * time.Second
)

const (
	codeBanned     = "1111"
	codeStaleToken = "InvalidAuthentication"
	codeInvalidIDs = "invalidStaffIdList"
	codeFlowIDs    = "flowControlledStaffIdList"
	codeNoAddress  = "noPublicAddress"
	denied403      = "Forbidden.AccessDenied."
)

// kindOf translates the codes of api.dingtalk.com.
func kindOf(code string) (bridge.Kind, bool) {
	switch code {
	case codeStaleToken, "invalidClientIdOrSecret", "authFailed":
		return bridge.KindCredential, true
	case denied403 + "AccessTokenPermissionDenied", denied403 + "IpNotInWhiteList", "invalidParameter.robotCode.auth",
		"bot.stopped", "chatbotId.notAllow.sendOTO":
		return bridge.KindForbidden, true
	case "resource.not.found", "robot.oto.notExist", "invalidParameter.robotCode.notExsit", "invalid.openConversationId",
		"group.disbanded", "param.stream.outTrackId", codeInvalidIDs:
		return bridge.KindNotFound, true
	case "session.notExisted", "session.expired", "invalidParameter.robotCode.downloadCode":
		return bridge.KindExpired, true
	case denied403 + "QpsLimitForAppkeyAndApi", denied403 + "QpsLimitForApi", denied403 + "QpmLimitForAppkeyAndApi",
		"send.too.fast", codeFlowIDs:
		return bridge.KindRateLimited, true
	case denied403 + "ApiCountLimitForOrg":
		return bridge.KindQuota, true
	case "serviceBusy", "system.busy":
		return bridge.KindUnavailable, true
	case "invalidParameter.msgParam.tooLong", "param.stream.content":
		return bridge.KindTooLarge, true
	case "contain.unsafe.url":
		return bridge.KindBlocked, true
	case "param.templateNotExist", "param.templateUnpublished":
		return bridge.KindUnsupported, true
	default:
		return kindOfFamily(code)
	}
}

// kindOfFamily translates codes that are known by their beginning only.
func kindOfFamily(code string) (bridge.Kind, bool) {
	switch {
	case strings.HasPrefix(code, denied403+"Qp"):
		return bridge.KindRateLimited, true
	case strings.HasPrefix(code, "param.stream.") && ended(code):
		return bridge.KindExpired, true
	case strings.HasPrefix(code, "invalidParameter."), strings.HasPrefix(code, "param."), strings.HasPrefix(code, "miss.param."):
		return bridge.KindInvalid, true
	default:
		return "", false
	}
}

// kindOfOld translates the numbers of oapi.dingtalk.com and the webhooks.
func kindOfOld(code string) (bridge.Kind, bool) {
	switch code {
	case "40001", "40014", "40089", "41001", "42001":
		return bridge.KindCredential, true
	case "43007", "60011", "60020", "50002", "400102", "41028", "41029":
		return bridge.KindForbidden, true
	case "40035", "400002", "400105", "43004", "310000":
		return bridge.KindInvalid, true
	case "33012", "60121", "400013", "400101":
		return bridge.KindNotFound, true
	case "300001", "300005":
		return bridge.KindExpired, true
	case "90002", "90018", "130101", "410100":
		return bridge.KindRateLimited, true
	case "90020", "90030":
		return bridge.KindQuota, true
	case "-1", "15", "88":
		return bridge.KindUnavailable, true
	case "460101":
		return bridge.KindTooLarge, true
	case "430101", "430102", "430103", "430104":
		return bridge.KindBlocked, true
	default:
		return "", false
	}
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

// trouble finds the error in an answer, in whichever of the shapes it has; nil
// when there is none.
func trouble(a webcall.Answer, op string) *bridge.Error {
	var f failure
	object := bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("{")) && decode(a.Body, &f)
	switch {
	case object && f.Status == "1111" || !object && bytes.Contains(a.Body, []byte(`"status":1111`)):
		return ban(op, time.Duration(number(f.Wait))*time.Minute)
	case object && f.ErrCode != nil && *f.ErrCode != "0":
		return oldTrouble(a, op, f)
	case object && a.Status < http.StatusMultipleChoices:
		if _, known := kindOf(string(f.Code)); known {
			return newTrouble(a, op, f)
		}
		return nil
	case object:
		return newTrouble(a, op, f)
	default:
		return foreign(a, op)
	}
}

func ban(op string, wait time.Duration) *bridge.Error {
	if wait <= 0 || wait > time.Hour {
		wait = banned
	}
	return &bridge.Error{
		Kind: bridge.KindRateLimited, Op: op, Code: codeBanned, Detail: "too many calls from this address", RetryAfter: wait,
	}
}

func newTrouble(a webcall.Answer, op string, f failure) *bridge.Error {
	e := &bridge.Error{Op: op, Code: string(f.Code), Detail: detail(f.Message, f.RequestID)}
	kind, known := kindOf(e.Code)
	if !known {
		kind = kindOfStatus(a.Status)
	}
	e.Kind = kind
	if kind == bridge.KindInvalid && op == opStream && ended(e.Detail) {
		e.Kind = bridge.KindExpired
	}
	// The gateway gives up after three seconds; what is behind it may go on.
	e.Uncertain = !known && a.Status >= http.StatusInternalServerError && a.Status != http.StatusServiceUnavailable
	return finish(a, e, f)
}

// ended recognises the refusal to change a card that was finished. The pages
// list no code for it.
func ended(words string) bool {
	return strings.Contains(strings.ToLower(words), "finali")
}

func oldTrouble(a webcall.Answer, op string, f failure) *bridge.Error {
	code, words := *f.ErrCode, f.ErrMsg
	if _, known := kindOfOld(string(f.SubCode)); known && code == "88" {
		code, words = f.SubCode, f.SubMsg // 88 says only that there is another code
	}
	e := &bridge.Error{Op: op, Code: string(code), Detail: detail(words, f.RequestID), Kind: bridge.KindInternal}
	if kind, known := kindOfOld(e.Code); known {
		e.Kind = kind
	} else if lostSession(string(words)) {
		e.Kind = bridge.KindExpired
	}
	e.Uncertain = e.Code == "15" || e.Code == "88"
	return finish(a, e, f)
}

// lostSession recognises a session webhook that ended by the words alone.
func lostSession(words string) bool {
	for _, sign := range []string{"session 不存在", "session.notExisted", "session.expired"} {
		if strings.Contains(words, sign) {
			return true
		}
	}
	return false
}

// finish adds what the words for people need, and how long to wait.
func finish(a webcall.Answer, e *bridge.Error, f failure) *bridge.Error {
	if e.Kind == bridge.KindRateLimited {
		e.RetryAfter = cmp.Or(webcall.RetryAfter(a.Header), tooFast)
	}
	if len(f.Denied.Scopes) > 0 || e.Code == denied403+"AccessTokenPermissionDenied" {
		e.Args = map[string]string{"scope": cmp.Or(strings.Join(f.Denied.Scopes, ", "), "?")}
	}
	if e.Code == denied403+"IpNotInWhiteList" || e.Code == "60020" {
		e.Args = map[string]string{"ip": cmp.Or(address(e.Detail), "?")}
	}
	return e
}

// foreign is an answer that is not DingTalk's JSON: its gateway's page for
// callers that are too busy, or the page of something in between.
func foreign(a webcall.Answer, op string) *bridge.Error {
	e := &bridge.Error{Op: op, Code: strconv.Itoa(a.Status), Detail: "an answer that is not JSON"}
	switch {
	case a.Status >= http.StatusInternalServerError:
		e.Kind, e.Uncertain = bridge.KindUnavailable, a.Status != http.StatusServiceUnavailable
	case a.Status >= http.StatusMultipleChoices && a.Status != http.StatusForbidden && a.Status != http.StatusTooManyRequests:
		e.Kind = bridge.KindInvalid // a redirect or a missing page: the address is wrong
	default:
		e.Kind, e.RetryAfter = bridge.KindRateLimited, banned
	}
	return e
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
func detail(words, request loose) string {
	if request == "" {
		return string(words)
	}
	return "requestid " + prose.Label(string(request)) + ": " + string(words)
}

// idsRefused turns the two lists in a successful answer into an error.
func (s robotSent) idsRefused(op string) error {
	switch {
	case len(s.Invalid) > 0:
		return &bridge.Error{Kind: bridge.KindNotFound, Op: op, Code: codeInvalidIDs, Detail: "the person cannot be reached by this robot"}
	case len(s.FlowControlled) > 0:
		return &bridge.Error{Kind: bridge.KindRateLimited, Op: op, Code: codeFlowIDs, RetryAfter: flowControl}
	default:
		return nil
	}
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
