package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	dingName   = "demo-dingtalk"
	dingClient = "dingdemo000000000001"
	dingCorp   = "dingdemocorp0000000000000000001"
	dingMax    = 15000 // bytes of msgParam
	dingHook   = 90 * time.Minute
)

func dingUser(employee string) string { return "staff-" + employee }

// dingServer plays api.dingtalk.com and oapi.dingtalk.com for one robot.
type dingServer struct {
	*Simulator
	secret string
	tokens tokens

	mu       sync.Mutex
	sessions map[string]session
}

// session is where a sessionWebhook leads.
type session struct {
	employee string
	until    time.Time
}

func newDing(s *Simulator) *dingServer {
	return &dingServer{Simulator: s, secret: random(), sessions: map[string]session{}}
}

func (s *dingServer) config() bridge.Config {
	return bridge.Config{
		ID: dingName, Platform: dingtalk, Mode: "webhook",
		Settings: map[string]string{"client_id": dingClient, "robot_code": dingClient, "base_url": s.base + "/dingtalk", "oapi_url": s.base},
		Secrets:  map[string]bridge.Secret{"client_secret": bridge.NewSecret(s.secret)},
	}
}

func (s *dingServer) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /dingtalk/v1.0/oauth2/accessToken", s.accessToken)
	mux.HandleFunc("POST /robot/sendBySession", s.sendBySession)
	mux.HandleFunc("POST /dingtalk/v1.0/robot/oToMessages/batchSend", s.batchSend)
}

func derr(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, map[string]any{"code": code, "message": message, "requestid": random()})
}

