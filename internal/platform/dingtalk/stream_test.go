package dingtalk_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

// makeCard plays createAndDeliver, or the half of it that only makes a card.
func (f *fake) makeCard(body []byte, deliver bool) answer {
	type model struct {
		SupportForward  *bool
		RobotCode       string
		SpaceType       string
		AtUserIDs       map[string]string
		LastMessageI18n map[string]string
	}
	var in struct {
		CardTemplateID, OutTrackID, CallbackType, OpenSpaceID string
		CallbackRouteKey                                      string
		CardData                                              struct{ CardParamMap map[string]string }
		UserIDType                                            int
		ImGroupOpenSpaceModel, ImGroupOpenDeliverModel        *model
		ImRobotOpenSpaceModel, ImRobotOpenDeliverModel        *model
	}
	switch {
	case !strict(body, &in):
		return bad("param.body")
	case in.CardTemplateID == "draft.schema":
		return bad("param.templateUnpublished")
	case in.CardTemplateID != template:
		return bad("param.templateNotExist")
	case in.OutTrackID == "":
		return bad("param.outTrackIdEmpty")
	case in.CardData.CardParamMap == nil:
		return bad("param.cardDataEmpty")
	case in.CallbackType != "STREAM" && (in.CallbackType != "HTTP" || f.routes[in.CallbackRouteKey] == ""):
		return bad("param.callbackRouteKey")
	}
	for _, m := range []*model{in.ImGroupOpenSpaceModel, in.ImRobotOpenSpaceModel} {
		if m != nil && m.SupportForward == nil {
			return bad("param.supportForwardEmpty")
		}
	}
	if !deliver {
		f.cards[in.OutTrackID] = &fakeCard{}
		return answer{http.StatusOK, `{"success":true,"result":"` + in.OutTrackID + `"}`}
	}
	group, toGroup := strings.CutPrefix(in.OpenSpaceID, "dtv1.card//IM_GROUP.")
	user, toUser := strings.CutPrefix(in.OpenSpaceID, "dtv1.card//IM_ROBOT.")
	switch {
	case toGroup && (in.ImGroupOpenDeliverModel == nil || in.ImGroupOpenDeliverModel.RobotCode != clientID || in.ImGroupOpenSpaceModel == nil):
		return bad("param.robotCode")
	case toUser && (in.ImRobotOpenDeliverModel == nil || in.ImRobotOpenDeliverModel.SpaceType != "IM_ROBOT" || in.ImRobotOpenDeliverModel.RobotCode != clientID):
		return bad("param.robotCode")
	case !toGroup && !toUser:
		return bad("param.spaceId")
	case toUser && strings.HasPrefix(user, "cid") || toGroup && group == "":
		return answer{http.StatusOK, `{"success":true,"result":{"deliverResults":[{"success":false,"errorMsg":"spaceId is illegal"}]}}`}
	}
	if f.cards[in.OutTrackID] == nil {
		f.cards[in.OutTrackID] = &fakeCard{
			space: in.OpenSpaceID, text: in.CardData.CardParamMap["content"], track: in.OutTrackID,
			clicks: in.CallbackType == "HTTP", buttons: in.CardData.CardParamMap["buttons"],
		}
		f.shown = append(f.shown, f.cards[in.OutTrackID])
	}
	return answer{http.StatusOK, fmt.Sprintf(`{"success":true,"result":{"outTrackId":%q,"deliverResults":[{"success":true,"carrierId":"carrier-1"}]}}`, in.OutTrackID)}
}

func (f *fake) streamCard(body []byte) answer {
	var in struct {
		OutTrackID, GUID, Key, Content string
		IsFull, IsFinalize, IsError    *bool
	}
	switch {
	case !strict(body, &in) || in.IsFull == nil || in.IsFinalize == nil || in.IsError == nil:
		return bad("param.body")
	case in.Key == "":
		return bad("param.stream.keyEmpty")
	case in.GUID == "":
		return bad("param.stream.guidEmpty")
	case strings.TrimSpace(in.Content) == "":
		return bad("param.stream.contentEmpty")
	case len(in.Content) > 20_000:
		return bad("param.stream.content")
	case !*in.IsFull || in.Key != "content":
		return bad("param.stream.key")
	}
	card := f.cards[in.OutTrackID]
	if card == nil || f.late > 0 {
		f.late--
		return bad("param.stream.outTrackId")
	}
	if slices.Contains(card.guids, in.GUID) {
		return answer{http.StatusOK, `{"success":true,"result":true}`}
	}
	if card.final {
		return bad("param.stream.finalized")
	}
	card.text, card.final = in.Content, *in.IsFinalize
	card.guids = append(card.guids, in.GUID)
	return answer{http.StatusOK, `{"success":true,"result":true}`}
}

