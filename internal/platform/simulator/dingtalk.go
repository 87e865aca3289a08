package simulator

import (
	"encoding/json"
	"math"
	"net/http"
	"slices"
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
func dingGroup(group string) string   { return "cid" + made("", group) + "==" }

// dingServer plays api.dingtalk.com and oapi.dingtalk.com for one robot, as
// https://open.dingtalk.com/document describes them.
type dingServer struct {
	*Simulator
	secret string
	tokens tokens

	mu        sync.Mutex
	sessions  memory[session]
	files     memory[dingFile]
	media     memory[dingMedia]
	cards     memory[*dingCard] // by the bot's id
	tracks    memory[*dingCard] // by ours
	callbacks map[string]dingRoute
}

// session is where a sessionWebhook leads.
type session struct {
	at       talk
	question string
	until    time.Time
}

func newDing(s *Simulator) *dingServer {
	return &dingServer{
		Simulator: s, secret: random(), tokens: tokens{now: s.now}, sessions: newMemory[session](s.opt.Remember), files: newMemory[dingFile](s.opt.Remember), media: newMemory[dingMedia](s.opt.Remember),
		cards: newMemory[*dingCard](s.opt.Remember), tracks: newMemory[*dingCard](s.opt.Remember), callbacks: map[string]dingRoute{},
	}
}

func (s *dingServer) config() bridge.Config {
	c := bridge.Config{
		ID: dingName, Platform: dingtalk, Mode: "webhook",
		Settings: map[string]string{"client_id": dingClient, "robot_code": dingClient, "base_url": s.base + "/dingtalk", "oapi_url": s.base},
		Secrets:  map[string]bridge.Secret{"client_secret": bridge.NewSecret(s.secret)},
	}
	if s.opt.DingCards {
		c.Settings["card_template_id"], c.Settings["card_content_key"], c.Settings["card_buttons_key"] = dingTemplate, dingContent, dingButtons
	}
	return c
}

func (s *dingServer) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /dingtalk/v1.0/oauth2/accessToken", s.call(dingtalk, "accessToken", &s.tokens, s.accessToken))
	mux.HandleFunc("POST /robot/sendBySession", s.call(dingtalk, "sendBySession", &s.tokens, s.sendBySession))
	mux.HandleFunc("POST /dingtalk/v1.0/robot/oToMessages/batchSend", s.call(dingtalk, "batchSend", &s.tokens, s.batchSend))
	mux.HandleFunc("POST /dingtalk/v1.0/robot/groupMessages/send", s.call(dingtalk, "groupSend", &s.tokens, s.groupSend))
	mux.HandleFunc("POST /dingtalk/v1.0/robot/messageFiles/download", s.call(dingtalk, "messageFiles", &s.tokens, s.fileLink))
	mux.HandleFunc("GET "+dingFiles+"{link}", s.call(dingtalk, "file", &s.tokens, s.download))
	mux.HandleFunc("POST /media/upload", s.call(dingtalk, "media/upload", &s.tokens, s.mediaUpload))
	s.cardRoutes(mux)
	mux.HandleFunc("POST /topapi/v2/user/get", s.call(dingtalk, "user/get", &s.tokens, s.userGet))
	mux.HandleFunc("POST /topapi/v2/department/listsub", s.call(dingtalk, "department/listsub", &s.tokens, s.listSub))
}

func derr(w http.ResponseWriter, status int, code, message string) {
	reply(w, status, map[string]any{"code": code, "message": message, "requestid": random()})
}

