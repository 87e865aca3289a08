package platformtest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
)

func buttonChecks() []check[*bundle] {
	return []check[*bundle]{
		{"buttons", checkButtons},
		{"buttons of a draft", drafts(checkDraftButtons)},
		{"stop button", drafts(checkStop)},
		{"buttons and text", checkButtonText},
		{"too much for buttons", checkTooManyButtons},
	}
}

// buttons are as many as one card may have, with odd words and values.
func buttons(many int) []bridge.Button {
	all := []bridge.Button{
		{Text: "👍 有用", Value: map[string]string{bridge.ValueDo: bridge.DoGood, bridge.ValueJob: strconv.Itoa(1<<63 - 1)}},
		{Text: "No <b>&\"'", Style: bridge.ButtonDanger, Value: map[string]string{bridge.ValueDo: "a=b&c \"d\" ]]> 你好", "": "<x>", "k=&%": "=%25"}},
		{Text: "What is the longest question that somebody might ever be proposed to ask next by an agent?", Style: bridge.ButtonPrimary, Value: map[string]string{bridge.ValueDo: bridge.DoAsk, bridge.ValueJob: "7", bridge.ValueNumber: "3"}},
	}
	for n := len(all); n < many; n++ {
		all = append(all, bridge.Button{Text: "Choice " + strconv.Itoa(n), Value: map[string]string{bridge.ValueDo: bridge.DoChoose, bridge.ValueNumber: strconv.Itoa(n)}})
	}
	return all[:many]
}

// clickable says that a bot shows buttons; then its fake has to be a Clicker.
func (b *bundle) clickable(t *testing.T, bot bridge.Bot) bool {
	t.Helper()
	if b.capabilities(bot).MaxButtons == 0 {
		return false
	}
	if _, ok := b.fake.(Clicker); !ok {
		t.Fatal("the fake of a bot with buttons has to be a Clicker")
	}
	return true
}

// sees makes the click on a button; false when nobody sees it.
func (b *bundle) sees(t *testing.T, words string) (bridge.Request, bool) {
	t.Helper()
	c, ok := b.fake.(Clicker)
	if !ok {
		return bridge.Request{}, false
	}
	return c.Click(t, words, arrived())
}

// click presses a button and receives the click.
func (b *bundle) click(t *testing.T, bot bridge.Bot, words string) (bridge.Action, bridge.Response) {
	t.Helper()
	req, shown := b.sees(t, words)
	if !shown {
		t.Fatalf("nobody sees a button %q among %+v", words, b.fake.Shown())
	}
	d, err := bot.Receive(t.Context(), req)
	if err != nil || len(d.Actions) != 1 || len(d.Messages) != 0 || d.Note != "" || d.Suspect {
		t.Fatalf("a click on %q: %v, %+v", words, err, d)
	}
	a := d.Actions[0]
	again, err := b.openAlone(t).Receive(t.Context(), req)
	if err != nil || len(again.Actions) != 1 || again.Actions[0].ID != a.ID {
		t.Errorf("the same click again, to another process: %q, then %v, %+v", a.ID, err, again)
	}
	if diff := cmp.Diff(a, roundTrip(t, a)); diff != "" {
		t.Errorf("stored and read again (-before +after):\n%s", diff)
	}
	return a, d.Response
}

// pressed wants an action to be a click on a button by the person written to.
func (b *bundle) pressed(t *testing.T, a bridge.Action, to bridge.Address, value map[string]string) {
	t.Helper()
	if diff := cmp.Diff(value, a.Value); diff != "" {
		t.Errorf("the value (-of the button +of the click):\n%s", diff)
	}
	switch {
	case a.Kind != bridge.ActionButton || a.ID == "" || a.At.IsZero() || a.Bot != b.Config.ID || a.Platform != b.kit.Connector.Platform:
		t.Errorf("incomplete: %+v", a)
	case a.Chat.ID == "" || a.Chat.Kind == bridge.Group && a.Chat.ID != to.Chat || a.Chat.Kind != to.Kind || a.Sender.ID != to.User:
		t.Errorf("clicked by %q in %+v, want %q in %q", a.Sender.ID, a.Chat, to.User, to.Chat)
	case a.Address.Bot != a.Bot || a.Address.Chat != a.Chat.ID || a.Address.Kind != a.Chat.Kind || a.Address.Key != "":
		t.Errorf("an address that cannot be used: %+v", a.Address)
	}
}

