package dingtalk

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

const (
	// maxSkew is how far the timestamp of a request may be off, either way.
	maxSkew = time.Hour
	// quotaSpent is the code of a push without a message in it.
	quotaSpent = "20001"
	// maxLikely is how much of a request is read that is not signed as it should be,
	// to see what it looks like. Messages are a few KiB.
	maxLikely = 64 << 10
)

// The codes of requests that are refused though they look like DingTalk's.
const (
	codeSecret = "wrong_client_secret"
	codeRobot  = "wrong_robot_code"
	codeClock  = "wrong_clock"
)

// The headers that sign a click on a card (page "Event callbacks").
const (
	headerClick     = "x-ddpaas-signature"
	headerClickTime = "x-ddpaas-signature-timestamp"
)

// Receive implements bridge.Bot.
func (b *bot) Receive(ctx context.Context, req bridge.Request) (bridge.Delivery, error) {
	if probe(req) {
		return bridge.Delivery{Unproven: true}, nil
	}
	if req.Header.Get(headerClick) != "" {
		d, err := b.receiveClick(req)
		d.Unproven = err == nil // signed with what was told when the card was made
		return d, err
	}
	if err := b.authenticate(req); err != nil {
		return bridge.Delivery{}, err
	}
	if req.Method != http.MethodPost {
		return bridge.Delivery{}, refuse(bridge.KindInvalid, "not a POST request")
	}
	b.client.pushed()
	var p push
	if !decode(req.Body, &p) {
		return suspect("a body that is not JSON"), nil
	}
	if err := b.addressee(p); err != nil {
		return bridge.Delivery{}, err
	}
	if code := cmp.Or(p.ErrorCode, p.ErrCode); code != "" && code != "0" {
		return suspect(failed(string(code))), nil
	}
	m, r := b.message(ctx, p, req.At)
	if r.note != "" {
		return bridge.Delivery{Response: nothing(), Note: r.note, Suspect: r.suspect}, nil
	}
	return bridge.Delivery{Messages: []bridge.Message{m}, Response: nothing()}, nil
}

// probe recognises the console's test of a new address: nothing at all, and
// not signed. It has to be answered with success.
func probe(req bridge.Request) bool {
	return req.Method == http.MethodPost && len(bytes.TrimSpace(req.Body)) == 0
}

// receiveClick reads a click on a card of ours.
func (b *bot) receiveClick(req bridge.Request) (bridge.Delivery, error) {
	stamp := req.Header.Get(headerClickTime)
	if err := lately(stamp, req.At); err != nil {
		return bridge.Delivery{}, err
	}
	if !clickSigned(req.Header.Get(headerClick), stamp, clickSecret(b.cfg.route(), b.cfg.secret.Reveal())) {
		return bridge.Delivery{}, refuse(bridge.KindUnauthenticated, "the signature of the click is wrong")
	}
	if req.Method != http.MethodPost {
		return bridge.Delivery{}, refuse(bridge.KindInvalid, "not a POST request")
	}
	b.client.pushed()
	var p clickPush
	if !decode(req.Body, &p) {
		return bridge.Delivery{Response: unchanged(), Note: "a click that is not JSON", Suspect: true}, nil
	}
	if p.CorpID != "" && b.cfg.corpID != "" && string(p.CorpID) != b.cfg.corpID {
		return bridge.Delivery{}, refuse(bridge.KindForbidden, "the click is from another company")
	}
	return b.click(p, stamp, req.At), nil
}

// unchanged is the answer that leaves a card as it is.
func unchanged() bridge.Response {
	none := cardData{map[string]string{}}
	body, err := json.Marshal(clickAnswer{none, none, updateByKey{true, true}})
	if err != nil {
		return bridge.Response{} // no values, no error
	}
	return bridge.Response{Type: "application/json", Body: body}
}

// authenticate checks that a request comes from DingTalk, and lately.
func (b *bot) authenticate(req bridge.Request) error {
	stamp := req.Header.Get("timestamp")
	late := lately(stamp, req.At)
	switch genuine := signed(req.Header.Get("sign"), stamp, b.cfg.secret.Reveal()); {
	case late == nil && genuine:
		return nil
	case genuine: // or a copy of an old request
		return b.doubt(bridge.KindUnauthenticated, codeClock, "", "the timestamp is more than an hour off")
	case late != nil:
		return late
	case resembles(req):
		return b.doubt(bridge.KindUnauthenticated, codeSecret, keyClientSecret, "the signature is wrong")
	default:
		return refuse(bridge.KindUnauthenticated, "the signature is wrong")
	}
}

// resembles says that a request has the form of DingTalk's messages, whoever
// signed it.
func resembles(req bridge.Request) bool {
	sum, err := base64.StdEncoding.DecodeString(req.Header.Get("sign"))
	if err != nil || len(sum) != sha256.Size || req.Method != http.MethodPost || len(req.Body) > maxLikely {
		return false
	}
	var p push
	return decode(req.Body, &p) && p.ID != "" && p.ConversationID != "" && cmp.Or(p.SenderID, p.SenderStaffID) != "" && p.Type != ""
}

// lately checks the time of a request.
func lately(stamp string, arrived time.Time) error {
	at, err := strconv.ParseUint(stamp, 10, 63) // unsigned: no "+" and no "-"
	if err != nil {
		return refuse(bridge.KindUnauthenticated, "no timestamp")
	}
	// In milliseconds and without a Duration, which a wild timestamp overflows.
	off := arrived.UnixMilli() - int64(at)
	if off > maxSkew.Milliseconds() || off < -maxSkew.Milliseconds() {
		return refuse(bridge.KindUnauthenticated, "the timestamp is more than an hour off")
	}
	return nil
}

// addressee checks that a message is for this robot. As the signature does not
// cover the body, this catches mistakes rather than attackers.
func (b *bot) addressee(p push) error {
	if p.RobotCode != "" && !b.cfg.ours(string(p.RobotCode)) {
		return b.doubt(bridge.KindForbidden, codeRobot, keyRobotCode, "the message is for another robot")
	}
	if p.RobotCorpID != "" && b.cfg.corpID != "" && string(p.RobotCorpID) != b.cfg.corpID {
		return refuse(bridge.KindForbidden, "the message is from another company")
	}
	return nil
}

func refuse(kind bridge.Kind, why string) error {
	return &bridge.Error{Kind: kind, Op: opReceive, Detail: why}
}

// doubt refuses a request that may well be DingTalk's, and names the setting that
// it does not fit.
func (b *bot) doubt(kind bridge.Kind, code, field, why string) error {
	return &bridge.Error{
		Kind: kind, Op: opReceive, Code: code, Detail: why, Likely: true, Args: map[string]string{"bot": b.cfg.id, "field": field},
	}
}

// nothing is the answer that keeps the robot silent.
func nothing() bridge.Response {
	return bridge.Response{Type: "application/json", Body: []byte(`{"msgtype":"empty"}`)}
}

// suspect accepts a genuine request that cannot be read: DingTalk shall not
// deliver it again, but somebody should know.
func suspect(note string) bridge.Delivery {
	return bridge.Delivery{Response: nothing(), Note: note, Suspect: true}
}

func failed(code string) string {
	if code == quotaSpent {
		return "a message was lost: the company's push quota is used up (code " + quotaSpent + ")"
	}
	return "a push without a message, code " + prose.Label(code)
}

// decode reads JSON and overlooks fields of an unexpected type.
func decode(data []byte, into any) bool {
	err := json.Unmarshal(data, into)
	var mismatch *json.UnmarshalTypeError
	return err == nil || errors.As(err, &mismatch)
}