func (s *dingServer) accessToken(w http.ResponseWriter, r *http.Request) {
	var m struct{ AppKey, AppSecret string }
	err := strict(r, &m)
	_, refused := s.dice.strike(dingtalk, FaultSecret)
	if err != nil || m.AppKey != dingClient || refused || m.AppSecret != s.secret {
		derr(w, http.StatusBadRequest, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
		return
	}
	value, life := s.tokens.give()
	reply(w, http.StatusOK, map[string]any{"accessToken": value, "expireIn": life})
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

// text is what people read; empty when it is no good message.
func (m dingMessage) text() string {
	switch {
	case m.MsgType == "text" && m.Text != nil:
		return m.Text.Content
	case m.MsgType == "markdown" && m.Markdown != nil && m.Markdown.Title != "":
		return m.Markdown.Text
	default:
		return ""
	}
}

func (s *dingServer) sendBySession(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	to, ok := s.sessions.get(r.URL.Query().Get("session"))
	s.mu.Unlock()
	var m dingMessage
	err := strict(r, &m)
	text := m.text()
	_, left := s.dice.strike(dingtalk, FaultLeft)
	switch {
	case !ok || s.now().After(to.until) || left && to.at.group == "":
		derrOld(w, 300001, "session 不存在")
	case err != nil || text == "":
		derrOld(w, 40035, "缺少参数")
	case len(text) > 20000:
		derrOld(w, 460101, "message too long, exceed 20000 bytes")
	case s.dissolved(to.at):
		derrOld(w, 400013, "群已被解散")
	case s.overloadOld(w):
	default:
		s.mentions(m, text)
		s.shown(to.at, s.nextID("ding-"), s.depict(text), to.question, false)
		if !s.breakOff(w, dingtalk) {
			derrOld(w, 0, "ok")
		}
	}
}

// derrOld answers as the old API and the webhooks do, with an HTTP 200.
func derrOld(w http.ResponseWriter, code int, msg string) {
	reply(w, http.StatusOK, map[string]any{"errcode": code, "errmsg": msg})
}

// mentions finds a mention that nobody would see: it has to stand in the text
// as well.
func (s *dingServer) mentions(m dingMessage, text string) {
	if m.At == nil {
		return
	}
	for _, id := range m.At.AtUserIDs {
		if !strings.Contains(text, "@"+id) {
			s.violate("dingtalk: %s is mentioned beside the text and not in it", id)
		}
	}
}

func (s *dingServer) dissolved(at talk) bool {
	if at.group == "" {
		return false
	}
	_, yes := s.dice.strike(dingtalk, FaultDissolved)
	return yes
}

// overloadOld answers if a trouble of the platform strikes, as webhooks do.
func (s *dingServer) overloadOld(w http.ResponseWriter) bool {
	for _, trouble := range []struct {
		fault Fault
		code  int
		msg   string
	}{{FaultBusy, -1, "系统繁忙"}, {FaultLimit, 130101, "send too fast, exceed 20 times per minute"}, {FaultQuota, 90020, "api call quota exceeded"}} {
		if _, yes := s.dice.strike(dingtalk, trouble.fault); yes {
			derrOld(w, trouble.code, trouble.msg)
			return true
		}
	}
	return false
}

// overload answers if a trouble of the platform strikes, as the new API does.
func (s *dingServer) overload(w http.ResponseWriter) bool {
	if _, yes := s.dice.strike(dingtalk, FaultBusy); yes {
		derr(w, http.StatusServiceUnavailable, "serviceBusy", "busy")
		return true
	}
	if limit, yes := s.dice.strike(dingtalk, FaultLimit); yes {
		if limit.For >= time.Minute { // the address made far too many calls
			reply(w, http.StatusForbidden, map[string]any{"status": 1111, "wait": int(math.Ceil(limit.For.Minutes())), "source": "x5", "punish": "deny"})
		} else {
			derr(w, http.StatusForbidden, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "app qps limit")
		}
		return true
	}
	if _, yes := s.dice.strike(dingtalk, FaultQuota); yes {
		derr(w, http.StatusForbidden, "Forbidden.AccessDenied.ApiCountLimitForOrg", "api count limit")
		return true
	}
	return false
}

// dingRobot is the body of a robot's send.
type dingRobot struct {
	RobotCode string   `json:"robotCode"`
	UserIDs   []string `json:"userIds"`
	Group     string   `json:"openConversationId"`
	MsgKey    string   `json:"msgKey"`
	MsgParam  string   `json:"msgParam"`
}

// robot checks what both sends of a robot have in common and returns the text.
func (s *dingServer) robot(w http.ResponseWriter, r *http.Request, m *dingRobot) (string, bool) {
	var param map[string]string
	_, refused := s.dice.strike(dingtalk, FaultSecret)
	switch err := strict(r, m); {
	case refused || !s.tokens.valid(r.Header.Get("x-acs-dingtalk-access-token")):
		derr(w, http.StatusBadRequest, "InvalidAuthentication", "不合法的access_token")
	case err != nil:
		derr(w, http.StatusBadRequest, "invalidParameter.body", err.Error())
	case m.RobotCode != dingClient:
		derr(w, http.StatusBadRequest, "invalidParameter.robotCode.auth", "robotCode not authorized")
	case len(m.MsgParam) > dingMax:
		derr(w, http.StatusBadRequest, "invalidParameter.msgParam.tooLong", "msgParam too long")
	case !slices.Contains([]string{"sampleText", "sampleMarkdown", "sampleFile", "sampleAudio"}, m.MsgKey):
		derr(w, http.StatusBadRequest, "invalidParameter.msgKey.invalid", "msgKey invalid")
	case json.Unmarshal([]byte(m.MsgParam), &param) != nil || s.said(m.MsgKey, param) == "":
		derr(w, http.StatusBadRequest, "invalidParameter.msgParam.invalid", "msgParam invalid")
	case m.MsgKey == "sampleMarkdown" && param["title"] == "":
		derr(w, http.StatusBadRequest, "miss.param.title", "title is missing")
	case s.overload(w):
	default:
		return s.said(m.MsgKey, param), true
	}
	return "", false
}

// said is what people see of a robot's message; empty when it is no good one.
func (s *dingServer) said(key string, param map[string]string) string {
	switch key {
	case "sampleFile", "sampleAudio":
		return s.mediaText(key, param)
	default:
		return s.depict(param["text"] + param["content"])
	}
}

func (s *dingServer) batchSend(w http.ResponseWriter, r *http.Request) {
	var m dingRobot
	text, ok := s.robot(w, r, &m)
	switch {
	case !ok:
	case len(m.UserIDs) == 0:
		derr(w, http.StatusBadRequest, "miss.param.userIds", "userIds is missing")
	case len(m.UserIDs) > 20:
		derr(w, http.StatusBadRequest, "invalidParameter.userIds.overMax", "userIds over max")
	default:
		s.showTo(w, m.UserIDs, text)
	}
}

func (s *dingServer) showTo(w http.ResponseWriter, users []string, text string) {
	invalid, key := []string{}, s.nextID("ding-")
	_, left := s.dice.strike(dingtalk, FaultLeft)
	for _, user := range users {
		e, ok := s.people.find(byDing, user)
		if !ok || left {
			invalid = append(invalid, user)
			continue
		}
		s.shown(talk{platform: dingtalk, employee: e.ID}, key, text, "", false)
	}
	if !s.breakOff(w, dingtalk) {
		reply(w, http.StatusOK, map[string]any{"processQueryKey": key, "invalidStaffIdList": invalid, "flowControlledStaffIdList": []string{}})
	}
}

func (s *dingServer) groupSend(w http.ResponseWriter, r *http.Request) {
	var m dingRobot
	text, ok := s.robot(w, r, &m)
	if !ok {
		return
	}
	g, known := s.group(func(id string) bool { return dingGroup(id) == m.Group })
	at := talk{platform: dingtalk, group: g.ID}
	switch {
	case !known:
		derr(w, http.StatusBadRequest, "invalid.openConversationId", "invalid openConversationId")
	case s.dissolved(at):
		derr(w, http.StatusBadRequest, "group.disbanded", "the group is disbanded")
	default:
		key := s.nextID("ding-")
		s.shown(at, key, text, "", false)
		if !s.breakOff(w, dingtalk) {
			reply(w, http.StatusOK, map[string]any{"processQueryKey": key})
		}
	}
}
