package wecom_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/internal/platform/platformtest"
	"switchboard/internal/platform/wecom"
)

const (
	account  = "wkAccount-0123456789"
	customer = "wmCustomer-0123456789"
)

// The calls of customer service, as the pages spell them.
const (
	callFetch     = "/cgi-bin/kf/sync_msg"
	callAnswer    = "/cgi-bin/kf/send_msg"
	callWelcome   = "/cgi-bin/kf/send_msg_on_event"
	callCustomers = "/cgi-bin/kf/customer/batchget"
	callAccounts  = "/cgi-bin/kf/account/list"
	callTalk      = "/cgi-bin/kf/service_state/get"
)

// serviceConfig is a bot of customer service.
func serviceConfig(changed map[string]string) bridge.Config {
	c := configWith(changed)
	c.Mode, c.Settings["open_kfid"] = "kf", account
	delete(c.Settings, "agent_id")
	return c
}

// service opens a bot of customer service that speaks to the fake.
func (f *fakeWeCom) service(tb testing.TB, env bridge.Env) bridge.Bot {
	tb.Helper()
	bot, err := wecom.Connector().Open(serviceConfig(map[string]string{"base_url": f.URL}), env)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := bot.Close(); err != nil {
			tb.Error(err)
		}
	})
	return bot
}

// desk is WeCom's side of an account of customer service.
type desk struct {
	list     []item
	tickets  map[string]time.Time // until when
	looks    []time.Time          // without a ticket
	page     int                  // how many are given at once
	most     int                  // messages to a customer who has written once
	wrote    map[string]time.Time // when a customer wrote last
	sent     map[string]int       // messages since then
	states   map[string]int
	used     map[string]bool // ids of messages
	welcomes map[string]time.Time
	fetches  []fetch
	fetched  chan struct{} // closed at the next one
	accounts string
}

// item is what was written; without JSON it is one that is no longer there.
type item struct {
	json string
	at   time.Time
}

type fetch struct {
	from, to int
	ticket   string
}

func newDesk() desk {
	return desk{
		page: 1000, most: 5, tickets: map[string]time.Time{}, wrote: map[string]time.Time{}, sent: map[string]int{}, states: map[string]int{},
		used: map[string]bool{}, welcomes: map[string]time.Time{}, fetched: make(chan struct{}),
		accounts: fmt.Sprintf(`[{"open_kfid":"wkOther","name":"售前"},{"open_kfid":%q,"name":"售后","manage_privilege":true}]`, account),
	}
}

// adopt makes the fake go by the clock of the bubble that it is called in.
func (f *fakeWeCom) adopt() {
	time.Sleep(240 * time.Hour) // into a time that may be one of a message
	f.set(func(f *fakeWeCom) { f.offset = time.Now().Round(0).Sub(f.made.Round(0)) })
}

// put puts something into the account's list.
func (f *fakeWeCom) put(line string, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.desk.list = append(f.desk.list, item{line, at})
}

// write is a customer's text.
func (f *fakeWeCom) write(id, from, text string, at time.Time) {
	words, _ := json.Marshal(text) //nolint:errchkjson // a text
	f.put(fmt.Sprintf(`{"msgid":%q,"open_kfid":%q,"external_userid":%q,"send_time":%d,"origin":3,"msgtype":"text","text":{"content":%s,"menu_id":"1"}}`,
		id, account, from, at.Unix(), words), at)
	f.set(func(f *fakeWeCom) {
		f.desk.wrote[from], f.desk.sent[from] = at, 0
	})
}

// serve answers the calls of customer service. f.mu is held.
func (f *fakeWeCom) serve(path string, body []byte) scripted {
	switch path {
	case callFetch:
		return f.fetch(body)
	case callAnswer:
		return f.answerCustomer(body)
	case callWelcome:
		return f.greet(body)
	case callCustomers:
		var in struct {
			List []string `json:"external_userid_list"`
			Need int      `json:"need_enter_session_context"`
		}
		if !strict(body, &in) || len(in.List) == 0 || len(in.List) > 100 {
			return says(40058, "invalid list")
		}
		if in.List[0] != customer {
			return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","customer_list":[],"invalid_external_userid":[%q]}`, in.List[0])}
		}
		return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","customer_list":[{"external_userid":%q,"nickname":"张三","avatar":"http://x","gender":1,"unionid":"o"}]}`, customer)}
	case callAccounts:
		var in struct{ Offset, Limit int }
		if !strict(body, &in) || in.Limit < 1 || in.Limit > 100 {
			return says(40058, "invalid limit")
		}
		return scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","account_list":` + f.desk.accounts + `}`}
	default:
		var in struct {
			Account  string `json:"open_kfid"`
			Customer string `json:"external_userid"`
		}
		if !strict(body, &in) || in.Account != account {
			return says(95004, "open_kfid not exist")
		}
		return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","service_state":%d,"servicer_userid":"x"}`, f.desk.states[in.Customer])}
	}
}

