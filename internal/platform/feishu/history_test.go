package feishu_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// kept is a message in the fake's history.
type kept struct {
	chat, item string // JSON
	at         time.Time
}

// Keep implements platformtest.Keeper.
func (s stage) Keep(chat, id, text string, at time.Time) {
	s.keep(chat, listed(id, text, at, ""))
}

// open starts the fake's server.
func (f *fake) open(tb testing.TB) {
	tb.Helper()
	f.Server = httptest.NewUnstartedServer(f)
	f.Config.SetKeepAlivesEnabled(false) // lets synctest see an idle client
	f.Start()
	tb.Cleanup(f.Close)
}

func (f *fake) keep(chat, item string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var m struct {
		CreatedAt string `json:"create_time"`
	}
	_ = json.Unmarshal([]byte(item), &m)
	ms, _ := strconv.ParseInt(m.CreatedAt, 10, 64)
	f.history = append(f.history, kept{chat, item, time.UnixMilli(ms)})
}

// listed is a text message as a list has it; more are further fields.
func listed(id, text string, at time.Time, more string) string {
	content, _ := json.Marshal(map[string]string{"text": text})
	return fmt.Sprintf(`{"message_id":%q,"msg_type":"text","create_time":"%d","update_time":"%d","deleted":false,"updated":false,"chat_id":"oc_1",
		"sender":{"id":"ou_1","id_type":"open_id","sender_type":"user","tenant_key":"tk1"},"body":{"content":%q}%s}`,
		id, at.UnixMilli(), at.UnixMilli(), string(content), more)
}

// list answers like "Get chat history". The lock is held.
func (f *fake) list(q url.Values) answer {
	size, err := strconv.Atoi(q.Get("page_size"))
	start, wrong := strconv.ParseInt(q.Get("start_time"), 10, 64)
	if err != nil || wrong != nil || size > 50 || len(q.Get("start_time")) != 10 || q.Get("container_id_type") != "chat" || q.Get("sort_type") != "ByCreateTimeAsc" {
		return bad(230001, "Your request contains an invalid request parameter.")
	}
	chat := q.Get("container_id")
	var items []string
	known := false
	for _, k := range f.history {
		known = known || k.chat == chat
		if k.chat == chat && k.at.Unix() >= start {
			items = append(items, k.item)
		}
	}
	if !known && len(f.history) > 0 {
		return bad(230002, "The bot can not be outside the group.")
	}
	from, _ := strconv.Atoi(strings.TrimPrefix(q.Get("page_token"), "page-"))
	end := min(from+size, len(items))
	next := ""
	if end < len(items) {
		next = fmt.Sprintf(`,"page_token":"page-%d"`, end)
	}
	return ok(`{"has_more":%t,"items":[%s]%s}`, next != "", strings.Join(items[from:end], ","), next)
}

