package simulator

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	serviceName = "demo-service"
	serviceID   = "wkDemoAccount0001"
	// servicePage is the most that is listed at once, and serviceKeeps how long what
	// was written can be listed.
	servicePage, serviceKeeps = 1000, 72 * time.Hour
	// serviceMost is how many messages may follow one of a customer's, within
	// serviceWithin.
	serviceMost, serviceWithin = 5, 48 * time.Hour
	// serviceTicket and serviceWelcome are how long those are good.
	serviceTicket, serviceWelcome = 10 * time.Minute, 20 * time.Second
	// serviceLooks is how often a minute one may look without a ticket. WeCom says
	// that this is strictly limited, not how.
	serviceLooks = 30
)

func customerID(employee string) string { return made("wm", "customer "+employee) }

// serviceServer plays an account of WeCom's customer service and the app that
// serves it, after the pages 94670 (what was written), 94677 (answers), 95122
// (greetings), 94669 (states) and 95159 (customers). The employees are its
// customers.
type serviceServer struct {
	*wecomServer

	mu       sync.Mutex
	list     []serviceItem
	tickets  map[string]time.Time
	welcomes map[string]welcome
	chats    map[string]*serviceChat // by employee
	used     map[string]bool         // ids of messages
	looks    window
}

// serviceItem is a message or an event.
type serviceItem struct {
	at    time.Time
	value map[string]any
}

// serviceChat is what may be said to a customer.
type serviceChat struct {
	last  time.Time // when they wrote
	sent  int       // since then
	state int
}

type welcome struct {
	employee string
	until    time.Time
}

func newService(s *Simulator) *serviceServer {
	return &serviceServer{
		wecomServer: newWecom(s), tickets: map[string]time.Time{}, welcomes: map[string]welcome{},
		chats: map[string]*serviceChat{}, used: map[string]bool{},
	}
}

func (s *serviceServer) config() bridge.Config {
	c := s.wecomServer.config()
	c.ID, c.Mode = serviceName, "kf"
	c.Settings = map[string]string{"corp_id": corpID, "open_kfid": serviceID, "base_url": s.base + "/service"}
	return c
}

func (s *serviceServer) routes(mux *http.ServeMux) {
	for path, h := range map[string]http.HandlerFunc{
		"GET gettoken": s.getToken, "POST media/upload": s.upload, "GET media/get": s.download,
		"POST kf/sync_msg": s.sync, "POST kf/send_msg": s.send, "POST kf/send_msg_on_event": s.greet, "POST kf/customer/batchget": s.customers,
		"POST kf/account/list": s.accounts, "POST kf/service_state/get": s.state,
	} {
		method, name, _ := strings.Cut(path, " ")
		mux.HandleFunc(method+" /service/cgi-bin/"+name, s.call(wecom, name, &s.tokens, h))
	}
}

// proof checks the address of this account's callback.
func (s *serviceServer) proof() delivery {
	d := s.wecomServer.proof()
	d.bot = serviceName
	return d
}

// message puts what a customer wrote into the list and composes the ring.
func (s *serviceServer) message(l Line) delivery {
	kind, content := "text", map[string]any{"content": l.Text}
	if l.File != nil {
		var id string
		kind, id = s.enclose(*l.File)
		content = map[string]any{"media_id": id}
	}
	id := s.put(map[string]any{"external_userid": customerID(l.Employee), "origin": 3, "msgtype": kind, kind: content})
	s.mu.Lock()
	chat := s.chat(l.Employee)
	chat.last, chat.sent = s.now(), 0
	s.mu.Unlock()
	return s.ring(id)
}

// happen puts an event into the list and composes the ring.
func (s *serviceServer) happen(employee string, event map[string]any) delivery {
	event["open_kfid"], event["external_userid"] = serviceID, customerID(employee)
	return s.ring(s.put(map[string]any{"origin": 4, "msgtype": "event", "event": event}))
}

func (s *serviceServer) put(value map[string]any) string {
	id, now := s.nextID("kf"), s.now()
	value["msgid"], value["send_time"] = id, now.Unix()
	if value["msgtype"] != "event" {
		value["open_kfid"] = serviceID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, serviceItem{now, value})
	return id
}

// chat is that of a customer. s.mu is held.
func (s *serviceServer) chat(employee string) *serviceChat {
	if s.chats[employee] == nil {
		s.chats[employee] = &serviceChat{}
	}
	return s.chats[employee]
}