// fetch gives a page, as the page 94670 says.
func (f *fakeWeCom) fetch(body []byte) scripted {
	var in struct {
		Cursor, Token string
		Limit         int
		Voice         int    `json:"voice_format"`
		Account       string `json:"open_kfid"`
	}
	d, now := &f.desk, time.Now().Add(f.offset)
	if !strict(body, &in) || in.Limit < 1 || in.Limit > 1000 || len(in.Cursor) > 64 || len(in.Token) > 128 {
		return says(40058, "invalid parameter")
	}
	from := 0
	if in.Cursor != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(in.Cursor, "cursor-"))
		if err != nil || n > len(d.list) {
			return says(40058, "invalid cursor")
		}
		from = n
	}
	switch until, known := d.tickets[in.Token]; {
	case in.Account != account:
		return says(95004, "open_kfid not exist")
	case in.Token != "" && (!known || now.After(until)):
		return says(40058, "invalid token")
	case in.Token == "":
		d.looks = slices.DeleteFunc(append(d.looks, now), func(at time.Time) bool { return now.Sub(at) > time.Minute })
		if len(d.looks) > 10 {
			return says(45009, "api freq out of limit")
		}
	}
	for from < len(d.list) && now.Sub(d.list[from].at) > 72*time.Hour {
		from++
	}
	to := min(from+min(in.Limit, d.page), len(d.list))
	var lines []string
	for _, i := range d.list[from:to] {
		if i.json != "" {
			lines = append(lines, i.json)
		}
	}
	d.fetches = append(d.fetches, fetch{from, to, in.Token})
	close(d.fetched)
	d.fetched = make(chan struct{})
	more := 0
	if to < len(d.list) {
		more = 1
	}
	return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","next_cursor":"cursor-%d","has_more":%d,"msg_list":[%s]}`, to, more, strings.Join(lines, ","))}
}

// answerCustomer takes a message to a customer, as the page 94677 says.
func (f *fakeWeCom) answerCustomer(body []byte) scripted {
	var in struct {
		ToUser             string
		Account            string `json:"open_kfid"`
		ID                 string `json:"msgid"`
		MsgType            string
		Text               *struct{ Content string }
		Image, Voice, File *fakeMedia
		Link               json.RawMessage
	}
	d, now := &f.desk, time.Now().Add(f.offset)
	f.bodies = append(f.bodies, body)
	if !strict(body, &in) {
		return says(47001, "data format error")
	}
	content := ""
	switch {
	case in.MsgType == "text" && in.Text != nil:
		content = in.Text.Content
	case f.file(in.MsgType, in.Image, in.Voice, in.File) != "":
		content = f.file(in.MsgType, in.Image, in.Voice, in.File)
	case in.MsgType == "link" && in.Link != nil:
		content = string(in.Link)
	default:
		return says(40008, "invalid message type")
	}
	last, wrote := d.wrote[in.ToUser]
	switch {
	case in.Account != account:
		return says(95004, "open_kfid not exist")
	case !wrote:
		return says(40003, "invalid external_userid")
	case content == noFile:
		return says(40007, "invalid media_id")
	case content == "":
		return says(44004, "empty content")
	case len(content) > 2048:
		return says(45002, "content size out of limit")
	case in.ID != "" && (len(in.ID) > 32 || !regexp.MustCompile(`^[0-9a-zA-Z_-]*$`).MatchString(in.ID) || d.used[in.ID]):
		return says(40058, "invalid Request Parameter, msgid is invalid or repeated")
	case d.states[in.ToUser] > 1:
		return says(95018, "send msg session status invalid")
	case now.Sub(last) > 48*time.Hour:
		return says(95002, "send msg time limit")
	case d.sent[in.ToUser] >= d.most:
		return says(95001, "send msg count limit")
	}
	if in.ID == "" {
		in.ID = "kf-" + strconv.Itoa(len(f.bodies))
	}
	d.sent[in.ToUser]++
	d.used[in.ID] = true
	f.screen = append(f.screen, shown{in.ID, in.ToUser, in.MsgType, content})
	return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","msgid":%q}`, in.ID)}
}

