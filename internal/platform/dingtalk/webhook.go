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

// Receive implements bridge.Bot.
func (b *bot) Receive(ctx context.Context, req bridge.Request) (bridge.Delivery, error) {
	if probe(req) {
		return bridge.Delivery{}, nil
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

// authenticate checks that a request comes from DingTalk, and lately.
func (b *bot) authenticate(req bridge.Request) error {
	stamp := req.Header.Get("timestamp")
	at, err := strconv.ParseUint(stamp, 10, 63) // unsigned: no "+" and no "-"
	if err != nil {
		return refuse(bridge.KindUnauthenticated, "no timestamp")
	}
	// In milliseconds and without a Duration, which a wild timestamp overflows.
	off := req.At.UnixMilli() - int64(at)
	if off > maxSkew.Milliseconds() || off < -maxSkew.Milliseconds() {
		return refuse(bridge.KindUnauthenticated, "the timestamp is more than an hour off")
	}
	if !signed(req.Header.Get("sign"), stamp, b.cfg.secret.Reveal()) {
		return refuse(bridge.KindUnauthenticated, "the signature is wrong")
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
