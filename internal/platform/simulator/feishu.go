package simulator

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

const (
	feishuName   = "demo-feishu"
	feishuApp    = "cli_demo000000000001"
	feishuTenant = "tenantdemo000001"
	feishuBot    = "Switchboard Demo"
	// feishuOverlap is how long before its end a new token is given out.
	feishuOverlap = 30 * time.Minute
	feishuOnce    = time.Hour // a uuid is recognised for
	filesKept     = 100
)

func openID(employee string) string     { return made("ou_", employee) }
func unionID(employee string) string    { return made("on_", employee) }
func feishuUser(employee string) string { return "u-" + employee }
func feishuP2P(employee string) string  { return made("oc_", "p2p "+employee) }
func feishuGroup(group string) string   { return made("oc_", "group "+group) }
func feishuBotID() string               { return made("ou_", "the bot") }

// feishuServer plays open.feishu.cn for one self-built app.
//
// What it refuses follows "Send message", "Reply message", "Update message
// card", "Create card entity" and "Stream update text" of the server API at
// https://open.feishu.cn/document.
type feishuServer struct {
	*Simulator

	secret, encryptKey, verification string
	tokens                           tokens

	mu       sync.Mutex
	messages memory[*feishuMessage]
	cards    memory[*feishuCard]
	once     memory[feishuSent] // by uuid
	files    memory[feishuFile]
	paces    map[string]*window
}

func newFeishu(s *Simulator) *feishuServer {
	f := &feishuServer{
		Simulator: s, secret: random(), encryptKey: random(), verification: random(), tokens: tokens{now: s.now, overlap: feishuOverlap},
		messages: newMemory[*feishuMessage](s.opt.Remember), cards: newMemory[*feishuCard](s.opt.Remember),
		once: newMemory[feishuSent](s.opt.Remember), files: newMemory[feishuFile](filesKept), paces: map[string]*window{},
	}
	if s.opt.PlainFeishu {
		f.encryptKey = ""
	}
	return f
}

func (s *feishuServer) config() bridge.Config {
	c := bridge.Config{
		ID: feishuName, Platform: feishu, Mode: "webhook",
		Settings: map[string]string{"app_id": feishuApp, "base_url": s.base + "/feishu"},
		Secrets: map[string]bridge.Secret{
			"app_secret": bridge.NewSecret(s.secret), "verification_token": bridge.NewSecret(s.verification),
		},
	}
	if s.encryptKey != "" {
		c.Secrets["encrypt_key"] = bridge.NewSecret(s.encryptKey)
	}
	return c
}

func (s *feishuServer) routes(mux *http.ServeMux) {
	const api = "/feishu/open-apis/"
	mux.HandleFunc("POST "+api+"auth/v3/tenant_access_token/internal", s.call(feishu, "token", &s.tokens, s.getToken))
	read := func(pattern, name string, h feishuHandler) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+api+path, s.call(feishu, name, &s.tokens, s.guard(h, false)))
	}
	write := func(pattern, name string, h feishuHandler) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+api+path, s.call(feishu, name, &s.tokens, s.guard(h, true)))
	}
	read("GET bot/v3/info", "bot/info", s.botInfo)
	read("GET application/v6/scopes", "application/scopes", s.scopes)
	read("GET contact/v3/users/{user}", "contact/user", s.contact)
	read("GET contact/v3/departments/{department}/children", "contact/departments", s.departments)
	read("GET im/v1/chats/{chat}", "im/chat", s.chat)
	read("GET im/v1/messages", "im/list", s.listMessages)
	read("GET im/v1/messages/{message}", "im/get", s.getMessage)
	mux.HandleFunc("GET "+api+"im/v1/messages/{message}/resources/{key}", s.call(feishu, "im/resource", &s.tokens, s.download))
	write("POST im/v1/images", "im/image", s.uploadImage)
	write("POST im/v1/files", "im/file", s.uploadFile)
	write("POST im/v1/messages", "im/create", s.create)
	write("POST im/v1/messages/{message}/reply", "im/reply", s.answer)
	write("PATCH im/v1/messages/{message}", "im/patch", s.patch)
	write("DELETE im/v1/messages/{message}", "im/delete", s.recall)
	write("POST im/v1/messages/{message}/reactions", "im/reaction", s.react)
	write("DELETE im/v1/messages/{message}/reactions/{reaction}", "im/reaction", s.unreact)
	write("POST cardkit/v1/cards", "card/create", s.cardCreate)
	write("POST cardkit/v1/cards/id_convert", "card/convert", s.cardConvert)
	write("PUT cardkit/v1/cards/{card}", "card/update", s.cardUpdate)
	write("PATCH cardkit/v1/cards/{card}/settings", "card/settings", s.cardSettings)
	write("POST cardkit/v1/cards/{card}/batch_update", "card/batch", s.cardBatch)
	write("POST cardkit/v1/cards/{card}/elements", "card/add", s.elementAdd)
	write("PUT cardkit/v1/cards/{card}/elements/{element}", "card/element", s.elementPut)
	write("PATCH cardkit/v1/cards/{card}/elements/{element}", "card/element", s.elementPatch)
	write("DELETE cardkit/v1/cards/{card}/elements/{element}", "card/element", s.elementDelete)
	write("PUT cardkit/v1/cards/{card}/elements/{element}/content", "card/content", s.elementContent)
}