// greet takes the one message to somebody who has opened the chat.
func (f *fakeWeCom) greet(body []byte) scripted {
	var in struct {
		Code, MsgType string
		ID            string `json:"msgid"`
		Text          *struct{ Content string }
	}
	now := time.Now().Add(f.offset)
	if !strict(body, &in) || in.Text == nil || in.Text.Content == "" || len(in.Text.Content) > 2048 || in.MsgType != "text" {
		return says(40058, "invalid parameter")
	}
	if until, known := f.desk.welcomes[in.Code]; !known || now.After(until) {
		return says(95007, "invalid code")
	}
	delete(f.desk.welcomes, in.Code)
	f.screen = append(f.screen, shown{in.ID, customer, "welcome", in.Text.Content})
	return scripted{Status: 200, Body: fmt.Sprintf(`{"errcode":0,"errmsg":"ok","msgid":%q}`, in.ID)}
}

// ring is what the callback carries.
func ring(account, ticket string) string {
	return "<xml><ToUserName><![CDATA[" + corpID + "]]></ToUserName><CreateTime>" + stamp + "</CreateTime><MsgType><![CDATA[event]]></MsgType>" +
		"<Event><![CDATA[kf_msg_or_event]]></Event><Token><![CDATA[" + ticket + "]]></Token><OpenKfId><![CDATA[" + account + "]]></OpenKfId></xml>"
}

// serviceAccount is the account of customer service in TestConformance.
func serviceAccount() platformtest.Account {
	door := callback()
	door.Rings = true
	door.Message = func(id, _ string) []byte { return []byte(ring(account, "ticket-"+id)) }
	door.Forged = func(tb testing.TB) []platformtest.Forgery {
		tb.Helper()
		mine, theirs := encrypt(tb, aesKey, random16, ring(account, "t"), corpID), encrypt(tb, aesKey, random16, ring(account, "t"), "ww0000000000000000")
		return []platformtest.Forgery{
			{Name: "another token", Request: post(query(signature("other", stamp, nonce, mine), stamp, nonce), envelope(mine)), Want: bridge.KindUnauthenticated, Doubt: "token"},
			{Name: "another company", Request: post(query(signature(token, stamp, nonce, theirs), stamp, nonce), envelope(theirs)), Want: bridge.KindForbidden, Doubt: "corp_id"},
		}
	}
	code := func(code int, kind bridge.Kind) platformtest.Failure {
		return platformtest.Failure{Name: strconv.Itoa(code), Answer: platformtest.Answer(says(code, "words")), Kind: kind, Uncertain: code == -1}
	}
	return platformtest.Account{
		Name: "customer service", Config: serviceConfig(nil), URLs: map[string]string{"base_url": ""},
		Fake: func(tb testing.TB) platformtest.Fake {
			tb.Helper()
			f := newFake(tb)
			f.desk.most = 1000
			f.desk.wrote[customer] = time.Now()
			return serviceStage{stage{f}}
		},
		To:     func(string) bridge.Address { return to(customer, "") },
		Hidden: []string{"token-1/+==", "token-1%2F%2B%3D%3D"}, Refused: []platformtest.Value{{Key: "secret", Value: "wrong-secret-that-is-quoted"}},
		Failures: append([]platformtest.Failure{
			code(95001, bridge.KindQuota), code(95002, bridge.KindExpired), code(95004, bridge.KindNotFound), code(95011, bridge.KindCredential),
			code(95013, bridge.KindExpired), code(95016, bridge.KindInvalid), code(95017, bridge.KindForbidden), code(95018, bridge.KindExpired),
		}, slices.DeleteFunc(failures(), func(f platformtest.Failure) bool { return f.Name == "refused by name" })...),
		Quote:   func(words string) platformtest.Answer { return platformtest.Answer(says(40058, words)) },
		Webhook: door, Known: customer, Unknown: "wmNobody", Kept: bridge.File{ID: "MEDIA-1"}, Gone: bridge.File{ID: "MEDIA-2"},
	}
}

// serviceStage is the fake as the suite sees it.
type serviceStage struct{ stage }

// Answer implements platformtest.Fake.
func (s serviceStage) Answer(a platformtest.Answer) { s.fake.script(callAnswer, scripted(a)) }

// Push implements platformtest.Pusher.
func (s serviceStage) Push(id, text string) { s.fake.write(id, customer, text, time.Now()) }

