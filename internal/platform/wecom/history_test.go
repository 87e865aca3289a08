package wecom_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// house is who accepts what a bot hears.
type house struct {
	mu      sync.Mutex
	texts   []string
	all     []bridge.Message
	actions []bridge.Action
	notes   []string
	refuse  int // that many deliveries
	refused int
}

func (h *house) accept(_ context.Context, d bridge.Delivery) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(d.Messages)+len(d.Actions) > 0 && h.refuse > 0 {
		h.refuse--
		h.refused++
		return errors.New("the disk is full")
	}
	for _, m := range d.Messages {
		h.texts, h.all = append(h.texts, m.Text), append(h.all, m)
	}
	h.actions = append(h.actions, d.Actions...)
	if d.Note != "" {
		h.notes = append(h.notes, d.Note)
	}
	return nil
}

// heard are the texts so far.
func (h *house) heard() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.texts)
}

// listening has a house listen to a bot until the end of the test, or until stop.
func listening(t *testing.T, bot bridge.Bot) (h *house, stop func() error) {
	t.Helper()
	listener, ok := bot.(bridge.Listener)
	if !ok {
		t.Fatal("no Listener")
	}
	h = &house{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- listener.Listen(ctx, h.accept) }()
	stop = sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() { _ = stop() })
	return h, stop
}

// rings wakes the bot with a ticket that is good for ten minutes.
func (f *fakeWeCom) rings(t *testing.T, bot bridge.Bot, ticket string) {
	t.Helper()
	f.set(func(f *fakeWeCom) { f.desk.tickets[ticket] = time.Now().Add(10 * time.Minute) })
	req := genuine(t, ring(account, ticket))
	req.At = time.Now()
	if d, err := bot.Receive(t.Context(), req); err != nil || d.Note != "" {
		t.Fatalf("%+v, %v", d, err)
	}
	synctest.Wait()
}

// fetches are the reads so far.
func (f *fakeWeCom) fetches() []fetch {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.desk.fetches)
}

func same(t *testing.T, when string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// TestFetch: a ring has everything fetched that is new, in order and once, and
// after a restart it goes on from there.
func TestFetch(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.service(t, bridge.Env{Notes: notes})
		h, stop := listening(t, bot)
		synctest.Wait()
		f.write("m1", customer, "one", time.Now())
		f.write("m2", "wmOther", "two", time.Now())
		f.rings(t, bot, "t1")
		same(t, "rung", h.heard(), "one", "two")
		f.rings(t, bot, "t1") // delivered again
		same(t, "rung again", h.heard(), "one", "two")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		f.sleep(time.Hour)
		for n := range 3 {
			f.write("m"+strconv.Itoa(3+n), customer, "later "+strconv.Itoa(n), time.Now())
		}
		again, _ := listening(t, f.service(t, bridge.Env{Notes: notes}))
		synctest.Wait()
		same(t, "after a restart", again.heard(), "later 0", "later 1", "later 2")
		m := h.all[0]
		if m.ID != "m1" || m.Bot != "wc" || m.Chat != (bridge.Chat{ID: customer, Kind: bridge.Direct}) || m.Sender.ID != customer || m.Sender.Tenant != corpID || m.Address.ReplyTo != "m1" {
			t.Errorf("got %+v", m)
		}
		for _, fetch := range f.fetches()[1:3] {
			if fetch.ticket != "t1" {
				t.Errorf("fetched without the ticket: %+v", fetch)
			}
		}
	})
}

// TestFetchPages: there may be more after a page, even after an empty one.
func TestFetchPages(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		f.desk.page = 4
		var want []string
		for n := range 30 {
			f.write("m"+strconv.Itoa(n), customer, strconv.Itoa(n), time.Now())
			want = append(want, strconv.Itoa(n))
			if n == 10 {
				for range 9 {
					f.put("", time.Now())
				}
			}
		}
		h, _ := listening(t, f.service(t, bridge.Env{}))
		synctest.Wait()
		same(t, "all pages", h.heard(), want...)
	})
}

