package simulator

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the platform's own signature
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

// message composes the callback for one message.
func (s *wecomServer) message(l Line) delivery {
	id := s.next()
	content := "<MsgType><![CDATA[text]]></MsgType><Content>" + cdata(l.Text) + "</Content>"
	if l.File != nil {
		kind, file := s.enclose(*l.File)
		content = fmt.Sprintf("<MsgType>%s</MsgType><MediaId>%s</MediaId><Format>amr</Format><FileName>%s</FileName>", kind, file, cdata(l.File.Name))
	}
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"%s<MsgId>%d</MsgId><AgentID>%d</AgentID></xml>", corpID, wecomUser(l.Employee), s.now().Unix(), content, id, agentID)
	return delivery{
		id: bridge.MessageID(strconv.FormatInt(id, 10)), platform: wecom, bot: corpName,
		make: func(hook string) (*http.Request, error) {
			return s.request(hook, s.encrypt([]byte(inner)))
		},
		good: func(status int, body []byte) bool { return status == http.StatusOK && len(body) == 0 },
	}
}

func cdata(text string) string {
	return "<![CDATA[" + strings.ReplaceAll(text, "]]>", "]]]]><![CDATA[>") + "]]>"
}

// proof is the request that is made when the address is saved: the callback has
// to answer with the decrypted text and nothing else.
func (s *wecomServer) proof() delivery {
	word := random()
	return delivery{
		platform: wecom, bot: corpName,
		make: func(hook string) (*http.Request, error) {
			timestamp, nonce, echo := strconv.FormatInt(time.Now().Unix(), 10), random(), s.encrypt([]byte(word))
			q := url.Values{"msg_signature": {s.sign(timestamp, nonce, echo)}, "timestamp": {timestamp}, "nonce": {nonce}, "echostr": {echo}}
			req, err := http.NewRequest(http.MethodGet, hook+"?"+q.Encode(), http.NoBody) //nolint:noctx // the caller sets it
			if err != nil {
				return nil, fmt.Errorf("simulator: %w", err)
			}
			return req, nil
		},
		good: func(status int, body []byte) bool { return status == http.StatusOK && string(body) == word },
	}
}

func (s *wecomServer) request(hook, encrypted string) (*http.Request, error) {
	timestamp, nonce := strconv.FormatInt(time.Now().Unix(), 10), random()
	q := url.Values{"msg_signature": {s.sign(timestamp, nonce, encrypted)}, "timestamp": {timestamp}, "nonce": {nonce}}
	body := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt><AgentID><![CDATA[%d]]></AgentID></xml>", corpID, encrypted, agentID)
	req, err := http.NewRequest(http.MethodPost, hook+"?"+q.Encode(), strings.NewReader(body)) //nolint:noctx // the caller sets it
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	return req, nil
}

func (s *wecomServer) sign(parts ...string) string {
	return wecomSign(append(parts, s.token)...)
}

func wecomSign(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, ""))) //nolint:gosec // the platform's own signature
	return hex.EncodeToString(sum[:])
}

// encrypt wraps a message: 16 random bytes, its length, itself, the receiver,
// padded to 32 and encrypted with AES-256-CBC.
func (s *wecomServer) encrypt(message []byte) string {
	key, err := base64.StdEncoding.DecodeString(s.aesKey + "=")
	if err != nil {
		panic(err) // made by ourselves
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return wecomSeal(key, salt, message, corpID)
}

func wecomSeal(key, salt, message []byte, receiver string) string {
	plain := binary.BigEndian.AppendUint32(bytes.Clone(salt), uint32(len(message))) //nolint:gosec // a chat message
	plain = append(append(plain, message...), receiver...)
	pad := 32 - len(plain)%32
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes
	}
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}
