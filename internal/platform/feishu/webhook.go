package feishu

import (
	"cmp"
	"context"
	"crypto/aes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
	"switchboard/internal/webcall"
)

// typeChallenge is the type of the request that the console makes when the
// address is saved.
const typeChallenge = "url_verification"

// The events that mean something to us.
const (
	eventMessage  = "im.message.receive_v1"
	eventRecalled = "im.message.recalled_v1"
	eventRead     = "im.message.message_read_v1"
	eventClick    = "card.action.trigger"
	eventEntered  = "im.chat.access_event.bot_p2p_chat_entered_v1"
	eventJoined   = "im.chat.member.bot.added_v1"
	eventLeft     = "im.chat.member.bot.deleted_v1"
	eventMenu     = "application.bot.menu_v6"
	// oldMessage is the message event of version 1.
	oldMessage = "message"
)

// Receive implements bridge.Bot.
func (b *bot) Receive(_ context.Context, req bridge.Request) (bridge.Delivery, error) {
	if req.Method != http.MethodPost {
		return bridge.Delivery{}, refuse(bridge.KindInvalid, "not a POST request")
	}
	plain, opened, err := b.open(req.Body)
	var p push
	readable := err == nil && decode(plain, &p)
	authentic := b.signed(req)
	if readable && p.Type == typeChallenge && b.knows(p) && (opened || authentic || b.cfg.encryptKey.Empty()) {
		// The check is the one request that need not be signed.
		return bridge.Delivery{Response: answerJSON(map[string]string{"challenge": p.Challenge}), Note: "the callback address was checked"}, nil
	}
	switch {
	case b.cfg.encryptKey.Empty() && (!readable || !b.knows(p)):
		return bridge.Delivery{}, b.unproven(req, p, opened, keyVerificationToken, "the verification token is wrong")
	case !b.cfg.encryptKey.Empty() && !authentic:
		return bridge.Delivery{}, b.unproven(req, p, opened, keyEncryptKey, "the signature is wrong")
	case err != nil:
		return suspect("an event that does not decrypt: " + err.Error()), nil //nolint:nilerr // genuine, so it is accepted
	case !readable:
		return suspect("a body that is not JSON"), nil
	case p.token() != "" && !b.knows(p): // signed: it knows our key, but not us
		return bridge.Delivery{}, b.doubt(bridge.KindForbidden, keyVerificationToken, "the verification token is another app's")
	}
	return b.read(p, req)
}

// open decrypts a body; one that is not encrypted is returned as it is.
func (b *bot) open(body []byte) (plain []byte, opened bool, err error) {
	var s sealed
	if b.cfg.encryptKey.Empty() || !decode(body, &s) || s.Encrypt == "" {
		return body, false, nil
	}
	plain, err = decrypt(b.cfg.encryptKey.Reveal(), s.Encrypt)
	return plain, err == nil, err
}

// signed checks the signature, which only an app with an encrypt key has. How
// old a request may be is not documented, and the platform delivers for hours;
// a repeated one is recognised by its message.
func (b *bot) signed(req bridge.Request) bool {
	h := req.Header
	return signed(h.Get("X-Lark-Signature"), h.Get("X-Lark-Request-Timestamp"), h.Get("X-Lark-Request-Nonce"), b.cfg.encryptKey.Reveal(), req.Body)
}

// knows compares the verification token, if we have been told one.
func (b *bot) knows(p push) bool {
	return b.cfg.token.Empty() || same(p.token(), b.cfg.token.Reveal())
}

func (p push) token() string { return cmp.Or(p.Token, p.Header.Token) }

// old reads an event of version 1; whatever could be read counts.
func (p push) old() oldEvent {
	var old oldEvent
	if p.Header.Type == "" {
		_ = decode(p.Event, &old)
	}
	return old
}