// checkButtons: a click on any button of a card comes back with what the button
// holds, once, and where it was done; and then it can be answered.
func checkButtons(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	if !b.clickable(t, bot) {
		return
	}
	card := bridge.Card{Title: "Title", Text: "PROBE", Buttons: buttons(b.capabilities(bot).MaxButtons)}
	to := b.to(t, "card")
	if _, err := bot.Send(t.Context(), to, card); err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	var last bridge.Response
	for _, button := range card.Buttons {
		a, r := b.click(t, bot, button.Text)
		b.pressed(t, a, to, button.Value)
		ids[a.ID], last = true, r
	}
	if len(ids) != len(card.Buttons) {
		t.Errorf("%d buttons have %d ids: %v", len(card.Buttons), len(ids), slices.Sorted(maps.Keys(ids)))
	}
	a, _ := b.click(t, bot, card.Buttons[0].Text)
	if c, _ := b.fake.(Clicker); !c.Clicked(t, last) {
		t.Errorf("the platform does not take the answer %q", last.Body)
	}
	if _, err := bot.Send(t.Context(), roundTrip(t, a).Address.WithKey("answer"), bridge.Text{Text: "Done."}); err != nil {
		t.Fatalf("answering: %v", err)
	}
	if !slices.ContainsFunc(b.fake.Shown(), func(s Shown) bool { return strings.Contains(s.Text, "Done.") }) {
		t.Errorf("answered a click, but people see %+v", b.fake.Shown())
	}
}

// checkDraftButtons: an answer that grew ends with its buttons.
func checkDraftButtons(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	bot, _ := s.(bridge.Bot)
	d := b.begin(t, s, "1")
	ok(t, d.Update(t.Context(), "One"))
	card := bridge.Card{Text: "One two", Buttons: buttons(max(1, b.capabilities(bot).MaxButtons))}
	_, err := d.Finish(t.Context(), card)
	ok(t, err)
	b.grows(t, "with buttons", "One two", false)
	if !b.clickable(t, bot) {
		return
	}
	for _, button := range card.Buttons {
		a, _ := b.click(t, bot, button.Text)
		b.pressed(t, a, d.Address(), button.Value)
	}
}

// checkStop: while an answer grows, and no longer, there is a button to stop it.
func checkStop(t *testing.T, b *bundle, s bridge.Streamer) {
	t.Helper()
	bot, _ := s.(bridge.Bot)
	if !b.clickable(t, bot) {
		return
	}
	gone := func(when string) {
		t.Helper()
		if _, shown := b.sees(t, "Stop it"); shown {
			t.Errorf("%s: the answer can still be stopped", when)
		}
	}
	begin := func(key, stop string) bridge.Draft {
		t.Helper()
		to := b.to(t, key)
		to.Stop, to.Job = stop, "7"
		d, err := s.Begin(t.Context(), to)
		ok(t, err)
		ok(t, d.Update(t.Context(), "One"))
		return d
	}
	want := map[string]string{bridge.ValueDo: bridge.DoStop, bridge.ValueJob: "7"}
	d := begin("1", "Stop it")
	a, _ := b.click(t, bot, "Stop it")
	b.pressed(t, a, d.Address(), want)
	d = b.resume(t, d)
	ok(t, d.Update(t.Context(), "One two"))
	a, _ = b.click(t, bot, "Stop it")
	b.pressed(t, a, d.Address(), want)
	_, err := d.Finish(t.Context(), bridge.Markdown{Text: "One two three"})
	ok(t, err)
	gone("finished")
	ok(t, begin("2", "Stop it").Fail(t.Context(), "Sorry."))
	gone("failed")
	begin("3", "")
	gone("without a button")
}

// checkButtonText: the text of a card is shown whole and its links can be opened,
// whatever becomes of the other buttons.
func checkButtonText(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	text := strings.TrimSpace(strings.Repeat("word ", 200))
	card := bridge.Card{Title: "PROBE", Text: text, Buttons: []bridge.Button{
		{Text: "one", Value: map[string]string{bridge.ValueDo: "1"}}, {Text: "link", URL: "https://example.com/x"},
	}}
	if _, err := bot.Send(t.Context(), b.to(t, "1"), card); err != nil {
		t.Fatal(err)
	}
	all := ""
	for _, s := range b.fake.Shown() {
		all += s.Text
	}
	if !strings.Contains(all, "PROBE") || !strings.Contains(all, text) || !strings.Contains(all, "https://example.com/x") {
		t.Errorf("of a card, people see %q", all)
	}
}

// checkTooManyButtons: a button too many, or one that holds too much, is left out or
// refused as what it is, before anything is shown; the text can then be sent alone.
func checkTooManyButtons(t *testing.T, b *bundle) {
	t.Helper()
	bot := b.open(t)
	if !b.clickable(t, bot) {
		return
	}
	for name, all := range map[string][]bridge.Button{
		"a button too many": buttons(b.capabilities(bot).MaxButtons + 1),
		"a huge value":      {{Text: "x", Value: map[string]string{bridge.ValueDo: strings.Repeat("x", 100_000)}}},
	} {
		before := len(b.fake.Shown())
		_, err := bot.Send(t.Context(), b.to(t, name), bridge.Card{Text: "PROBE", Buttons: all})
		now := b.fake.Shown()[before:]
		if err != nil {
			b.wants(t, name, err, bridge.KindTooLarge)
		}
		if slices.ContainsFunc(now, func(s Shown) bool { return strings.Contains(s.Text, "PROBE") }) != (err == nil) {
			t.Errorf("%s: %v, people see %+v", name, err, now)
		}
	}
}
