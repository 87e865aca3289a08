package simulator

import (
	"net/http"
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
	wecomMax  = 2048             // bytes of a text or Markdown message
	wecomWait = 30 * time.Minute // the duplicate check's interval, unless it is given
	// wecomLongest is the longest interval of the duplicate check.
	wecomLongest = 4 * time.Hour
)

func wecomUser(employee string) string { return "User-" + employee }

// wecomServer plays qyapi.weixin.qq.com for one self-built app, after pages
// 90236 (send), 91039 (token) and 90313 (codes) of
// https://developer.work.weixin.qq.com/document.
type wecomServer struct {
	*Simulator
	secret, token, aesKey string
	tokens                tokens

	mu    sync.Mutex
	seen  memory[time.Time]  // receiver and content, for the duplicate check
	paces map[string]*window // by receiver
	cards memory[*wecomCard] // by message
	tasks memory[struct{}]   // the ids of all cards
	files memory[wecomFile]
}

func newWecom(s *Simulator) *wecomServer {
	return &wecomServer{
		Simulator: s, secret: random(), token: random(), aesKey: (random() + random())[:43], tokens: tokens{now: s.now},
		seen: newMemory[time.Time](s.opt.Remember), paces: map[string]*window{},
		cards: newMemory[*wecomCard](s.opt.Remember), tasks: newMemory[struct{}](s.opt.Remember),
		files: newMemory[wecomFile](s.opt.Remember),
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
	mux.HandleFunc("GET /wecom/cgi-bin/gettoken", s.call(wecom, "gettoken", &s.tokens, s.getToken))
	mux.HandleFunc("GET /wecom/cgi-bin/agent/get", s.call(wecom, "agent/get", &s.tokens, s.agentGet))
	mux.HandleFunc("GET /wecom/cgi-bin/user/get", s.call(wecom, "user/get", &s.tokens, s.userGet))
	mux.HandleFunc("GET /wecom/cgi-bin/department/list", s.call(wecom, "department/list", &s.tokens, s.departmentList))
	mux.HandleFunc("POST /wecom/cgi-bin/message/send", s.call(wecom, "message/send", &s.tokens, s.messageSend))
	mux.HandleFunc("POST /wecom/cgi-bin/media/upload", s.call(wecom, "media/upload", &s.tokens, s.upload))
	mux.HandleFunc("GET /wecom/cgi-bin/media/get", s.call(wecom, "media/get", &s.tokens, s.download))
	mux.HandleFunc("POST /wecom/cgi-bin/message/recall", s.call(wecom, "message/recall", &s.tokens, s.recall))
}

func werr(w http.ResponseWriter, code int, msg string) {
	reply(w, http.StatusOK, map[string]any{"errcode": code, "errmsg": msg + ", hint: [1], from ip: 203.0.113.7, more info at https://open.work.weixin.qq.com/devtool/query?e=" + strconv.Itoa(code)})
}

func (s *wecomServer) getToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	_, refused := s.dice.strike(wecom, FaultSecret)
	switch {
	case q.Get("corpid") != corpID:
		werr(w, 40013, "invalid corpid")
	case refused || q.Get("corpsecret") != s.secret:
		werr(w, 40001, "invalid credential")
	default:
		value, life := s.tokens.give()
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "access_token": value, "expires_in": life})
	}
}

// admitted checks the token of a call.
func (s *wecomServer) admitted(w http.ResponseWriter, r *http.Request) bool {
	value := r.URL.Query().Get("access_token")
	_, refused := s.dice.strike(wecom, FaultSecret)
	switch {
	case value == "":
		werr(w, 41001, "access_token missing")
	case refused || !s.tokens.valid(value):
		werr(w, 42001, "access_token expired")
	default:
		return true
	}
	return false
}

func (s *wecomServer) agentGet(w http.ResponseWriter, r *http.Request) {
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
	Card  *wecomCard  `json:"template_card"`
	Image *wecomMedia `json:"image"`
	Voice *wecomMedia `json:"voice"`
	File  *wecomMedia `json:"file"`
}

// content returns the text of the message's own type, or false.
func (m wecomSend) content() (string, bool) {
	switch {
	case m.MsgType == "text" && m.Text != nil:
		return m.Text.Content, true
	case m.MsgType == "markdown" && m.Markdown != nil:
		return m.Markdown.Content, true
	case m.MsgType == "template_card" && m.Card != nil:
		return m.Card.Title.Title, true
	default:
		return "", false
	}
}