// unproven refuses a request without a proof. If it is closed with another key than
// ours, or names our app, it looks like Feishu's; the field is the setting that it
// does not fit.
func (b *bot) unproven(req bridge.Request, p push, opened bool, field, why string) error {
	switch {
	case opened: // so the key is right
		return refuse(bridge.KindUnauthenticated, why)
	case closed(req):
		return b.doubt(bridge.KindUnauthenticated, keyEncryptKey, why)
	case cmp.Or(p.Header.AppID, p.old().AppID) == b.cfg.appID:
		return b.doubt(bridge.KindUnauthenticated, field, why)
	default:
		return refuse(bridge.KindUnauthenticated, why)
	}
}

// closed says that a request has the form of an encrypted and signed event.
func closed(req bridge.Request) bool {
	sum, err := hex.DecodeString(req.Header.Get("X-Lark-Signature"))
	if err != nil || len(sum) != sha256.Size || req.Header.Get("X-Lark-Request-Timestamp") == "" || req.Header.Get("X-Lark-Request-Nonce") == "" {
		return false
	}
	var s sealed
	if !decode(req.Body, &s) {
		return false
	}
	data, err := base64.StdEncoding.DecodeString(s.Encrypt)
	return err == nil && len(data) >= 2*aes.BlockSize && len(data)%aes.BlockSize == 0
}

// read turns a genuine event into what it carried.
func (b *bot) read(p push, req bridge.Request) (bridge.Delivery, error) {
	old := p.old()
	if app := cmp.Or(p.Header.AppID, old.AppID); app != "" && app != b.cfg.appID {
		return bridge.Delivery{}, b.doubt(bridge.KindForbidden, keyAppID, "the event is for another app")
	}
	switch p.Header.Type {
	case eventMessage:
		return b.deliver(p, req.At), nil
	case eventClick:
		return b.click(p, req.At), nil
	case eventEntered, eventJoined, eventLeft, eventMenu:
		return b.happened(p, req.At), nil
	case eventRecalled:
		return note("a message was recalled"), nil
	case eventRead:
		return note("a message was read"), nil
	case "":
		return noteOld(old.Type), nil
	default:
		return note("event " + prose.Label(p.Header.Type)), nil
	}
}

// noteOld explains an event of version 1, whose messages the app should not
// have subscribed.
func noteOld(kind string) bridge.Delivery {
	switch kind {
	case oldMessage:
		return suspect("a message event of version 1; subscribe " + eventMessage + " instead")
	case "":
		return suspect("an event without a type")
	default:
		return note("event of version 1 " + prose.Label(kind))
	}
}

func refuse(kind bridge.Kind, why string) error {
	return &bridge.Error{Kind: kind, Op: opReceive, Detail: why}
}

// doubt refuses a request that may well be Feishu's, and names the setting that it
// does not fit.
func (b *bot) doubt(kind bridge.Kind, field, why string) error {
	return &bridge.Error{
		Kind: kind, Op: opReceive, Code: "wrong_" + field, Detail: why, Likely: true, Args: map[string]string{"bot": b.cfg.id, "field": field},
	}
}

// note accepts a genuine request that carries nothing for us.
func note(words string) bridge.Delivery {
	return bridge.Delivery{Response: answerJSON(struct{}{}), Note: words}
}

// suspect accepts a genuine request that cannot be read: Feishu shall not
// deliver it again, but somebody should know.
func suspect(words string) bridge.Delivery {
	d := note(words)
	d.Suspect = true
	return d
}

// answerJSON is an HTTP answer. For events only its status counts; for a click
// an empty object changes nothing in the card.
func answerJSON(v any) bridge.Response {
	body, err := webcall.JSON(v)
	if err != nil {
		body = []byte("{}") // maps of strings always encode
	}
	return bridge.Response{Type: "application/json", Body: body}
}

// decode reads JSON and overlooks fields of an unexpected type.
func decode(data []byte, into any) bool {
	err := json.Unmarshal(data, into)
	var mismatch *json.UnmarshalTypeError
	return err == nil || errors.As(err, &mismatch)
}