func (s *dingServer) accessToken(w http.ResponseWriter, r *http.Request) {
	s.count("dingtalk accessToken")
	var m struct{ AppKey, AppSecret string }
	if err := strict(r, &m); err != nil || m.AppKey != dingClient || m.AppSecret != s.secret {
		derr(w, http.StatusBadRequest, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
		return
	}
	token, life := s.tokens.give()
	reply(w, http.StatusOK, map[string]any{"accessToken": token, "expireIn": life})
}

type dingMessage struct {
	MsgType string `json:"msgtype"`
	Text    *struct {
		Content string `json:"content"`
	} `json:"text,omitempty"`
	Markdown *struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"markdown,omitempty"`
	At *struct {
		AtMobiles []string `json:"atMobiles,omitempty"`
		AtUserIDs []string `json:"atUserIds,omitempty"`
		IsAtAll   bool     `json:"isAtAll,omitempty"`
	} `json:"at,omitempty"`
}

func (s *dingServer) sendBySession(w http.ResponseWriter, r *http.Request) {
	s.count("dingtalk sendBySession")
	s.mu.Lock()
	to, ok := s.sessions[r.URL.Query().Get("session")]
	s.mu.Unlock()
	var m dingMessage
	err := strict(r, &m)
	text := ""
	switch {
	case m.MsgType == "text" && m.Text != nil:
		text = m.Text.Content
	case m.MsgType == "markdown" && m.Markdown != nil && m.Markdown.Title != "":
		text = m.Markdown.Text
	}
	switch {
	case !ok || time.Now().After(to.until):
		reply(w, http.StatusOK, map[string]any{"errcode": 300001, "errmsg": "session 不存在"})
	case err != nil || text == "":
		reply(w, http.StatusOK, map[string]any{"errcode": 40035, "errmsg": "缺少参数"})
	case len(text) > 20000:
		reply(w, http.StatusOK, map[string]any{"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"})
	case s.refuse():
		reply(w, http.StatusOK, map[string]any{"errcode": -1, "errmsg": "系统繁忙"})
	default:
		s.shown(to.employee, dingtalk, "ding-"+strconv.FormatInt(s.next(), 10), text)
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok"})
	}
}

func (s *dingServer) batchSend(w http.ResponseWriter, r *http.Request) {
	s.count("dingtalk batchSend")
	var m struct {
		RobotCode string   `json:"robotCode"`
		UserIDs   []string `json:"userIds"`
		MsgKey    string   `json:"msgKey"`
		MsgParam  string   `json:"msgParam"`
	}
	var param map[string]string
	switch err := strict(r, &m); {
	case !s.tokens.valid(r.Header.Get("x-acs-dingtalk-access-token")):
		derr(w, http.StatusBadRequest, "InvalidAuthentication", "不合法的access_token")
	case err != nil:
		derr(w, http.StatusBadRequest, "invalidParameter.body", err.Error())
	case m.RobotCode != dingClient:
		derr(w, http.StatusBadRequest, "invalidParameter.robotCode.auth", "robotCode not authorized")
	case len(m.UserIDs) == 0:
		derr(w, http.StatusBadRequest, "miss.param.userIds", "userIds is missing")
	case len(m.MsgParam) > dingMax:
		derr(w, http.StatusBadRequest, "invalidParameter.msgParam.tooLong", "msgParam too long")
	case json.Unmarshal([]byte(m.MsgParam), &param) != nil || param["text"]+param["content"] == "":
		derr(w, http.StatusBadRequest, "invalidParameter.msgParam.invalid", "msgParam invalid")
	case s.refuse():
		derr(w, http.StatusServiceUnavailable, "serviceBusy", "busy")
	default:
		s.showTo(w, m.UserIDs, param["text"]+param["content"])
	}
}

func (s *dingServer) showTo(w http.ResponseWriter, users []string, text string) {
	invalid, key := []string{}, "ding-"+strconv.FormatInt(s.next(), 10)
	for _, user := range users {
		employee, ok := strings.CutPrefix(user, "staff-")
		if !ok || len(s.Bubbles(employee)) == 0 {
			invalid = append(invalid, user)
			continue
		}
		s.shown(employee, dingtalk, key, text)
	}
	reply(w, http.StatusOK, map[string]any{"processQueryKey": key, "invalidStaffIdList": invalid, "flowControlledStaffIdList": []string{}})
}

// message composes the callback for one text message to the robot.
func (s *dingServer) message(employee, text string) (bridge.MessageID, delivery) {
	id, now, hook := "msg"+strconv.FormatInt(s.next(), 10), time.Now(), random()
	s.mu.Lock()
	s.sessions[hook] = session{employee, now.Add(dingHook)}
	s.mu.Unlock()
	name := employee
	for _, e := range s.Employees() {
		if e.ID == employee {
			name = e.Name
		}
	}
	body, err := json.Marshal(map[string]any{
		"msgtype": "text", "text": map[string]string{"content": text}, "msgId": id, "createAt": now.UnixMilli(),
		"conversationType": "1", "conversationId": "cid-" + employee, "senderId": "$:LWCP_v1:$" + employee, "senderStaffId": dingUser(employee),
		"senderNick": name, "senderCorpId": dingCorp, "chatbotCorpId": dingCorp, "chatbotUserId": "$:LWCP_v1:$robot", "robotCode": dingClient,
		"sessionWebhook": s.base + "/robot/sendBySession?session=" + hook, "sessionWebhookExpiredTime": now.Add(dingHook).UnixMilli(),
		"isAdmin": false, "isInAtList": false, "senderPlatform": "Win",
	})
	return bridge.MessageID(id), delivery{
		bot: dingName,
		make: func(url string) (*http.Request, error) {
			if err != nil {
				return nil, fmt.Errorf("simulator: %w", err)
			}
			req, rerr := http.NewRequest(http.MethodPost, url, bytes.NewReader(body)) //nolint:noctx // the caller sets it
			if rerr != nil {
				return nil, fmt.Errorf("simulator: %w", rerr)
			}
			timestamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
			req.Header.Set("Content-Type", "application/json; charset=utf-8")
			req.Header.Set("timestamp", timestamp)
			req.Header.Set("sign", dingSign(timestamp, s.secret))
			return req, nil
		},
		good: func(status int, _ []byte) bool { return status == http.StatusOK },
	}
}

func dingSign(timestamp, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
