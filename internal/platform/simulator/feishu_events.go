package simulator

import (
	"bytes"
	"cmp"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"switchboard/internal/bridge"
)

// message composes the event of one message to the bot.
func (s *feishuServer) message(l Line) delivery {
	at := l.talk()
	text, mentions := l.Text, []map[string]any(nil)
	if l.Group != "" && l.Mention {
		text = "@_user_1 " + text
		mentions = append(mentions, map[string]any{
			"key": "@_user_1", "id": map[string]string{"union_id": made("on_", "the bot"), "user_id": "", "open_id": feishuBotID()},
			"mentioned_type": "bot", "name": feishuBot, "tenant_key": feishuTenant,
		})
	}
	m := &feishuMessage{
		id: s.nextID("om_"), kind: "text", content: encoded(map[string]string{"text": text}), at: at, sender: openID(l.Employee),
		made: s.now(), changed: s.now(), mentions: mentions != nil,
	}
	if l.File != nil {
		m.kind, m.content = s.enclose(m.id, *l.File)
	}
	s.mu.Lock()
	if to, ok := s.messages.get(string(l.Quote)); ok {
		m.parent, m.root = to.id, cmp.Or(to.root, to.id)
	}
	s.messages.put(m.id, m)
	s.mu.Unlock()
	message := map[string]any{
		"message_id": m.id, "create_time": millis(m.made), "update_time": millis(m.made), "chat_id": chatID(at), "chat_type": "p2p",
		"message_type": m.kind, "content": m.content,
	}
	if l.Group != "" {
		message["chat_type"] = "group"
	}
	if m.parent != "" {
		message["parent_id"], message["root_id"] = m.parent, m.root
	}
	if mentions != nil {
		message["mentions"] = mentions
	}
	body := s.event("im.message.receive_v1", millis(m.made), map[string]any{
		"sender": map[string]any{
			"sender_id":   map[string]string{"union_id": unionID(l.Employee), "user_id": feishuUser(l.Employee), "open_id": openID(l.Employee)},
			"sender_type": "user", "tenant_key": feishuTenant,
		},
		"message": message,
	})
	return s.delivery(m.id, body)
}

// event is the envelope of version 2.0.
// The time is in milliseconds for messages and in microseconds for clicks.
func (s *feishuServer) event(kind, at string, event any) []byte {
	return []byte(encoded(map[string]any{
		"schema": "2.0",
		"header": map[string]string{
			"event_id": s.nextID("ev_"), "event_type": kind, "create_time": at, "token": s.verification,
			"app_id": feishuApp, "tenant_key": feishuTenant,
		},
		"event": event,
	}))
}

// challenge is the request that is made when the address is saved.
func (s *feishuServer) challenge() delivery {
	word := random()
	d := s.delivery("", []byte(encoded(map[string]string{"challenge": word, "token": s.verification, "type": "url_verification"})))
	d.good = func(status int, body []byte) bool {
		var answer struct{ Challenge string }
		return status == http.StatusOK && json.Unmarshal(body, &answer) == nil && answer.Challenge == word
	}
	signed := d.make
	d.make = func(hook string) (*http.Request, error) {
		req, err := signed(hook)
		if err == nil { // it is not signed
			for _, name := range []string{"Timestamp", "Nonce"} {
				req.Header.Del("X-Lark-Request-" + name)
			}
			req.Header.Del("X-Lark-Signature")
		}
		return req, err
	}
	return d
}

// delivery wraps an event: encrypted once, and signed for each delivery.
func (s *feishuServer) delivery(id string, plain []byte) delivery {
	body := plain
	if s.encryptKey != "" {
		body = []byte(encoded(map[string]string{"encrypt": feishuEncrypt(plain, s.encryptKey)}))
	}
	return delivery{
		id: bridge.MessageID(id), platform: feishu, bot: feishuName,
		make: func(hook string) (*http.Request, error) {
			req, err := http.NewRequest(http.MethodPost, hook, bytes.NewReader(body)) //nolint:noctx // the caller sets it
			if err != nil {
				return nil, fmt.Errorf("simulator: %w", err)
			}
			req.Header.Set("Content-Type", "application/json; charset=utf-8")
			timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), random()
			req.Header.Set("X-Lark-Request-Timestamp", timestamp)
			req.Header.Set("X-Lark-Request-Nonce", nonce)
			if s.encryptKey != "" {
				req.Header.Set("X-Lark-Signature", feishuSign(timestamp, nonce, s.encryptKey, body))
			}
			return req, nil
		},
		good: func(status int, _ []byte) bool { return status == http.StatusOK },
	}
}

func feishuSign(timestamp, nonce, key string, body []byte) string {
	sum := sha256.Sum256(append([]byte(timestamp+nonce+key), body...))
	return hex.EncodeToString(sum[:])
}

// feishuEncrypt encrypts with AES-256-CBC under the hash of the key; the IV
// stands before the cipher text.
func feishuEncrypt(plain []byte, key string) string {
	iv := make([]byte, aes.BlockSize)
	_, _ = rand.Read(iv) // never fails
	return feishuSeal(plain, key, iv)
}

func feishuSeal(plain []byte, key string, iv []byte) string {
	hash := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(hash[:])
	if err != nil {
		panic(err) // 32 bytes
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(padded, padded)
	return base64.StdEncoding.EncodeToString(append(bytes.Clone(iv), padded...))
}