// ring composes the callback, which carries nothing but a ticket.
func (s *serviceServer) ring(id string) delivery {
	ticket := random()
	s.mu.Lock()
	s.tickets[ticket] = s.now().Add(serviceTicket)
	s.mu.Unlock()
	inner := fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><CreateTime>%d</CreateTime><MsgType><![CDATA[event]]></MsgType>"+
		"<Event><![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[%s]]></Token><OpenKfId><![CDATA[%s]]></OpenKfId></xml>", corpID, s.now().Unix(), ticket, serviceID)
	return delivery{
		id: bridge.MessageID(id), platform: wecom, bot: serviceName,
		make: func(hook string) (*http.Request, error) { return s.request(hook, s.encrypt([]byte(inner))) },
		good: func(status int, body []byte) bool { return status == http.StatusOK && len(body) == 0 },
	}
}

// Enter opens the chat with customer service as an employee, who may be greeted if
// they have not written for two days.
func (s *Simulator) Enter(ctx context.Context, employee string) error {
	event := map[string]any{"event_type": "enter_session", "scene": "demo"}
	s.service.mu.Lock()
	if s.now().Sub(s.service.chat(employee).last) > serviceWithin {
		code := random()
		s.service.welcomes[code] = welcome{employee, s.now().Add(serviceWelcome)}
		event["welcome_code"] = code
	}
	s.service.mu.Unlock()
	return s.push(ctx, s.service.happen(employee, event))
}

// TakeOver has a member of staff answer an employee in customer service, or no
// longer.
func (s *Simulator) TakeOver(ctx context.Context, employee string, human bool) error {
	state, change := 4, 3
	if human {
		state, change = 3, 1
	}
	s.service.mu.Lock()
	s.service.chat(employee).state = state
	s.service.mu.Unlock()
	return s.push(ctx, s.service.happen(employee, map[string]any{"event_type": "session_status_change", "change_type": change, "new_servicer_userid": "staff"}))
}

// asked decodes the body of a call that is admitted.
func (s *serviceServer) asked(w http.ResponseWriter, r *http.Request, in any) bool {
	if !s.admitted(w, r) {
		return false
	}
	if err := strict(r, in); err != nil {
		werr(w, 40058, "invalid parameter: "+err.Error())
		return false
	}
	return true
}

// sync lists what was written since a cursor.
func (s *serviceServer) sync(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Cursor  string `json:"cursor"`
		Ticket  string `json:"token"`
		Limit   int    `json:"limit"`
		Voice   int    `json:"voice_format"`
		Account string `json:"open_kfid"`
	}{Limit: servicePage}
	if !s.asked(w, r, &in) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from, ok := s.position(in.Cursor)
	until, known := s.tickets[in.Ticket]
	switch now := s.now(); {
	case in.Account != serviceID:
		werr(w, 95004, "open_kfid not exist")
	case !ok || in.Limit < 1 || in.Limit > servicePage || in.Voice < 0 || in.Voice > 1:
		werr(w, 40058, "invalid parameter")
	case in.Ticket != "" && (!known || now.After(until)):
		werr(w, 40058, "invalid parameter: token")
	case in.Ticket == "" && s.looks.full(now, time.Minute, serviceLooks):
		werr(w, 45009, "api freq out of limit")
	default:
		for from < len(s.list) && now.Sub(s.list[from].at) > serviceKeeps {
			from++
		}
		to, more := min(from+in.Limit, len(s.list)), 0
		if to < len(s.list) {
			more = 1
		}
		items := []any{}
		for _, i := range s.list[from:to] {
			items = append(items, i.value)
		}
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "next_cursor": "cursor-" + strconv.Itoa(to), "has_more": more, "msg_list": items})
	}
}

// position reads a cursor. s.mu is held.
func (s *serviceServer) position(cursor string) (int, bool) {
	if cursor == "" {
		return 0, true
	}
	n, err := strconv.Atoi(cursor[min(len("cursor-"), len(cursor)):])
	return n, err == nil && n <= len(s.list) && cursor == "cursor-"+strconv.Itoa(n)
}

type serviceSend struct {
	ToUser  string `json:"touser"`
	Account string `json:"open_kfid"`
	Code    string `json:"code"`
	ID      string `json:"msgid"`
	Type    string `json:"msgtype"`
	Text    *struct {
		Content string `json:"content"`
	} `json:"text"`
	Image *wecomMedia `json:"image"`
	Voice *wecomMedia `json:"voice"`
	File  *wecomMedia `json:"file"`
}