func (s *wecomServer) messageSend(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	var m wecomSend
	if err := strict(r, &m); err != nil {
		werr(w, 40058, "invalid parameter: "+err.Error())
		return
	}
	text, ok := m.content()
	file, kept := s.fileText(m.MsgType, m.Image, m.Voice, m.File)
	if file != "" {
		text, ok = file, true
	}
	e, known := s.people.find(byWecom, strings.ToLower(m.ToUser))
	if known {
		_, left := s.dice.strike(wecom, FaultLeft)
		known = !left
	}
	switch {
	case !kept:
		werr(w, 40007, "invalid media_id")
	case !ok:
		werr(w, 40008, "invalid message type")
	case m.AgentID != agentID:
		werr(w, 301002, "not allow operate another agent with this accesstoken")
	case m.Card != nil && m.Card.wrong() != "":
		werr(w, 40058, "invalid parameter: "+m.Card.wrong())
	case text == "":
		werr(w, 44004, "empty content")
	case m.Interval > int(wecomLongest.Seconds()):
		werr(w, 40058, "invalid parameter: duplicate_check_interval")
	case !known:
		werr(w, 81013, "user & party & tag all invalid")
	case s.overload(w):
	default:
		s.showText(w, m, e.ID, text)
	}
}

// overload answers if a trouble of the platform strikes.
func (s *wecomServer) overload(w http.ResponseWriter) bool {
	if _, yes := s.dice.strike(wecom, FaultBusy); yes {
		werr(w, -1, "system busy")
		return true
	}
	if limit, yes := s.dice.strike(wecom, FaultLimit); yes {
		if limit.For >= time.Minute {
			werr(w, 45009, "api freq out of limit")
		} else {
			werr(w, 45033, "api concurrent out of limit")
		}
		return true
	}
	return false
}

func (s *wecomServer) showText(w http.ResponseWriter, m wecomSend, employee, text string) {
	if len(text) > wecomMax {
		s.violate("wecom: a message of %d bytes was cut without a word", len(text))
		text = strings.ToValidUTF8(text[:wecomMax], "")
	}
	id := s.nextID("wecom-")
	answer := map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id}
	same := employee + "\x00" + m.MsgType + "\x00" + text
	for _, file := range []*wecomMedia{m.Image, m.Voice, m.File} {
		if file != nil {
			same += "\x00" + file.ID
		}
	}
	if m.Card != nil {
		same += encoded(m.Card)
		answer["response_code"] = random()
	}
	switch {
	case m.Duplicate == 1 && s.repeated(same, m.Interval):
	case m.Card != nil && !s.fresh(m.Card.TaskID):
		werr(w, 40058, "invalid parameter: the task_id is there already")
		return
	case s.dropped(employee):
		s.violate("wecom: a message to %s was dropped without a word, beyond 30 a minute", employee)
	default:
		s.shown(talk{platform: wecom, employee: employee}, id, text, "", false)
		s.deal(id, employee, m.Card)
	}
	if !s.breakOff(w, wecom) {
		reply(w, http.StatusOK, answer)
	}
}

// dropped says that a member got more messages than the platform shows.
func (s *wecomServer) dropped(employee string) bool {
	if !s.opt.Paced {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.paces[employee] == nil {
		s.paces[employee] = &window{}
	}
	return s.paces[employee].full(s.now(), time.Minute, 30)
}

// repeated remembers a message and says whether it was seen within the interval.
func (s *wecomServer) repeated(key string, seconds int) bool {
	within := time.Duration(seconds) * time.Second
	if seconds <= 0 {
		within = wecomWait
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok := s.seen.get(key)
	s.seen.put(key, s.now())
	return ok && s.now().Sub(before) < within
}

func (s *wecomServer) userGet(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	id := r.URL.Query().Get("userid")
	e, ok := s.people.find(byWecom, strings.ToLower(id))
	if !ok {
		werr(w, 60111, "userid not found")
		return
	}
	f := s.people.personnelOf(e) // newer apps get neither mobile nor e-mail
	reply(w, http.StatusOK, map[string]any{
		"errcode": 0, "errmsg": "ok", "userid": wecomUser(e.ID), "name": e.Name, "department": f.departments, "main_department": f.departments[1],
		"position": f.title, "status": 1,
	})
}

func (s *wecomServer) recall(w http.ResponseWriter, r *http.Request) {
	if !s.admitted(w, r) {
		return
	}
	var m struct {
		ID string `json:"msgid"`
	}
	if err := strict(r, &m); err != nil || !strings.HasPrefix(m.ID, "wecom-") {
		werr(w, 40058, "invalid msgid")
		return
	}
	s.board.remove(m.ID)
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok"})
}