// missed collects what is listed.
func missed(t *testing.T, bot bridge.Bot, chat bridge.Chat, since time.Time) ([]bridge.Message, error) {
	t.Helper()
	lister, ok := bot.(bridge.Backfiller)
	if !ok {
		t.Fatal("not a Backfiller")
	}
	var all []bridge.Message
	for m, err := range lister.Missed(t.Context(), chat, since) {
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
	return all, nil
}

func texts(all []bridge.Message) []string {
	var said []string
	for _, m := range all {
		said = append(said, m.Text)
	}
	return said
}

// TestMissedIsAsDelivered: a message is the same, whichever way it came.
func TestMissedIsAsDelivered(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	delivered := receiveOne(t, bot, hello())
	f.keep(delivered.Chat.ID, fmt.Sprintf(`{"message_id":%q,"msg_type":"text","create_time":"%d","chat_id":%q,
		"sender":{"id":%q,"id_type":"open_id","sender_type":"user","tenant_key":%q},"body":{"content":"{\"text\":\"hi\"}"}}`,
		delivered.ID, delivered.SentAt.UnixMilli(), delivered.Chat.ID, delivered.Sender.ID, delivered.Sender.Tenant))
	got, err := missed(t, bot, delivered.Chat, delivered.SentAt)
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	delivered.Sender.Alias = map[string]string{} // a list tells one id only
	if diff := cmp.Diff(delivered, got[0]); diff != "" {
		t.Error(diff)
	}
}

// TestMissedLeavesOut what is not for the bot.
func TestMissedLeavesOut(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	at := time.Now().Add(-time.Minute).Truncate(time.Second)
	mention := func(id string) string {
		return fmt.Sprintf(`,"mentions":[{"key":"@_user_1","id":%q,"id_type":"open_id","name":"Li","tenant_key":"tk1"}]`, id)
	}
	own := strings.NewReplacer(`"ou_1"`, `"cli_x"`, `"open_id"`, `"app_id"`, `"sender_type":"user"`, `"sender_type":"app"`)
	for _, item := range []string{
		listed("om_1", "@_user_1 for the bot", at, mention(botID)), listed("om_2", "for everybody", at, ""), listed("om_3", "@_user_1 for Li", at, mention("ou_2")),
		own.Replace(listed("om_4", "@_user_1 by the bot", at, mention(botID))),
		strings.Replace(listed("om_5", "@_user_1 This message was recalled", at, mention(botID)), `"deleted":false`, `"deleted":true`, 1),
		strings.Replace(listed("om_6", "@_user_1 a sticker", at, mention(botID)), `"msg_type":"text"`, `"msg_type":"sticker"`, 1),
		listed("om_7", "@_user_1 @_user_2 for both", at, `,"mentions":[{"key":"@_user_1","id":"ou_2","name":"Li"},{"key":"@_user_2","id":"`+botID+`","name":"Bot"}]`),
		listed("om_8", "a moment too early", at.Add(-time.Minute), mention(botID)),
	} {
		f.keep("oc_group", item)
	}
	got, err := missed(t, bot, bridge.Chat{ID: "oc_group", Kind: bridge.Group}, at)
	if err != nil || !slices.Equal(texts(got), []string{"for the bot", "@Li for both"}) {
		t.Errorf("listed %q, %v", texts(got), err)
	}
	if f.count(pathBot) != 1 {
		t.Errorf("its own id was asked for %d times", f.count(pathBot))
	}
	if _, err := missed(t, bot, bridge.Chat{ID: "oc_group", Kind: bridge.Group}, at); err != nil || f.count(pathBot) != 1 {
		t.Errorf("asked for again: %d times, %v", f.count(pathBot), err)
	}
}

// TestMissedRefused: a missing right is an error, a chat that is closed to the
// bot has nothing to list.
func TestMissedRefused(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bridge.Kind{
		99991672: bridge.KindForbidden, 230027: bridge.KindForbidden, 230006: bridge.KindForbidden, 99991400: bridge.KindRateLimited, 99991403: bridge.KindQuota,
		230001: bridge.KindInvalid, 230002: "", 230013: "", 231203: "", 232009: "",
	} {
		f := newFake(t)
		bot := f.bot(t, nil, bridge.Env{})
		f.script(pathCreate, bad(code, "no"))
		got, err := missed(t, bot, bridge.Chat{ID: "oc_1", Kind: bridge.Direct}, time.Now())
		if len(got) != 0 || bridge.KindOf(err) != want {
			t.Errorf("%d: got %v, %v", code, got, err)
		}
		if n := f.count(pathCreate); n != 1 {
			t.Errorf("%d: %d calls", code, n)
		}
	}
}

// TestMissedEnds: a platform that always has one more page is left after a while.
func TestMissedEnds(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	page := ok(`{"has_more":true,"page_token":"again","items":[%s]}`, listed("om_1", "again", time.Now(), ""))
	f.script(pathCreate, slices.Repeat([]answer{page}, 60)...)
	got, err := missed(t, bot, listedChat(), time.Now().Add(-time.Minute))
	if err != nil || len(got) != 40 {
		t.Errorf("listed %d, %v", len(got), err)
	}
}

func listedChat() bridge.Chat { return bridge.Chat{ID: "oc_1", Kind: bridge.Direct} }

// Click implements platformtest.Clicker.
func (s stage) Click(tb testing.TB, words string, at time.Time) (bridge.Request, bool) {
	tb.Helper()
	for _, m := range slices.Backward(s.screen()) {
		s.mu.Lock()
		content := m.content
		if m.card != nil {
			if content = m.card.Raw; content == "" {
				content = m.card.stop
			}
		}
		s.mu.Unlock()
		value := valueOn(content, words)
		if value == nil {
			continue
		}
		s.mu.Lock()
		s.clicks++
		id := s.clicks
		s.mu.Unlock()
		r := genuine(strings.Replace(event("card.action.trigger", `{"operator":{"open_id":"ou_1","union_id":"on_1"},"token":"c-1","action":{"value":`+string(value)+
			`,"tag":"button"},"host":"im_message","context":{"open_message_id":"`+m.id+`","open_chat_id":"oc_1"}}`), "ev_1", fmt.Sprintf("cb_%d", id), 1))
		r.At = at
		return r, true
	}
	return bridge.Request{}, false
}

// fakeCard is a card that can grow.
type fakeCard struct {
	Text, Notice string
	Streaming    bool
	Summary      string
	Raw          string // after it was replaced as a whole
	stop         string // the card with the button to stop, while that is there
	sequence     int
	sent         bool
}

// unstop takes the button to stop away.
func (c *fakeCard) unstop() answer {
	if !strings.Contains(c.stop, `"element_id":"stop"`) {
		return bad(300313, "element does not exist")
	}
	c.stop = ""
	return ok(`{}`)
}

// Clicked implements platformtest.Clicker: the answer is nothing or a toast.
func (stage) Clicked(_ testing.TB, r bridge.Response) bool {
	var in struct {
		Toast *struct {
			Type    string            `json:"type"`
			Content string            `json:"content"`
			I18n    map[string]string `json:"i18n"`
		} `json:"toast"`
	}
	return (r.Status == 0 || r.Status == 200) && strict(r.Body, &in) &&
		(in.Toast == nil || in.Toast.Type == "info" && in.Toast.Content != "" && in.Toast.I18n["zh_cn"] != "" && in.Toast.I18n["en_us"] != "")
}

// valueOn finds the value of the button with these words in a card.
func valueOn(content, words string) json.RawMessage {
	var found json.RawMessage
	var walk func(v json.RawMessage)
	walk = func(v json.RawMessage) {
		var list []json.RawMessage
		var e struct {
			Tag       string
			Text      struct{ Content string }
			Body      json.RawMessage
			Elements  json.RawMessage
			Columns   json.RawMessage
			Behaviors []struct {
				Type  string
				Value json.RawMessage
			}
		}
		if json.Unmarshal(v, &list) == nil {
			for _, item := range list {
				walk(item)
			}
			return
		}
		if json.Unmarshal(v, &e) != nil {
			return
		}
		if e.Tag == "button" && e.Text.Content == words && len(e.Behaviors) == 1 && e.Behaviors[0].Type == "callback" {
			found = e.Behaviors[0].Value
		}
		for _, part := range []json.RawMessage{e.Body, e.Elements, e.Columns} {
			walk(part)
		}
	}
	walk(json.RawMessage(content))
	return found
}

// TestFinishAgain shows a finished card with other buttons, after a pause for the
// click that it answers, and makes one call of it.
func TestFinishAgain(t *testing.T) {
	t.Parallel()
	thumb := func(words string) bridge.Card {
		return bridge.Card{Text: "One", Buttons: []bridge.Button{{Text: words, Value: map[string]string{bridge.ValueDo: bridge.DoGood}}}}
	}
	for _, plain := range []bool{false, true} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			if plain {
				f.script(pathCards, bad(99991672, "Access denied"))
			}
			to := direct()
			to.Stop, to.Job = "Stop", "7"
			s := streamer(t, f)
			d := begin(t, s, to)
			must(t, d.Update(t.Context(), "On"))
			_, err := d.Finish(t.Context(), thumb("👍"))
			must(t, err)
			before, calls := time.Now(), len(f.took())
			again, err := s.Resume(t.Context(), d.Address())
			must(t, err)
			if !plain {
				f.script(pathCards+"/7351", bad(200810, "a click is being worked on"))
			}
			_, err = again.Finish(t.Context(), thumb("👍 ✓"))
			must(t, err)
			if took := time.Since(before); took < 500*time.Millisecond || took > 3*time.Second {
				t.Errorf("plain %v: took %s", plain, took)
			}
			if n := len(f.took()) - calls; n != 1 && (plain || n != 2) {
				t.Errorf("plain %v: %d calls", plain, n)
			}
			shows := func(words string) bool {
				_, shown := stage{f}.Click(t, words, time.Now())
				return shown
			}
			if len(f.screen()) != 1 || shows("👍") || !shows("👍 ✓") || shows("Stop") {
				t.Errorf("plain %v: %+v", plain, f.screen())
			}
			again, err = s.Resume(t.Context(), again.Address())
			must(t, err)
			_, err = again.Finish(t.Context(), bridge.Markdown{Text: "One"})
			must(t, err)
			if len(f.screen()) != 1 || shows("👍 ✓") {
				t.Errorf("plain %v: a button stays: %+v", plain, f.screen())
			}
		})
	}
}