// TestFetchStandsStill: a server that says there is more but leads nowhere is not
// asked in a loop.
func TestFetchStandsStill(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		stuck := scripted{Status: 200, Body: `{"errcode":0,"errmsg":"ok","next_cursor":"","has_more":1,"msg_list":[]}`}
		f.script(callFetch, slices.Repeat([]scripted{stuck}, 100)...)
		_, stop := listening(t, f.service(t, bridge.Env{}))
		f.sleep(time.Hour)
		synctest.Wait()
		if err := stop(); bridge.KindOf(err) != bridge.KindUnavailable || f.count(callFetch) != 5 {
			t.Errorf("%v after %d fetches", err, f.count(callFetch))
		}
	})
}

// TestFetchDies: whenever the program dies between the fetch and the note about it,
// nothing is lost; and what was not accepted is not passed over.
func TestFetchDies(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*house, *pad){
		"before it is accepted": func(h *house, _ *pad) { h.refuse = 1 << 20 },
		"before it is noted":    func(_ *house, p *pad) { p.fail = errors.New("the disk is full") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, notes := newFake(t), &pad{}
			synctest.Test(t, func(t *testing.T) {
				f.adopt()
				bot := f.service(t, bridge.Env{Notes: notes})
				h, stop := listening(t, bot)
				synctest.Wait()
				f.write("m1", customer, "one", time.Now())
				h.mu.Lock()
				notes.mu.Lock()
				breaks(h, notes)
				notes.mu.Unlock()
				h.mu.Unlock()
				f.rings(t, bot, "t1")
				_ = stop()
				notes.mu.Lock()
				notes.fail = nil
				notes.mu.Unlock()
				again, _ := listening(t, f.service(t, bridge.Env{Notes: notes}))
				synctest.Wait()
				same(t, "the next run", again.heard(), "one")
				if len(again.all) == 1 && again.all[0].ID != "m1" {
					t.Errorf("another id: %+v", again.all)
				}
			})
		})
	}
}

// TestFetchRetries: a trouble of the house or of WeCom's passes; what was fetched
// meanwhile is not accepted twice for it, and a lasting one is told.
func TestFetchRetries(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.service(t, bridge.Env{})
		h, stop := listening(t, bot)
		synctest.Wait()
		h.mu.Lock()
		h.refuse = 2
		h.mu.Unlock()
		f.script(callFetch, says(-1, "busy"))
		f.write("m1", customer, "one", time.Now())
		f.rings(t, bot, "t1")
		f.sleep(time.Minute)
		synctest.Wait()
		same(t, "in the end", h.heard(), "one")
		if h.refused != 2 {
			t.Errorf("refused %d times", h.refused)
		}
		f.script(callFetch, says(45009, "limit"))
		before := f.count(callFetch)
		f.rings(t, bot, "t2")
		f.rings(t, bot, "t3") // does not make it faster
		f.sleep(50 * time.Second)
		synctest.Wait()
		if n := f.count(callFetch) - before; n != 1 {
			t.Errorf("%d fetches while WeCom wants rest", n)
		}
		f.sleep(20 * time.Second)
		synctest.Wait()
		if n := f.count(callFetch) - before; n < 2 {
			t.Errorf("%d fetches after the rest", n)
		}
		f.script(callFetch, says(48002, "api forbidden"))
		f.rings(t, bot, "t4")
		if err := stop(); bridge.KindOf(err) != bridge.KindForbidden {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestFetchTicket: a ticket is used as long as it is good; a refused one is done
// without, and so is a refused cursor: what is known has the same ids.
func TestFetchTicket(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.service(t, bridge.Env{Notes: notes})
		h, stop := listening(t, bot)
		synctest.Wait()
		f.write("m1", customer, "one", time.Now())
		f.rings(t, bot, "t1")
		f.sleep(11 * time.Minute)
		synctest.Wait()
		f.set(func(f *fakeWeCom) { delete(f.desk.tickets, "t2") })
		req := genuine(t, ring(account, "unknown"))
		req.At = time.Now()
		f.write("m2", customer, "two", time.Now())
		if _, err := bot.Receive(t.Context(), req); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		same(t, "without a good ticket", h.heard(), "one", "two")
		var tickets []string
		for _, fetch := range f.fetches() {
			tickets = append(tickets, fetch.ticket)
		}
		// At the start, rung, twice by the clock (5 minutes and 10, of which the first with the
		// ticket that is still good), and rung with a bad one.
		same(t, "the tickets", tickets, "", "t1", "t1", "", "")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		notes.notes["read "+account] = strings.Replace(notes.notes["read "+account], "cursor-2", "cursor-old", 1)
		f.write("m3", customer, "three", time.Now())
		again, _ := listening(t, f.service(t, bridge.Env{Notes: notes}))
		synctest.Wait()
		same(t, "without the cursor", again.heard(), "one", "two", "three")
		if again.all[0].ID != "m1" {
			t.Errorf("other ids: %+v", again.all)
		}
	})
}

