package wecom

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the platform's signature
	"crypto/subtle"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/prose"
)

// Receive implements bridge.Bot.
func (b *bot) Receive(_ context.Context, req bridge.Request) (bridge.Delivery, error) {
	return b.cfg.receive(req, func(p push, at time.Time) bridge.Delivery {
		d := b.deliver(p, at)
		if len(d.Actions) == 1 && d.Actions[0].Kind == bridge.ActionButton {
			d.Response = b.cfg.choose(p, req)
		}
		return d
	})
}

// receive takes a request to a callback; read makes something of what it pushes.
func (c config) receive(req bridge.Request, read func(push, time.Time) bridge.Delivery) (bridge.Delivery, error) {
	switch req.Method {
	case http.MethodGet:
		return c.prove(req)
	case http.MethodPost:
		return c.open(req, read)
	default:
		return bridge.Delivery{}, refuse(bridge.KindInvalid, "neither a GET nor a POST request")
	}
}

// prove answers the request that the console makes when an address is saved.
// The answer has to be the decrypted echo and not one byte more.
func (c config) prove(req bridge.Request) (bridge.Delivery, error) {
	echo := req.Query.Get("echostr")
	if !c.genuine(req, echo) {
		return bridge.Delivery{}, refuse(bridge.KindUnauthenticated, "the signature is wrong")
	}
	plain, receiver, err := decrypt(c.aesKey, echo)
	if err != nil {
		return bridge.Delivery{}, refuse(bridge.KindInvalid, "the echo does not decrypt with this aes_key: "+err.Error())
	}
	if !c.ours(receiver) {
		return bridge.Delivery{}, refuse(bridge.KindForbidden, "the echo is for another company")
	}
	return bridge.Delivery{Response: bridge.Response{Type: "text/plain", Body: plain}, Note: "the callback address was checked"}, nil
}

// open reads a message or an event. The answer is empty, but for a click: what is
// to be said follows as a message of its own.
func (c config) open(req bridge.Request, read func(push, time.Time) bridge.Delivery) (bridge.Delivery, error) {
	var e envelope
	if !readXML(req.Body, &e) || e.Encrypt == "" {
		return bridge.Delivery{}, refuse(bridge.KindUnauthenticated, "no envelope, so nothing that is signed")
	}
	ciphertext := strings.TrimSpace(e.Encrypt)
	if !c.genuine(req, ciphertext) {
		return bridge.Delivery{}, c.unproven(req.Query, e, ciphertext)
	}
	plain, receiver, err := decrypt(c.aesKey, ciphertext)
	if err != nil {
		d := suspect("a message that does not decrypt with this aes_key: " + err.Error())
		d.Why = c.doubt(bridge.KindInvalid, keyAESKey, err.Error())
		return d, nil // genuine, so it is accepted
	}
	if !c.ours(receiver) {
		return bridge.Delivery{}, c.doubt(bridge.KindForbidden, keyCorpID, "the message is for another company")
	}
	var p push
	if !readXML(tidy(plain), &p) {
		return suspect("a message that is not the XML we know"), nil
	}
	if !c.ourApp(p.AgentID) {
		return bridge.Delivery{}, c.doubt(bridge.KindForbidden, keyAgentID, "the message is for another app")
	}
	return read(p, req.At), nil
}

// choose answers a click on a button of ours: the card then shows what was chosen,
// and nothing more to click (page 90241). Other cards stay as they are.
func (c config) choose(p push, req bridge.Request) bridge.Response {
	_, words := readKey(p.EventKey)
	if words == "" {
		return bridge.Response{}
	}
	text := func(s string) verbatim { return verbatim{s} }
	plain, err := xml.Marshal(chosen{
		To: text(strings.TrimSpace(p.FromUser)), From: text(c.corpID), Time: req.At.Unix(), Type: text("update_button"), Name: text("✓ " + words),
	})
	if err != nil {
		return bridge.Response{} // a click counts all the same
	}
	random := make([]byte, randomLen)
	_, _ = rand.Read(random) // never fails
	ciphertext, err := encrypt(c.aesKey, random, plain, c.corpID)
	if err != nil {
		return bridge.Response{}
	}
	nonce, at := req.Query.Get("nonce"), req.At.Unix()
	body, err := xml.Marshal(sealed{
		Encrypt: text(ciphertext), Time: at, Nonce: text(nonce),
		Signature: text(sign(c.token.Reveal(), strconv.FormatInt(at, 10), nonce, ciphertext)),
	})
	if err != nil {
		return bridge.Response{}
	}
	return bridge.Response{Type: "text/xml", Body: body}
}