// TestStopGoes: a notice below an answer that another run had begun takes the
// button to stop away, once.
func TestStopGoes(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	synctest.Test(t, func(t *testing.T) {
		to := direct()
		to.Stop, to.Job = "Stop", "7"
		s := streamer(t, f)
		d := begin(t, s, to)
		must(t, d.Update(t.Context(), "One"))
		for range 2 {
			again, err := s.Resume(t.Context(), d.Address())
			must(t, err)
			must(t, again.Fail(t.Context(), "Sorry."))
		}
		if _, shown := (stage{f}).Click(t, "Stop", time.Now()); shown {
			t.Error("the answer can still be stopped")
		}
		if c := f.screen()[0].card; c.Text != "One" || c.Notice != "Sorry." || c.Streaming {
			t.Errorf("%+v", c)
		}
	})
}

// TestCardIsWholeBeforeItEnds: nobody sees a card that has stopped growing with
// half of the answer in it. One that could not be changed while it grew is changed
// after that.
func TestCardIsWholeBeforeItEnds(t *testing.T) {
	t.Parallel()
	c := bridge.Card{Text: "all of it", Buttons: []bridge.Button{{Text: "Again", Value: map[string]string{"a": "again"}}}}
	whole, closed := "PUT "+pathCards+"/7351", "PATCH "+pathSettings
	for _, refused := range []bool{false, true} {
		f := newFake(t)
		synctest.Test(t, func(t *testing.T) {
			d := begin(t, streamer(t, f), direct())
			must(t, d.Update(t.Context(), "half"))
			want := []string{whole, closed}
			if refused {
				f.script(pathCards+"/7351", bad(300312, "not now"))
				want = append(want, whole)
			}
			_, err := d.Finish(t.Context(), c)
			must(t, err)
			var got []string
			for _, c := range f.took() {
				got = append(got, c.Method+" "+c.Path)
			}
			if diff := cmp.Diff(want, got[len(got)-len(want):]); diff != "" {
				t.Errorf("refused %v: %s", refused, diff)
			}
			if seen := f.screen()[0].card; seen.Streaming || !strings.Contains(seen.Raw, "all of it") {
				t.Errorf("refused %v: %+v", refused, seen)
			}
		})
	}
}