// TestFetchBeginning: what was written before the bot was first started is not for
// it, even if the cursor gets lost.
func TestFetchBeginning(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		f.write("m0", customer, "long before", time.Now().Add(-time.Hour))
		f.write("m1", customer, "just before", time.Now().Add(-time.Minute))
		h, stop := listening(t, f.service(t, bridge.Env{Notes: notes}))
		synctest.Wait()
		same(t, "first start", h.heard(), "just before")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		f.sleep(24 * time.Hour)
		notes.notes["read "+account] = strings.Replace(notes.notes["read "+account], "cursor-2", "cursor-old", 1)
		again, _ := listening(t, f.service(t, bridge.Env{Notes: notes}))
		synctest.Wait()
		same(t, "a day later, without the cursor", again.heard(), "just before")
		for range 73 * 12 { // the server's clock moves only between naps
			f.sleep(5 * time.Minute)
		}
		f.write("m2", customer, "new", time.Now())
		f.sleep(6 * time.Minute) // nobody rang
		synctest.Wait()
		same(t, "days later", again.heard(), "just before", "new")
	})
}

// TestFetchKinds reads every kind of message, and events.
func TestFetchKinds(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		now := time.Now().Unix()
		line := func(id, kind, more string) string {
			return fmt.Sprintf(`{"msgid":%q,"open_kfid":%q,"external_userid":%q,"send_time":%d,"origin":3,"msgtype":%q,%s}`, id, account, customer, now, kind, more)
		}
		event := func(id, more string) string {
			return fmt.Sprintf(`{"msgid":%q,"send_time":%d,"origin":4,"msgtype":"event","event":{"open_kfid":%q,%s}}`, id, now, account, more)
		}
		f.desk.welcomes["CODE"] = time.Now().Add(20 * time.Second)
		for _, l := range []string{
			line("1", "text", `"text":{"content":" hello ","menu_id":"x"}`),
			line("2", "image", `"image":{"media_id":"IMG"}`),
			line("3", "voice", `"voice":{"media_id":"VOI"}`),
			line("4", "video", `"video":{"media_id":"VID"}`),
			line("5", "file", `"file":{"media_id":"FIL"}`),
			line("6", "location", `"location":{"latitude":23.106021881103501,"longitude":113.320503234863,"name":"广州塔","address":"海珠区"}`),
			line("7", "link", `"link":{"title":"T","desc":"D","url":"https://example.com/","pic_url":"p"}`),
			line("8", "miniprogram", `"miniprogram":{"title":"小程序","appid":"a","pagepath":"p","thumb_media_id":"m"}`),
			line("9", "business_card", `"business_card":{"userid":"u"}`),
			line("10", "image", `"image":{}`),
			`{"msgid":"11","open_kfid":"wkOther","external_userid":"x","send_time":1,"origin":3,"msgtype":"text","text":{"content":"for others"}}`,
			strings.Replace(line("12", "text", `"text":{"content":"staff"}`), `"origin":3`, `"origin":5,"servicer_userid":"s"`, 1),
			`{"msgid":13,"open_kfid":"` + account + `","external_userid":"` + customer + `","send_time":"` + strconv.FormatInt(now, 10) + `","origin":"3","msgtype":"text","text":{"content":"odd types"}}`,
			`[1,2]`, `{"text":"x","msgid":"14"}`, `{}`,
			event("20", `"event_type":"enter_session","external_userid":"`+customer+`","scene":"s","welcome_code":"CODE"`),
			event("21", `"event_type":"enter_session","external_userid":"`+customer+`","scene":"s"`),
			event("22", `"event_type":"msg_send_fail","external_userid":"`+customer+`","fail_msgid":"f","fail_type":6`),
			event("23", `"event_type":"servicer_status_change","servicer_userid":"s","status":1`),
			event("24", `"event_type":"user_recall_msg","external_userid":"`+customer+`","recall_msgid":"1"`),
		} {
			f.put(l, time.Now())
		}
		bot := f.service(t, bridge.Env{})
		h, _ := listening(t, bot)
		synctest.Wait()
		var got []string
		for _, m := range h.all {
			got = append(got, fmt.Sprint(m.ID, " ", m.Text, files(m)))
		}
		same(t, "messages", got, "1 hello", "2 image:IMG", "3 audio:VOI voice.amr", "4 video:VID", "5 file:FIL",
			"6 📍 广州塔 海珠区 (23.106021881103501, 113.320503234863)", "7 [T](https://example.com/)\nD", "8 小程序", "13 odd types")
		slices.Sort(h.notes)
		same(t, "notes", h.notes, "a message of customer service that is not the JSON we know", "a message of type image without a media id",
			"a message was not shown to the customer: more than five messages", "event servicer_status_change", "unsupported message type business_card")
		if len(h.actions) != 2 || h.actions[0].Kind != bridge.ActionEntered || h.actions[0].ID != "20" || h.actions[0].Sender.ID != customer ||
			h.actions[1].Kind != bridge.ActionRecalled || h.actions[1].Message != "1" {
			t.Fatalf("actions %+v", h.actions)
		}
		door := h.actions[0].Address.WithKey("greeting")
		for range 2 { // the second time it is known to have been shown, or cannot be
			_, _ = bot.Send(t.Context(), door, bridge.Markdown{Text: "**Welcome**"})
		}
		if got := f.shown(); len(got) != 1 || got[0].Type != "welcome" || got[0].Text != "Welcome" || f.count(callAnswer) != 0 {
			t.Errorf("shown %q", got)
		}
		if !door.Expires.Equal(time.Unix(now+20, 0)) {
			t.Errorf("the address expires at %v", door.Expires)
		}
	})
}