// screen is the only card there is.
func (f *fake) screen(t *testing.T) fakeCard {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.cards) != 1 {
		t.Fatalf("%d cards", len(f.cards))
	}
	for _, card := range f.cards {
		return *card
	}
	return fakeCard{}
}

func streamer(t *testing.T, f *fake, id string) bridge.Streamer {
	t.Helper()
	s, ok := f.bot(t, map[string]string{"card_template_id": id}, bridge.Env{}).(bridge.Streamer)
	if !ok {
		t.Fatal("not a Streamer")
	}
	return s
}

func begin(t *testing.T, s bridge.Streamer, to bridge.Address) bridge.Draft {
	t.Helper()
	d, err := s.Begin(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestOnlyATemplateStreams: without one the bot is no Streamer, and says so.
func TestOnlyATemplateStreams(t *testing.T) {
	t.Parallel()
	if _, ok := openBot(t, nil).(bridge.Streamer); ok {
		t.Error("a bot without a template streams")
	}
	if _, ok := openBot(t, nil).(bridge.Capable); ok {
		t.Error("a bot without a template has abilities of its own")
	}
	bot := openBot(t, map[string]string{"card_template_id": template})
	_, streams := bot.(bridge.Streamer)
	capable, ok := bot.(bridge.Capable)
	if !streams || !ok {
		t.Fatal("a bot with a template does not stream")
	}
	if c := capable.Capabilities(); !c.Stream || c.MaxDraft <= 0 || c.UpdateInterval < 500*time.Millisecond || c.DraftLife <= 0 || c.MaxMarkdown == 0 {
		t.Errorf("got %+v", c)
	}
}

func TestGrowingAnswer(t *testing.T) {
	t.Parallel()
	for kind, space := range map[bridge.ChatKind]string{bridge.Direct: "dtv1.card//IM_ROBOT.u1", bridge.Group: "dtv1.card//IM_GROUP.cid1="} {
		f := newFake(t)
		d := begin(t, streamer(t, f, template), f.to(kind, nil))
		if n := len(f.took()); n != 0 {
			t.Errorf("%s: Begin made %d calls", kind, n)
		}
		before := d.Address()
		must(t, d.Update(t.Context(), "  "))
		if n := len(f.took()); n != 0 {
			t.Errorf("%s: nothing to show made %d calls", kind, n)
		}
		must(t, d.Update(t.Context(), "Hel"))
		if c := f.screen(t); c.text != "Hel" || c.final || c.space != space {
			t.Errorf("%s: %+v", kind, c)
		}
		if string(before.Data) == string(d.Address().Data) {
			t.Errorf("%s: the address does not tell that the card is shown", kind)
		}
		must(t, d.Update(t.Context(), "Hello\nWorld"))
		if c := f.screen(t); c.text != "Hello<br>World" || c.final {
			t.Errorf("%s: %+v", kind, c)
		}
		must(t, d.Update(t.Context(), "Hel")) // back again is a frame of its own
		if c := f.screen(t); c.text != "Hel" {
			t.Errorf("%s: %+v", kind, c)
		}
		id, err := d.Finish(t.Context(), bridge.Markdown{Text: "Hello!"})
		if c := f.screen(t); err != nil || id != "carrier-1" || c.text != "Hello!" || !c.final {
			t.Errorf("%s: %q, %v, %+v", kind, id, err, c)
		}
		if f.count(pathShow) != 1 || f.count(pathStream) != 4 || f.count(pathHook) != 0 {
			t.Errorf("%s: %d cards, %d frames", kind, f.count(pathShow), f.count(pathStream))
		}
	}
}

// TestFinishAtOnce: an answer may be complete before anything was shown.
func TestFinishAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
	if _, err := d.Finish(t.Context(), bridge.Text{Text: "done"}); err != nil {
		t.Fatal(err)
	}
	if c := f.screen(t); c.text != "done" || !c.final {
		t.Errorf("%+v", c)
	}
	if _, err := d.Finish(t.Context(), bridge.Text{Text: "done"}); err != nil {
		t.Errorf("the same end again: %v", err)
	}
	if _, err := d.Finish(t.Context(), bridge.Text{Text: "other"}); bridge.KindOf(err) != bridge.KindExpired {
		t.Errorf("another end: got %v", err)
	}
	if _, err := d.Finish(t.Context(), bridge.Picture{}); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("got %v", err)
	}
	if _, err := d.Finish(t.Context(), bridge.Text{}); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("got %v", err)
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"": "sorry", "so far": "so far\n\nsorry"} {
		f := newFake(t)
		d := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
		must(t, d.Update(t.Context(), text))
		must(t, d.Fail(t.Context(), "sorry"))
		if c := f.screen(t); c.text != want || !c.final {
			t.Errorf("%q: %+v", text, c)
		}
	}
}

