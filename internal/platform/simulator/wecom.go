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
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	corpID    = "wwdemo0000000001"
	corpName  = "demo-wecom"
	agentID   = 1000002
	wecomMax  = 2048 // bytes of a text or Markdown message
	wecomWait = 30 * time.Minute
)

func wecomUser(employee string) string { return "User-" + employee }

// wecomServer plays qyapi.weixin.qq.com for one self-built app.
type wecomServer struct {
	*Simulator
	secret, token, aesKey string
	tokens                tokens

	mu   sync.Mutex
	seen map[string]time.Time // receiver and content, for the duplicate check
}

func newWecom(s *Simulator) *wecomServer {
	return &wecomServer{
		Simulator: s, secret: random(), token: random(), aesKey: (random() + random())[:43], seen: map[string]time.Time{},
	}
}

func (s *wecomServer) config() bridge.Config {
	return bridge.Config{
		ID: corpName, Platform: wecom, Mode: "app",
		Settings: map[string]string{"corp_id": corpID, "agent_id": strconv.Itoa(agentID), "base_url": s.base + "/wecom"},
		Secrets: map[string]bridge.Secret{
			"secret": bridge.NewSecret(s.secret), "token": bridge.NewSecret(s.token), "aes_key": bridge.NewSecret(s.aesKey),
		},
	}
}

func (s *wecomServer) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /wecom/cgi-bin/gettoken", s.getToken)
	mux.HandleFunc("GET /wecom/cgi-bin/agent/get", s.agentGet)
	mux.HandleFunc("POST /wecom/cgi-bin/message/send", s.messageSend)
}

func werr(w http.ResponseWriter, code int, msg string) {
	reply(w, http.StatusOK, map[string]any{"errcode": code, "errmsg": msg + ", hint: [1], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=" + strconv.Itoa(code)})
}

func (s *wecomServer) getToken(w http.ResponseWriter, r *http.Request) {
	s.count("wecom gettoken")
	q := r.URL.Query()
	switch {
	case q.Get("corpid") != corpID:
		werr(w, 40013, "invalid corpid")
	case q.Get("corpsecret") != s.secret:
		werr(w, 40001, "invalid credential")
	default:
		token, life := s.tokens.give()
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": life})
	}
}

// admitted checks the token of a call.
func (s *wecomServer) admitted(w http.ResponseWriter, r *http.Request) bool {
	token := r.URL.Query().Get("access_token")
	switch {
	case token == "":
		werr(w, 41001, "access_token missing")
	case !s.tokens.valid(token):
		werr(w, 42001, "access_token expired")
	default:
		return true
	}
	return false
}

func (s *wecomServer) agentGet(w http.ResponseWriter, r *http.Request) {
	s.count("wecom agent/get")
	if !s.admitted(w, r) {
		return
	}
	if r.URL.Query().Get("agentid") != strconv.Itoa(agentID) {
		werr(w, 40056, "invalid agentid")
		return
	}
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "agentid": agentID, "name": "Demo", "close": 0})
}

type wecomSend struct {
	ToUser    string `json:"touser"`
	ToParty   string `json:"toparty"`
	ToTag     string `json:"totag"`
	MsgType   string `json:"msgtype"`
	AgentID   int    `json:"agentid"`
	Safe      int    `json:"safe"`
	Trans     int    `json:"enable_id_trans"`
	Duplicate int    `json:"enable_duplicate_check"`
	Interval  int    `json:"duplicate_check_interval"`
	Text      *struct {
		Content string `json:"content"`
	} `json:"text"`
	Markdown *struct {
		Content string `json:"content"`
	} `json:"markdown"`
}

// content returns the text of the message's own type, or false.
func (m wecomSend) content() (string, bool) {
	switch {
	case m.MsgType == "text" && m.Text != nil:
		return m.Text.Content, true
	case m.MsgType == "markdown" && m.Markdown != nil:
		return m.Markdown.Content, true
	default:
		return "", false
	}
}

func (s *wecomServer) messageSend(w http.ResponseWriter, r *http.Request) {
	s.count("wecom message/send")
	if !s.admitted(w, r) {
		return
	}
	var m wecomSend
	if err := strict(r, &m); err != nil {
		werr(w, 40058, "invalid parameter: "+err.Error())
		return
	}
	text, ok := m.content()
	employee := ""
	for _, e := range s.Employees() {
		if strings.EqualFold(m.ToUser, wecomUser(e.ID)) {
			employee = e.ID
		}
	}
	switch {
	case !ok:
		werr(w, 40008, "invalid message type")
	case m.AgentID != agentID:
		werr(w, 301002, "not allow operate another agent with this accesstoken")
	case text == "":
		werr(w, 44004, "empty content")
	case employee == "":
		werr(w, 81013, "user & party & tag all invalid")
	case s.refuse():
		werr(w, -1, "system busy")
	default:
		s.showText(w, m, employee, text)
	}
}

func (s *wecomServer) showText(w http.ResponseWriter, m wecomSend, employee, text string) {
	if len(text) > wecomMax {
		s.violate("wecom: a message of %d bytes was cut without a word", len(text))
		text = strings.ToValidUTF8(text[:wecomMax], "")
	}
	id := "wecom-" + strconv.FormatInt(s.next(), 10)
	answer := map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id}
	if m.Duplicate == 1 && s.repeated(employee+"\x00"+m.MsgType+"\x00"+text, m.Interval) {
		reply(w, http.StatusOK, answer)
		return
	}
	s.shown(employee, wecom, id, text)
	reply(w, http.StatusOK, answer)
}

// repeated remembers a message and says whether it was seen within the interval.
func (s *wecomServer) repeated(key string, seconds int) bool {
	within := time.Duration(seconds) * time.Second
	if seconds <= 0 {
		within = wecomWait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.seen[key]
	s.seen[key] = time.Now()
	return ok && time.Since(before) < within
}

// message composes the callback for one text message.
func (s *wecomServer) message(employee, text string) (bridge.MessageID, delivery) {
	id := s.next()
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId><AgentID>%d</AgentID></xml>",
		corpID, wecomUser(employee), time.Now().Unix(), strings.ReplaceAll(text, "]]>", "]]]]><![CDATA[>"), id, agentID)
	return bridge.MessageID(strconv.FormatInt(id, 10)), delivery{
		bot: corpName,
		make: func(hook string) (*http.Request, error) {
			return s.request(hook, s.encrypt([]byte(inner)))
		},
		good: func(status int, body []byte) bool { return status == http.StatusOK && len(body) == 0 },
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
	parts = append(parts, s.token)
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
	plain := make([]byte, 16, 64+len(message))
	_, _ = rand.Read(plain)                                            // never fails
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(message))) //nolint:gosec // a chat message
	plain = append(append(plain, message...), corpID...)
	pad := 32 - len(plain)%32
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes
	}
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}