func files(m bridge.Message) string {
	var b strings.Builder
	for _, f := range m.Files {
		b.WriteString(strings.TrimSpace(string(f.Kind) + ":" + f.ID + " " + f.Name))
		if f.Message != m.ID {
			b.WriteString(" of another message")
		}
	}
	return b.String()
}

// TestFetchGreetsInTime: nobody is greeted who opened the chat a while ago.
func TestFetchGreetsInTime(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		at := time.Now().Add(-21 * time.Second)
		f.put(fmt.Sprintf(`{"msgid":"1","send_time":%d,"origin":4,"msgtype":"event","event":{"event_type":"enter_session","external_userid":"x","welcome_code":"C"}}`, at.Unix()), at)
		h, _ := listening(t, f.service(t, bridge.Env{}))
		synctest.Wait()
		if len(h.actions) != 0 || len(h.notes) != 0 {
			t.Errorf("%+v, %q", h.actions, h.notes)
		}
	})
}

// TestFetchLeavesToHumans: as long as a member of staff answers a customer the bot
// does not; whether that is still so WeCom is asked, and only then.
func TestFetchLeavesToHumans(t *testing.T) {
	t.Parallel()
	f, notes := newFake(t), &pad{}
	synctest.Test(t, func(t *testing.T) {
		f.adopt()
		bot := f.service(t, bridge.Env{Notes: notes})
		h, stop := listening(t, bot)
		synctest.Wait()
		change := func(id string, kind int) {
			f.put(fmt.Sprintf(`{"msgid":%q,"send_time":%d,"origin":4,"msgtype":"event","event":{"event_type":"session_status_change","open_kfid":%q,"external_userid":%q,"change_type":%d,"new_servicer_userid":"s"}}`,
				id, time.Now().Unix(), account, customer, kind), time.Now())
		}
		f.write("m1", customer, "to the bot", time.Now())
		f.rings(t, bot, "t1")
		change("e1", 1)
		f.set(func(f *fakeWeCom) { f.desk.states[customer] = 3 })
		f.write("m2", customer, "to the human", time.Now())
		f.write("m3", "wmOther", "another customer", time.Now())
		f.rings(t, bot, "t2")
		same(t, "with a human", h.heard(), "to the bot", "another customer")
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		f.write("m4", customer, "still to the human", time.Now())
		again := f.service(t, bridge.Env{Notes: notes})
		h, _ = listening(t, again)
		synctest.Wait()
		same(t, "after a restart", h.heard())
		f.set(func(f *fakeWeCom) { f.desk.states[customer] = 0 }) // and the event about it was lost
		f.write("m5", customer, "to the bot again", time.Now())
		f.write("m6", customer, "and again", time.Now())
		f.rings(t, again, "t3")
		same(t, "without a human", h.heard(), "to the bot again", "and again")
		change("e2", 2)
		change("e3", 3)
		f.write("m7", customer, "after the end", time.Now())
		f.rings(t, again, "t4")
		same(t, "after the end", h.heard(), "to the bot again", "and again", "after the end")
		if n := f.count(callTalk); n != 3 {
			t.Errorf("asked %d times", n)
		}
	})
}