// TestSameKeySameCard: an answer begun twice is one card, even when the first
// run died before it could store anything.
func TestSameKeySameCard(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	first := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
	must(t, first.Update(t.Context(), "one"))
	second := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
	must(t, second.Update(t.Context(), "two"))
	if c := f.screen(t); c.text != "two" {
		t.Errorf("%+v", c)
	}
	other := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil).WithKey("k-1"))
	must(t, other.Update(t.Context(), "three"))
	keyless := f.to(bridge.Direct, nil).WithKey("")
	must(t, begin(t, streamer(t, f, template), keyless).Update(t.Context(), "four"))
	must(t, begin(t, streamer(t, f, template), keyless).Update(t.Context(), "five"))
	if len(f.cards) != 4 {
		t.Errorf("%d cards", len(f.cards))
	}
}

// TestResume takes a draft up after each step, as after a crash.
func TestResume(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := begin(t, streamer(t, f, template), f.to(bridge.Group, nil))
	again := func() {
		t.Helper()
		stored, err := json.Marshal(d.Address())
		must(t, err)
		var at bridge.Address
		must(t, json.Unmarshal(stored, &at))
		d, err = streamer(t, f, template).Resume(t.Context(), at)
		must(t, err)
	}
	again()
	must(t, d.Update(t.Context(), "one"))
	again()
	must(t, d.Update(t.Context(), "two"))
	again()
	if id, err := d.Finish(t.Context(), bridge.Markdown{Text: "three"}); err != nil || id != "carrier-1" {
		t.Errorf("got %q, %v", id, err)
	}
	if f.count(pathShow) != 1 {
		t.Errorf("%d cards made", f.count(pathShow))
	}
	again() // the end arrived, but we do not know it
	if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "three"}); err != nil {
		t.Error(err)
	}
	again() // the next attempt decided on another text
	if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "four"}); err != nil {
		t.Error(err)
	}
	if c := f.screen(t); c.text != "three" || !c.final {
		t.Errorf("%+v", c)
	}
	again()
	if err := d.Update(t.Context(), "five"); bridge.KindOf(err) != bridge.KindExpired {
		t.Errorf("got %v", err)
	}
	f.mu.Lock()
	clear(f.cards)
	f.mu.Unlock()
	if _, err := d.Finish(t.Context(), bridge.Markdown{Text: "six"}); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("got %v", err)
	}
	if _, err := streamer(t, f, template).Resume(t.Context(), f.to(bridge.Group, nil)); bridge.KindOf(err) != bridge.KindNotFound {
		t.Errorf("got %v", err)
	}
}