// Acknowledged implements platformtest.Pusher: it waits for a fetch after the one
// that gave the message.
func (s serviceStage) Acknowledged(id string) bool {
	for {
		s.fake.mu.Lock()
		fetched, given := s.fake.desk.fetched, false
		at := slices.IndexFunc(s.fake.desk.list, func(i item) bool { return strings.Contains(i.json, `"msgid":"`+id+`"`) })
		for _, f := range s.fake.desk.fetches {
			if given {
				s.fake.mu.Unlock()
				return f.from > at
			}
			given = f.from <= at && at < f.to
		}
		s.fake.mu.Unlock()
		<-fetched
	}
}

// TestServiceSends: what customers read has no markup, is short enough, and is
// shown once.
func TestServiceSends(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.desk.wrote[customer] = time.Now()
	bot := f.service(t, bridge.Env{})
	for key, c := range map[string]struct {
		content    bridge.Content
		kind, want string
	}{
		"text":   {bridge.Text{Text: "**a**"}, "text", "**a**"},
		"marks":  {bridge.Markdown{Text: "# One\n\n**two** [three](https://example.com/) `x`\n- [ ] four"}, "text", "One\n\ntwo three (https://example.com/) x\n☐ four"},
		"card":   {bridge.Card{Title: "T", Text: "x", Buttons: []bridge.Button{{Text: "Go", URL: "https://example.com/"}}}, "text", "T\n\nx\n\n1. Go (https://example.com/)"},
		"image":  {bridge.Picture{Name: "a.png", Data: png(10)}, "image", "image UP-1 a.png"},
		"native": {bridge.Native{Type: "link", JSON: []byte(`{"title":"x"}`)}, "link", `{"title":"x"}`},
	} {
		f.set(func(f *fakeWeCom) { f.screen, f.desk.sent = nil, map[string]int{} })
		id, err := bot.Send(t.Context(), to(customer, key), c.content)
		if got := f.shown(); err != nil || len(id) != 32 || len(got) != 1 || got[0] != (shown{string(id), customer, c.kind, c.want}) {
			t.Errorf("%s: %q, %v: %q", key, id, err, got)
		}
	}
	for _, at := range []bridge.Address{{Bot: "wc", Chat: "g", Kind: bridge.Group, User: customer}, {Bot: "wc", Kind: bridge.Direct}} {
		if _, err := bot.Send(t.Context(), at, bridge.Text{Text: "x"}); err == nil {
			t.Errorf("sent to %+v", at)
		}
	}
}

// TestServiceLimits: the sixth message, one after two days, and one in a talk with
// a member of staff are refused, and the admin reads why.
func TestServiceLimits(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		f.write("m1", customer, "hi", time.Now())
		bot := f.service(t, bridge.Env{})
		send := func(key string) error {
			_, err := bot.Send(t.Context(), to(customer, key), bridge.Text{Text: "x"})
			return err
		}
		for n := range 5 {
			if err := send(strconv.Itoa(n)); err != nil {
				t.Fatal(err)
			}
		}
		wants := func(err error, kind bridge.Kind, words string) {
			t.Helper()
			if e := i18n.Explain(bridge.English, err); bridge.KindOf(err) != kind || !strings.Contains(e.String(), words) {
				t.Errorf("%v: %s", err, e)
			}
		}
		wants(send("5"), bridge.KindQuota, "five")
		if err := send("4"); err != nil { // which was shown
			t.Error(err)
		}
		f.write("m2", customer, "more", time.Now())
		f.set(func(f *fakeWeCom) { f.desk.states[customer] = 3 })
		wants(send("5"), bridge.KindExpired, "staff")
		f.set(func(f *fakeWeCom) { f.desk.states[customer] = 0 })
		f.sleep(49 * time.Hour)
		wants(send("5"), bridge.KindExpired, "48 hours")
		if got := f.shown(); len(got) != 5 {
			t.Errorf("shown %q", got)
		}
	})
}