// TestQuoted reads what a message answers, in every shape that has something to
// read, and takes no offence at the others.
func TestQuoted(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	quoter, ok := bot.(bridge.Quoter)
	if !ok {
		t.Fatal("not a Quoter")
	}
	item := func(kind, content, more string) answer {
		return ok200(fmt.Sprintf(`{"message_id":"om_q","root_id":"","parent_id":"","msg_type":%q,"create_time":"1615380573411","update_time":"1615380573411","deleted":false,
			"updated":false,"chat_id":"oc_1","sender":{"id":"ou_2","id_type":"open_id","sender_type":"user","tenant_key":"tk1"},"body":{"content":%q}%s}`, kind, content, more))
	}
	mention := `,"mentions":[{"key":"@_user_1","id":"ou_3","id_type":"open_id","name":"Li","tenant_key":"tk1"}]`
	for name, test := range map[string]struct {
		answer answer
		want   bridge.Message
		kind   bridge.Kind
	}{
		"a text":     {item("text", `{"text":"ask @_user_1"}`, mention), bridge.Message{ID: "om_q", Text: "ask @Li"}, ""},
		"a picture":  {item("image", `{"image_key":"img_1"}`, ""), bridge.Message{ID: "om_q", Files: []bridge.File{{Kind: bridge.FileImage, ID: "img_1", Message: "om_q"}}}, ""},
		"a rich one": {item("post", `{"title":"T","content":[[{"tag":"text","text":"body"}]]}`, ""), bridge.Message{ID: "om_q", Text: "**T**\nbody"}, ""},
		"a card":     {item("interactive", `{"title":"disk full","elements":[[{"tag":"text","text":"on db-1"}]]}`, ""), bridge.Message{ID: "om_q", Text: "**disk full**\non db-1"}, ""},
		"a new card": {item("interactive", `{"title":null,"elements":[[{"tag":"text","text":"请升级至最新版本客户端，以查看内容"}]]}`, ""), bridge.Message{}, ""},
		"a sticker":  {item("sticker", `{"file_key":"f"}`, ""), bridge.Message{}, ""},
		"recalled":   {item("text", `This message was recalled`, `,"deleted":true`), bridge.Message{}, ""},
		"forwarded":  {ok200(`{"message_id":"om_q","msg_type":"merge_forward","body":{"content":"Merged and Forwarded Message"}},{"message_id":"om_r","msg_type":"text","body":{"content":"{}"}}`), bridge.Message{}, ""},
		"none":       {ok200(""), bridge.Message{}, ""},
		"no right":   {bad(230027, "Lack of necessary permissions, ext=need scope: im:message.group_msg"), bridge.Message{}, bridge.KindForbidden},
	} {
		f.script("/open-apis/im/v1/messages/om_q", test.answer)
		got, err := quoter.Quoted(t.Context(), bridge.Message{Chat: bridge.Chat{ID: "oc_1", Kind: bridge.Group}, QuoteID: "om_q"})
		if diff := cmp.Diff(test.want, got); diff != "" || bridge.KindOf(err) != test.kind {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
	}
}

// ok200 is an answer with a list of messages.
func ok200(items string) answer { return ok(`{"items":[%s]}`, items) }

// TestAnswersAMessage: an event names the message that its message answers; one that
// only does that is something to answer too.
func TestAnswersAMessage(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	answering := func(text string) string {
		return strings.NewReplacer(`"message_id":"om_1"`, `"message_id":"om_1","root_id":"om_r","parent_id":"om_q"`, `{\"text\":\"hi\"}`, `{\"text\":\"`+text+`\"}`).Replace(hello())
	}
	for _, text := range []string{"hi", ""} {
		if m := receiveOne(t, bot, answering(text)); m.QuoteID != "om_q" || m.Text != text {
			t.Errorf("%q: received %+v", text, m)
		}
	}
	if d, err := bot.Receive(t.Context(), genuine(strings.Replace(hello(), `{\"text\":\"hi\"}`, `{\"text\":\"\"}`, 1))); err != nil || len(d.Messages) != 0 {
		t.Errorf("empty: %+v, %v", d, err)
	}
}