// TestRepeatedFrame: a frame whose answer was lost is the same frame when it is
// tried again.
func TestRepeatedFrame(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
	must(t, d.Update(t.Context(), "one"))
	f.script(pathStream, answer{504, `{"code":"timeout"}`}, answer{504, `{"code":"timeout"}`})
	for range 2 {
		if err := d.Update(t.Context(), "two"); bridge.KindOf(err) != bridge.KindUnavailable {
			t.Errorf("got %v", err)
		}
	}
	must(t, d.Update(t.Context(), "two"))
	must(t, d.Update(t.Context(), "two!"))
	var guids []string
	for _, c := range f.took(pathStream) {
		var frame struct{ GUID string }
		must(t, json.Unmarshal(c.Body, &frame))
		guids = append(guids, frame.GUID)
	}
	if guids[1] != guids[2] || guids[2] != guids[3] || guids[0] == guids[1] || guids[3] == guids[4] {
		t.Errorf("guids %v", guids)
	}
}

// TestNewCardIsNotKnownAtOnce: the part that shows text may lag behind.
func TestNewCardIsNotKnownAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.late = 2
	d := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
	must(t, d.Update(t.Context(), "one"))
	if c := f.screen(t); c.text != "one" || f.count(pathShow) != 1 || f.count(pathStream) != 3 {
		t.Errorf("%+v", c)
	}
}

// TestNoCard: when cards are not to be had, the caller learns that before
// anything is shown, and answers with a message.
func TestNoCard(t *testing.T) {
	t.Parallel()
	denied := answer{403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","accessdenieddetail":{"requiredScopes":["Card.Instance.Write"]}}`}
	for name, c := range map[string]struct {
		template string
		script   []answer
		want     bridge.Kind
	}{
		"missing template":     {"x.schema", nil, bridge.KindUnsupported},
		"unpublished template": {"draft.schema", nil, bridge.KindUnsupported},
		"missing right":        {template, []answer{denied}, bridge.KindForbidden},
		"not delivered":        {template, []answer{{200, `{"success":true,"result":{"deliverResults":[{"success":true},{"success":false,"errorMsg":"spaceId is illegal"}]}}`}}, bridge.KindUnsupported},
		"no success":           {template, []answer{{200, `{"success":false}`}}, bridge.KindUnsupported},
		"no budget":            {template, []answer{{403, `{"code":"Forbidden.AccessDenied.ApiCountLimitForOrg"}`}}, bridge.KindQuota},
	} {
		f := newFake(t)
		f.script(pathShow, c.script...)
		d := begin(t, streamer(t, f, c.template), f.to(bridge.Direct, nil))
		if err := d.Update(t.Context(), "one"); bridge.KindOf(err) != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if f.count(pathStream) != 0 || len(f.cards) != 0 {
			t.Errorf("%s: something was shown", name)
		}
	}
	f := newFake(t)
	outsider := f.to(bridge.Direct, func(data map[string]any, _ *bridge.Address) { delete(data, "senderStaffId") })
	if _, err := streamer(t, f, template).Begin(t.Context(), outsider); bridge.KindOf(err) != bridge.KindUnsupported {
		t.Errorf("got %v", err)
	}
}

func TestCardTooLong(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	d := begin(t, streamer(t, f, template), f.to(bridge.Direct, nil))
	if err := d.Update(t.Context(), strings.Repeat("long ", 5000)); bridge.KindOf(err) != bridge.KindTooLarge {
		t.Errorf("got %v", err)
	}
	must(t, d.Update(t.Context(), "short"))
}

// clickBot opens a bot whose cards can be clicked, reached at an address.
func clickBot(tb testing.TB, f *fake, address *string) bridge.Bot {
	tb.Helper()
	return f.bot(tb, clicks(), bridge.Env{Callback: func() string { return *address }})
}

func choice(words ...string) bridge.Card {
	card := bridge.Card{Text: "Done"}
	for _, w := range words {
		card.Buttons = append(card.Buttons, bridge.Button{Text: w, Value: map[string]string{"do": w}})
	}
	return card
}

// sees returns the words on the buttons of the newest card.
func (f *fake) sees() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []struct{ Text, Value string }
	_ = json.Unmarshal([]byte(f.shown[len(f.shown)-1].buttons), &all)
	var words []string
	for _, b := range all {
		words = append(words, b.Text)
	}
	return words
}