// refusal is an answer other than success.
type refusal struct {
	status, code int
	msg          string
	header       map[string]string
	missing      []string // permissions
}

// refuse makes the refusals with the usual status.
func refuse(code int, msg string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: code, msg: msg}
}

func (f *refusal) write(w http.ResponseWriter) {
	log := random()
	w.Header().Set("X-Tt-Logid", log)
	for key, value := range f.header {
		w.Header().Set(key, value)
	}
	about := map[string]any{"log_id": log, "troubleshooter": "https://open.feishu.cn/search?code=" + f.msg}
	if f.missing != nil {
		var violations []any
		for _, scope := range f.missing {
			violations = append(violations, map[string]string{"type": "action_scope_required", "subject": scope})
		}
		about["permission_violations"] = violations
	}
	reply(w, f.status, map[string]any{"code": f.code, "msg": f.msg, "error": about})
}

// feishuHandler is one API. What it returns becomes "data" of the answer, or
// the whole answer if it is top.
type feishuHandler func(r *http.Request) (any, *refusal)

// top is an answer whose fields do not stand under "data".
type top map[string]any

// guard wraps an API that needs a token; one that shows or changes something
// also meets the troubles of those.
func (s *feishuServer) guard(h feishuHandler, writes bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		no := s.admitted(r)
		if no == nil && writes {
			no = s.overload()
		}
		if no == nil {
			var data any
			if data, no = h(r); no == nil {
				if !writes || !s.breakOff(w, feishu) {
					w.Header().Set("X-Tt-Logid", random())
					reply(w, http.StatusOK, success(data))
				}
				return
			}
		}
		no.write(w)
	}
}

func success(data any) any {
	if whole, ok := data.(top); ok {
		whole["code"], whole["msg"] = 0, "ok"
		return whole
	}
	if data == nil {
		data = struct{}{}
	}
	return map[string]any{"code": 0, "msg": "success", "data": data}
}

// admitted checks the token of a call.
func (s *feishuServer) admitted(r *http.Request) *refusal {
	value, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	_, refused := s.dice.strike(feishu, FaultSecret)
	switch {
	case value == "":
		return refuse(99991661, "Missing access token for authorization. Please make a request with token attached.")
	case !bearer || !strings.HasPrefix(value, "t-"):
		return refuse(99991671, "Invalid access token for authorization. Please make a request with token attached, starting with \"t-\" or \"u-\".")
	case refused || !s.tokens.valid(value):
		return refuse(99991663, "Invalid access token for authorization. Please make a request with token attached.")
	default:
		return nil
	}
}

// overload is the answer when a trouble of the platform strikes.
func (s *feishuServer) overload() *refusal {
	many := &refusal{status: http.StatusTooManyRequests, code: 99991400, msg: "request trigger frequency limit"}
	if _, yes := s.dice.strike(feishu, FaultBusy); yes {
		return many
	}
	if limit, yes := s.dice.strike(feishu, FaultLimit); yes {
		if limit.For == 0 {
			return refuse(230020, "This operation triggers the frequency limit.")
		}
		many.header = map[string]string{"x-ogw-ratelimit-limit": "1000", "x-ogw-ratelimit-reset": seconds(limit.For)}
		return many
	}
	if _, yes := s.dice.strike(feishu, FaultQuota); yes {
		return &refusal{status: http.StatusTooManyRequests, code: 99991403, msg: "This month's API call quota has been exceeded"}
	}
	return nil
}

func (s *feishuServer) getToken(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID     string `json:"app_id"`
		Secret string `json:"app_secret"`
	}
	err := strict(r, &m)
	_, refused := s.dice.strike(feishu, FaultSecret)
	switch {
	case err != nil || m.ID == "" || m.Secret == "":
		refuse(10003, "invalid param").write(w)
	case m.ID != feishuApp:
		(&refusal{status: http.StatusOK, code: 10014, msg: "app secret invalid"}).write(w)
	case refused || m.Secret != s.secret:
		(&refusal{status: http.StatusOK, code: 10015, msg: "app secret is wrong"}).write(w)
	default:
		value, life := s.tokens.give()
		reply(w, http.StatusOK, map[string]any{"code": 0, "msg": "ok", "tenant_access_token": value, "expire": life})
	}
}

func (*feishuServer) botInfo(*http.Request) (any, *refusal) {
	return top{"bot": map[string]any{
		"activate_status": 2, "app_name": feishuBot, "avatar_url": "", "ip_white_list": []string{}, "open_id": feishuBotID(),
	}}, nil
}