// send answers a customer.
func (s *serviceServer) send(w http.ResponseWriter, r *http.Request) {
	var m serviceSend
	if !s.asked(w, r, &m) {
		return
	}
	text, kept := s.fileText(m.Type, m.Image, m.Voice, m.File)
	if m.Type == "text" && m.Text != nil {
		text = m.Text.Content
	}
	e, known := s.customer(m.ToUser)
	if _, left := s.dice.strike(wecom, FaultLeft); left {
		known = false
	}
	switch {
	case m.Account != serviceID || m.Code != "":
		werr(w, 95004, "open_kfid not exist")
	case !known:
		werr(w, 40003, "invalid external_userid")
	case !kept:
		werr(w, 40007, "invalid media_id")
	case malformed(w, m.ID, text), s.overload(w), s.untimely(w, m, e.ID):
	default:
		s.give(w, e.ID, m.ID, text)
	}
}

// malformed answers what is wrong with a message itself.
func malformed(w http.ResponseWriter, id, text string) bool {
	switch {
	case text == "":
		werr(w, 44004, "empty content")
	case len(text) > wecomMax:
		werr(w, 45002, "content size out of limit")
	case !regexp.MustCompile(`^[0-9a-zA-Z_-]{0,32}$`).MatchString(id):
		werr(w, 40058, "invalid parameter: msgid")
	default:
		return false
	}
	return true
}

// untimely answers if nothing may be said to a customer now, and counts otherwise.
func (s *serviceServer) untimely(w http.ResponseWriter, m serviceSend, employee string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch chat := s.chat(employee); {
	case m.ID != "" && s.used[m.ID]:
		werr(w, 40058, "invalid parameter: msgid is repeated")
	case chat.state == 2 || chat.state == 3:
		werr(w, 95018, "send msg session status invalid")
	case s.now().Sub(chat.last) > serviceWithin:
		werr(w, 95002, "send msg time limit")
	case chat.sent >= serviceMost:
		werr(w, 95001, "send msg count limit")
	default:
		chat.sent++
		s.used[m.ID] = true
		return false
	}
	return true
}

func (s *serviceServer) give(w http.ResponseWriter, employee, id, text string) {
	if id == "" {
		id = s.nextID("kf-")
	}
	s.shown(talk{platform: wecom, employee: employee, service: true}, id, text, "", false)
	if !s.breakOff(w, wecom) {
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "msgid": id})
	}
}

// greet takes the one message to somebody who has opened the chat.
func (s *serviceServer) greet(w http.ResponseWriter, r *http.Request) {
	var m serviceSend
	if !s.asked(w, r, &m) {
		return
	}
	s.mu.Lock()
	door, ok := s.welcomes[m.Code]
	if ok = ok && !s.now().After(door.until); ok && m.Text != nil {
		delete(s.welcomes, m.Code)
	}
	s.mu.Unlock()
	switch {
	case !ok:
		werr(w, 40058, "invalid parameter: code")
	case m.Type != "text" || m.Text == nil || m.ToUser != "":
		werr(w, 40008, "invalid message type")
	case malformed(w, m.ID, m.Text.Content):
	default:
		s.give(w, door.employee, m.ID, m.Text.Content)
	}
}

func (s *serviceServer) customer(id string) (bridge.Employee, bool) {
	for _, e := range s.people.all {
		if customerID(e.ID) == id {
			return e, true
		}
	}
	return bridge.Employee{}, false
}

func (s *serviceServer) customers(w http.ResponseWriter, r *http.Request) {
	var in struct {
		IDs  []string `json:"external_userid_list"`
		Need int      `json:"need_enter_session_context"`
	}
	if !s.asked(w, r, &in) {
		return
	}
	found, wrong := []any{}, []string{}
	for _, id := range in.IDs {
		if e, ok := s.customer(id); ok {
			found = append(found, map[string]any{"external_userid": id, "nickname": e.Name, "avatar": "", "gender": 0})
		} else {
			wrong = append(wrong, id)
		}
	}
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "customer_list": found, "invalid_external_userid": wrong})
}

func (s *serviceServer) accounts(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Offset int `json:"offset"`
		Limit  int `json:"limit"`
	}
	if !s.asked(w, r, &in) {
		return
	}
	all := []any{}
	if in.Offset == 0 {
		all = append(all, map[string]any{"open_kfid": serviceID, "name": "Demo", "avatar": "", "manage_privilege": true})
	}
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "account_list": all})
}

func (s *serviceServer) state(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Account  string `json:"open_kfid"`
		Customer string `json:"external_userid"`
	}
	if !s.asked(w, r, &in) {
		return
	}
	e, ok := s.customer(in.Customer)
	if !ok || in.Account != serviceID {
		werr(w, 40058, "invalid parameter")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "service_state": s.chat(e.ID).state, "servicer_userid": ""})
}