// TestButtonsCost: buttons cost a call where they change, and the way for clicks
// one for each address.
func TestButtonsCost(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), "https://one.example.com/hook/dt"
	bot := clickBot(t, f, &address)
	s, _ := bot.(bridge.Streamer)
	to := f.to(bridge.Direct, nil)
	to.Stop, to.Job = "Stop", "7"
	d := begin(t, s, to.WithKey("1"))
	if f.count(pathRoute) != 0 {
		t.Error("asked before anything is shown")
	}
	must(t, d.Update(t.Context(), "One"))
	must(t, d.Update(t.Context(), "One two"))
	if diff := cmp.Diff([]string{"Stop"}, f.sees()); diff != "" || f.count(pathCard) != 0 {
		t.Errorf("%s, %d updates", diff, f.count(pathCard))
	}
	_, err := d.Finish(t.Context(), choice("good", "bad"))
	must(t, err)
	if diff := cmp.Diff([]string{"good", "bad"}, f.sees()); diff != "" || f.count(pathCard) != 1 {
		t.Errorf("%s, %d updates", diff, f.count(pathCard))
	}
	to.Stop = ""
	_, err = begin(t, s, to.WithKey("2")).Finish(t.Context(), choice("good"))
	must(t, err)
	d = begin(t, s, to.WithKey("3"))
	must(t, d.Update(t.Context(), "One"))
	_, err = d.Finish(t.Context(), bridge.Markdown{Text: "Two"})
	must(t, err)
	if f.count(pathCard) != 1 || f.count(pathRoute) != 1 || len(f.sees()) != 0 {
		t.Errorf("%d updates, %d registrations, %q", f.count(pathCard), f.count(pathRoute), f.sees())
	}
	address = "https://two.example.com/hook/dt"
	for _, key := range []string{"4", "5"} {
		_, err = bot.Send(t.Context(), to.WithKey(key), choice("good"))
		must(t, err)
	}
	calls := f.took(pathRoute)
	if len(calls) != 2 || !strings.Contains(string(calls[0].Body), "one.example") || !strings.Contains(string(calls[1].Body), "two.example") {
		t.Errorf("registered %s", calls)
	}
}

// TestNoWayForClicks: where clicks cannot be delivered, nothing can be clicked, and
// the answer is there all the same.
func TestNoWayForClicks(t *testing.T) {
	t.Parallel()
	f, address := newFake(t), ""
	bot := clickBot(t, f, &address)
	s, _ := bot.(bridge.Streamer)
	to := f.to(bridge.Direct, nil)
	to.Stop, to.Job = "Stop", "7"
	for i, failure := range []func(){
		func() {},
		func() {
			address = "https://one.example.com/hook/dt"
			f.script(pathRoute, bad("param.x"), bad("param.x"), bad("param.x"))
		},
		func() {
			denied := answer{403, `{"code":"Forbidden.AccessDenied.AccessTokenPermissionDenied","accessdenieddetail":{"requiredScopes":["Card.Instance.Write"]}}`}
			f.script(pathRoute, denied, denied, denied)
		},
	} {
		failure()
		key := strconv.Itoa(i)
		if _, err := bot.Send(t.Context(), to.WithKey("send-"+key), choice("good")); bridge.KindOf(err) != bridge.KindUnsupported && bridge.KindOf(err) != bridge.KindInvalid || len(f.shown) != i {
			t.Errorf("%d: sent: %v, %d shown", i, err, len(f.shown))
		}
		d := begin(t, s, to.WithKey(key))
		must(t, d.Update(t.Context(), "One"))
		if words := f.sees(); len(words) != 0 {
			t.Errorf("%d: while it grows: %q", i, words)
		}
		if _, err := d.Finish(t.Context(), choice("good")); bridge.KindOf(err) != bridge.KindUnsupported {
			t.Errorf("%d: %v", i, err)
		}
		d, err := s.Resume(t.Context(), d.Address())
		must(t, err)
		_, err = d.Finish(t.Context(), bridge.Markdown{Text: "Done"})
		must(t, err)
		if last := f.shown[len(f.shown)-1]; last.text != "Done" || !last.final || len(f.sees()) != 0 || last.clicks {
			t.Errorf("%d: %+v", i, last)
		}
	}
	if f.count(pathCard) != 0 {
		t.Errorf("%d updates of buttons that are not there", f.count(pathCard))
	}
}