// scopes tells that everything a chat bot needs is granted, if it is.
func (s *feishuServer) scopes(*http.Request) (any, *refusal) {
	all := []string{
		"im:message:send_as_bot", "im:message.p2p_msg:readonly", "im:message.group_at_msg:readonly", "im:message:readonly",
		"im:message:update", "im:message:recall", "im:resource", "im:message.reactions:write_only", "im:message.reactions:read",
		"im:chat:read", "im:chat.members:bot_access", "im:chat.access_event.bot_p2p_chat:read", "cardkit:card:write", "cardkit:card:read",
		"contact:contact.base:readonly", "contact:user.base:readonly", "contact:user.employee_id:readonly", "application:application:self_manage",
	}
	if s.opt.HearAll {
		all = append(all, "im:message.group_msg")
	}
	var list []map[string]any
	for _, name := range all {
		status := 1
		if s.withheld(name) {
			status = 2
		}
		list = append(list, map[string]any{"scope_name": name, "grant_status": status})
	}
	return map[string]any{"scopes": list}, nil
}

func (s *feishuServer) contact(r *http.Request) (any, *refusal) {
	kind := r.URL.Query().Get("user_id_type")
	e, no := s.person(kind, r.PathValue("user"))
	if no != nil {
		return nil, no
	}
	f := s.people.personnelOf(e)
	var departments []string
	for _, id := range f.departments {
		departments = append(departments, openDepartment(id))
	}
	return map[string]any{"user": map[string]any{
		"open_id": openID(e.ID), "union_id": unionID(e.ID), "user_id": feishuUser(e.ID), "name": e.Name, "en_name": e.ID,
		"email": f.email, "mobile": "+86" + f.mobile, "department_ids": departments, "status": map[string]bool{"is_activated": true, "is_resigned": false},
	}}, nil
}

func (s *feishuServer) chat(r *http.Request) (any, *refusal) {
	if s.withheld("im:chat:read") { // of those that suffice, the one that it has
		no := refuse(99991672, "Access denied. One of the following scopes is required: [im:chat:readonly, im:chat:read, im:chat].")
		no.missing = []string{"im:chat:readonly", "im:chat:read", "im:chat"}
		return nil, no
	}
	at, no := s.chatOf(r.PathValue("chat"))
	if no != nil {
		return nil, no
	}
	if at.group == "" {
		return map[string]any{"chat_mode": "p2p", "name": ""}, nil
	}
	g, _ := s.group(func(id string) bool { return id == at.group })
	return map[string]any{"chat_mode": "group", "chat_type": "private", "name": g.Name, "user_count": "3", "bot_count": "1"}, nil
}

// person finds a person by one of their ids.
func (s *feishuServer) person(kind, id string) (bridge.Employee, *refusal) {
	kind = cmp.Or(kind, byOpen)
	if kind != byOpen && kind != byUnion && kind != byUser {
		return bridge.Employee{}, refuse(99992402, "field validation failed: user_id_type")
	}
	if e, ok := s.people.find(kind, id); ok {
		return e, nil
	}
	if kind == byOpen && strings.HasPrefix(id, "ou_") && len(id) == len(openID("")) {
		return bridge.Employee{}, refuse(99992361, "open_id cross app")
	}
	return bridge.Employee{}, refuse(99992351, "not a valid "+kind+" : ["+id+"]")
}

// chatOf finds a chat by its id.
func (s *feishuServer) chatOf(id string) (talk, *refusal) {
	if e, ok := s.people.find(byP2P, id); ok {
		return talk{platform: feishu, employee: e.ID}, nil
	}
	if g, ok := s.group(func(name string) bool { return feishuGroup(name) == id }); ok {
		return talk{platform: feishu, group: g.ID}, nil
	}
	if strings.HasPrefix(id, "oc_") {
		return talk{}, refuse(230002, "Bot/User can NOT be out of the chat.")
	}
	return talk{}, refuse(230034, "The receive_id is invalid.")
}

// reachable meets the troubles of a chat.
func (s *feishuServer) reachable(at talk) *refusal {
	if at.group != "" {
		if _, yes := s.dice.strike(feishu, FaultDissolved); yes {
			return refuse(232009, "The chat has been dissolved.")
		}
		return nil
	}
	if _, yes := s.dice.strike(feishu, FaultLeft); yes {
		return refuse(230029, "The user has resigned.")
	}
	return nil
}

// window counts what happened within a time.
type window struct{ at []time.Time }

// full says that one more within d would be more than limit, and counts it if not.
func (w *window) full(now time.Time, d time.Duration, limit int) bool {
	w.at = slices.DeleteFunc(w.at, func(t time.Time) bool { return now.Sub(t) >= d })
	if len(w.at) >= limit {
		return true
	}
	w.at = append(w.at, now)
	return false
}

// paced says whether one more operation a second on key is too many. s.mu is held.
func (s *feishuServer) paced(key string, limit int) *refusal {
	if !s.opt.Paced {
		return nil
	}
	w := s.paces[key]
	if w == nil {
		w = &window{}
		s.paces[key] = w
	}
	if w.full(time.Now(), time.Second, limit) {
		return refuse(230020, "This operation triggers the frequency limit.")
	}
	return nil
}

func encoded(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	return string(data)
}