// once ends a run as soon as it has noted how far it read.
type once struct {
	pad

	end context.CancelFunc
}

// Keep implements bridge.Notes.
func (o *once) Keep(ctx context.Context, name, note string) error {
	if strings.Contains(note, "cursor") {
		o.end()
	}
	return o.pad.Keep(ctx, name, note)
}

// FuzzFetched: nothing that WeCom could say breaks the listener, and what it makes
// a message of is complete.
func FuzzFetched(f *testing.F) {
	for _, seed := range []string{
		`{"msgid":"1","open_kfid":"` + account + `","external_userid":"x","send_time":1700000000,"origin":3,"msgtype":"text","text":{"content":"a"}}`,
		`{"msgid":"1","external_userid":"x","origin":3,"msgtype":"location","location":{"latitude":1,"longitude":"2","name":"n"}}`,
		`{"msgid":"1","msgtype":"event","event":{"event_type":"enter_session","external_userid":"x","welcome_code":"c"}}`,
		`{"msgid":"1","msgtype":"event","event":{"event_type":"session_status_change","external_userid":"x","change_type":1}}`,
		`{"msgid":"1","msgtype":"event","event":{"event_type":"msg_send_fail","fail_type":-1}}`, `null`, `{"msgid":{}}`,
	} {
		f.Add(seed)
	}
	server := newFake(f)
	f.Fuzz(func(t *testing.T, line string) {
		if !json.Valid([]byte(line)) {
			return
		}
		server.set(func(s *fakeWeCom) {
			s.scripts[callFetch] = []scripted{{Status: 200, Body: `{"errcode":0,"errmsg":"ok","next_cursor":"c","has_more":0,"msg_list":[` + line + `]}`}}
		})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		listener, _ := server.service(t, bridge.Env{Notes: &once{end: cancel}}).(bridge.Listener)
		if err := listener.Listen(ctx, func(_ context.Context, d bridge.Delivery) error { return whole(t, d) }); err != nil {
			t.Error(err)
		}
	})
}

// whole wants a delivery to be complete.
func whole(t *testing.T, d bridge.Delivery) error {
	t.Helper()
	for _, m := range d.Messages {
		if m.ID == "" || m.Sender.ID == "" || m.Chat.ID == "" || m.SentAt.IsZero() || m.Text == "" && len(m.Files) == 0 {
			t.Errorf("incomplete: %+v", m)
		}
	}
	for _, a := range d.Actions {
		if a.ID == "" || a.Kind == "" || a.Sender.ID == "" {
			t.Errorf("incomplete: %+v", a)
		}
	}
	if len(d.Note) > 200 || strings.Contains(d.Note, "\n") {
		t.Errorf("note %q", d.Note)
	}
	return nil
}
