package dingtalk

import (
	"bytes"
	"cmp"
	"context"
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
)

// The headers that sign a click on a card (page "Event callbacks").
const (
	headerClick     = "x-ddpaas-signature"
	headerClickTime = "x-ddpaas-signature-timestamp"
)

// Receive implements bridge.Bot.
func (b *bot) Receive(ctx context.Context, req bridge.Request) (bridge.Delivery, error) {
	if probe(req) {
		return bridge.Delivery{}, nil
	}
	if req.Header.Get(headerClick) != "" {
		return b.receiveClick(req)
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
	if err := lately(stamp, req.At); err != nil {
		return err
	}
	if !signed(req.Header.Get("sign"), stamp, b.cfg.secret.Reveal()) {
		return refuse(bridge.KindUnauthenticated, "the signature is wrong")
	}
	return nil
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
		return refuse(bridge.KindForbidden, "the message is for another robot")
	}
	if p.RobotCorpID != "" && b.cfg.corpID != "" && string(p.RobotCorpID) != b.cfg.corpID {
		return refuse(bridge.KindForbidden, "the message is from another company")
	}
	return nil
}

func refuse(kind bridge.Kind, why string) error {
	return &bridge.Error{Kind: kind, Op: "dingtalk: receive", Detail: why}
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