// genuine checks the signature. There is no freshness in it: a repeated request
// is recognised by its message id.
func (c config) genuine(req bridge.Request, ciphertext string) bool {
	q := req.Query
	return signed(q.Get("msg_signature"), c.token.Reveal(), q.Get("timestamp"), q.Get("nonce"), ciphertext)
}

// unproven refuses a message whose signature is wrong. One that our key opens is
// WeCom's, one that is for our company looks like it.
func (c config) unproven(q url.Values, e envelope, ciphertext string) error {
	const why = "the signature is wrong"
	_, receiver, err := decrypt(c.aesKey, ciphertext)
	sum, wrong := hex.DecodeString(q.Get("msg_signature"))
	switch {
	case wrong != nil || len(sum) != sha1.Size || q.Get("timestamp") == "" || q.Get("nonce") == "":
	case err == nil && c.ours(receiver):
		return c.doubt(bridge.KindUnauthenticated, keyToken, why)
	case !errors.Is(err, errBase64) && !errors.Is(err, errBlocks) && strings.TrimSpace(e.To) == c.corpID:
		return c.doubt(bridge.KindUnauthenticated, keyToken, why, keyAESKey)
	}
	return refuse(bridge.KindUnauthenticated, why)
}

// ours compares the company named inside the ciphertext; the one on the envelope
// proves nothing.
func (c config) ours(receiver string) bool {
	return subtle.ConstantTimeCompare([]byte(receiver), []byte(c.corpID)) == 1
}

// ourApp compares the app; some events name none, and an account of customer
// service does not know through which one it is reached.
func (c config) ourApp(agentID string) bool {
	agentID = strings.TrimSpace(agentID)
	n, err := strconv.ParseInt(agentID, 10, 64)
	return agentID == "" || c.agentID == 0 || err == nil && n == c.agentID
}

func refuse(kind bridge.Kind, why string) error {
	return &bridge.Error{Kind: kind, Op: opReceive, Detail: why}
}

// doubt refuses a request that may well be WeCom's, and names the setting that it
// does not fit; or another one.
func (c config) doubt(kind bridge.Kind, field, why string, or ...string) error {
	code := strings.Join(append([]string{"wrong", field}, or...), "_")
	return &bridge.Error{
		Kind: kind, Op: opReceive, Code: code, Detail: why, Likely: true, Args: map[string]string{"bot": c.id, "field": field},
	}
}

// suspect accepts a genuine request that cannot be read: delivering it again
// would not help, but somebody should know.
func suspect(note string) bridge.Delivery { return bridge.Delivery{Note: note, Suspect: true} }

// tidy makes what people typed readable as XML: it forbids some characters that
// keyboards and clipboards know.
func tidy(data []byte) []byte {
	return []byte(prose.Safe(string(data)))
}

const maxDepth = 16 // real messages have 4

// readXML reads a document that is elements and text only; false if it is not.
// Nothing of WeCom's has a document type, an entity, a comment or an instruction;
// in an attacker's hand each of them can make two readers see two different
// things.
func readXML(data []byte, into any) bool {
	return plainXML(data) && xml.Unmarshal(data, into) == nil
}

func plainXML(data []byte) bool {
	d := xml.NewDecoder(bytes.NewReader(data))
	depth, roots := 0, 0
	for {
		token, err := d.Token()
		if err != nil {
			return errors.Is(err, io.EOF) && roots == 1
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				roots++
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && len(bytes.TrimSpace(t)) > 0 {
				return false
			}
		case xml.ProcInst:
			if t.Target != "xml" || roots > 0 {
				return false
			}
		default: // a directive or a comment
			return false
		}
		if depth > maxDepth {
			return false
		}
	}
}