// TestServiceCheck: an account that is not there, or not ours, is found, with the
// ones there are.
func TestServiceCheck(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*fakeWeCom)
		code   string
		words  []string
	}{
		"another": {func(f *fakeWeCom) {
			f.desk.accounts = `[{"open_kfid":"wkA","name":"售\n前"},{"open_kfid":"wkB","name":""}]`
		}, "account", []string{"售 前 wkA, wkB"}},
		"none": {func(f *fakeWeCom) { f.desk.accounts = `[]` }, "account", []string{"–", "可调用接口的应用"}},
		"not managed": {func(f *fakeWeCom) {
			f.desk.accounts = fmt.Sprintf(`[{"open_kfid":%q,"manage_privilege":false}]`, account)
		}, "account", []string{account, "API"}},
		"no right": {func(f *fakeWeCom) { f.scripts[callAccounts] = []scripted{says(48002, "api forbidden")} }, "account", []string{"–"}},
		"address":  {func(f *fakeWeCom) { f.trusted = false }, "ip", []string{"203.0.113.7"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			c.change(f)
			findings, err := f.service(t, bridge.Env{}).Check(t.Context())
			if err != nil || len(findings) == 0 {
				t.Fatalf("%v, %v", findings, err)
			}
			last := findings[len(findings)-1]
			var args []any
			for key, value := range last.Args {
				args = append(args, key, value)
			}
			for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
				said := i18n.Text(lang, "finding.wecom."+last.Code+".next", args...) + i18n.Explain(lang, last.Err).String()
				for _, word := range c.words {
					if last.OK || last.Code != c.code || !strings.Contains(said, word) || strings.Contains(said, "{") {
						t.Errorf("%+v: %s", last, said)
					}
				}
			}
		})
	}
}

// TestServiceIgnores: what the callback brings that is not a ring for this account
// wakes nobody, but is taken.
func TestServiceIgnores(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.service(t, bridge.Env{})
		_, _ = listening(t, bot)
		synctest.Wait()
		for _, inner := range []string{ring("wkOther", "t"), inner(hello), inner("<MsgType>event</MsgType><Event>enter_agent</Event>")} {
			d, err := bot.Receive(t.Context(), genuine(t, inner))
			if err != nil || d.Note == "" || d.Suspect || len(d.Messages) != 0 || len(d.Response.Body) != 0 {
				t.Errorf("%+v, %v", d, err)
			}
		}
		synctest.Wait()
		if n := f.count(callFetch); n != 1 {
			t.Errorf("%d fetches", n)
		}
		for range 3 {
			if d, err := bot.Receive(t.Context(), genuine(t, ring(account, "t"))); err != nil || d.Note != "" || d.Response.Status > http.StatusOK {
				t.Errorf("%+v, %v", d, err)
			}
		}
	})
}

// TestFetchThoughNobodySaysWhoAnswers: a customer of whom WeCom does not say whether a
// human still answers them is left to the human, and what others write is read; a
// trouble that passes is waited for.
func TestFetchThoughNobodySaysWhoAnswers(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.service(t, bridge.Env{Notes: notes})
		h, stop := listening(t, bot)
		synctest.Wait()
		f.put(fmt.Sprintf(`{"msgid":"e1","send_time":%d,"origin":4,"msgtype":"event","event":{"event_type":"session_status_change","open_kfid":%q,"external_userid":%q,"change_type":1,"new_servicer_userid":"s"}}`,
			time.Now().Unix(), account, customer), time.Now())
		f.script(callTalk, says(84061, "not external contact"))
		f.write("m1", customer, "to the human", time.Now())
		f.write("m2", "wmOther", "another customer", time.Now())
		f.rings(t, bot, "t1")
		same(t, "not told", h.heard(), "another customer")
		f.script(callTalk, says(-1, "busy"))
		f.write("m3", customer, "to the bot", time.Now())
		f.write("m4", "wmOther", "and more", time.Now())
		f.rings(t, bot, "t2")
		f.sleep(time.Minute)
		synctest.Wait()
		same(t, "told later", h.heard(), "another customer", "to the bot", "and more")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestFetchThoughOddOnce: a new token that is refused as well, or the page of something
// in between, is not the end, as a setting that is wrong would be.
func TestFetchThoughOddOnce(t *testing.T) {
	t.Parallel()
	page := scripted{Status: 302, Body: "<html>"}
	for name, answers := range map[string][]scripted{
		"tokens": {says(40014, "invalid access_token"), says(42001, "access_token expired")}, "a page": {page, page, page},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t)
			synctest.Test(t, func(t *testing.T) {
				f.adopt()
				bot := f.service(t, bridge.Env{})
				h, stop := listening(t, bot)
				synctest.Wait()
				f.script(callFetch, answers...)
				f.write("m1", customer, "one", time.Now())
				f.rings(t, bot, "t1")
				f.sleep(time.Minute)
				synctest.Wait()
				same(t, "in the end", h.heard(), "one")
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
