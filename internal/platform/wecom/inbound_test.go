package wecom_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file, or writes it.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s:\n%s", name, diff)
	}
}

// pretty writes JSON for people.
func pretty(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestInbound reads every message and event in testdata.
func TestInbound(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/webhook/*.xml")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d files: %v", len(names), err)
	}
	bot := openWith(t, nil, bridge.Env{})
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := bot.Receive(t.Context(), genuine(t, string(data)))
		if err != nil || d.Suspect || d.Response.Status != 0 || len(d.Response.Body) != 0 {
			t.Errorf("%s: %v, %+v", name, err, d)
			continue
		}
		golden(t, strings.TrimSuffix(name, ".xml")+".golden", pretty(t, struct {
			Messages []bridge.Message
			Actions  []bridge.Action
			Note     string
		}{d.Messages, d.Actions, d.Note}))
	}
}

// TestRedelivery: what comes again has the same id, what is another event has
// not, or one of two clicks would be lost.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	id := func(text string) string {
		d, err := bot.Receive(t.Context(), genuine(t, text))
		if err != nil || len(d.Actions) != 1 {
			t.Fatalf("%v, %+v", err, d)
		}
		return d.Actions[0].ID
	}
	click := inner("<MsgType>event</MsgType><Event>click</Event><EventKey>A</EventKey>")
	first := id(click)
	if again := id(click); again != first {
		t.Errorf("%q then %q", first, again)
	}
	for _, other := range []string{
		strings.Replace(click, "ZhangSan", "LiSi", 1),
		strings.Replace(click, "1700000000", "1700000001", 1),
		strings.Replace(click, ">A<", ">B<", 1),
		strings.Replace(click, "click", "enter_agent", 1),
	} {
		if got := id(other); got == first {
			t.Errorf("%s has the same id %q", other, got)
		}
	}
}

// cardEvent is a click on a button of a card.
func cardEvent(user, task, key string, at time.Time) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[%s]]></EventKey>"+
		"<TaskId><![CDATA[%s]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[once]]></ResponseCode><AgentID>%s</AgentID></xml>",
		corpID, user, at.Unix(), key, task, agentID)
}

// openAnswer reads the answer to a click as WeCom does: who it is for, and what
// the buttons become.
func openAnswer(tb testing.TB, r bridge.Response) (user, name string) {
	tb.Helper()
	var outer struct {
		XMLName                      xml.Name `xml:"xml"`
		Encrypt, MsgSignature, Nonce string
		TimeStamp                    int64
	}
	if err := xml.Unmarshal(r.Body, &outer); err != nil || r.Status != 0 {
		tb.Fatalf("%v: %d %q", err, r.Status, r.Body)
	}
	if outer.MsgSignature != signature(token, strconv.FormatInt(outer.TimeStamp, 10), outer.Nonce, outer.Encrypt) {
		tb.Errorf("the answer is not signed: %q", r.Body)
	}
	var plain struct {
		XMLName                                       xml.Name `xml:"xml"`
		ToUserName, FromUserName, CreateTime, MsgType string
		Button                                        struct{ ReplaceName string }
	}
	if err := xml.Unmarshal(decrypt(tb, outer.Encrypt), &plain); err != nil || plain.MsgType != "update_button" || plain.FromUserName != corpID || plain.CreateTime == "" {
		tb.Errorf("%v: %+v", err, plain)
	}
	return plain.ToUserName, plain.Button.ReplaceName
}

// decrypt opens what was meant for this company, written out here as encrypt is.
func decrypt(tb testing.TB, ciphertext string) []byte {
	tb.Helper()
	key, keyErr := base64.StdEncoding.DecodeString(aesKey + "=")
	data, err := base64.StdEncoding.DecodeString(ciphertext)
	block, blockErr := aes.NewCipher(key)
	if err = errors.Join(keyErr, err, blockErr); err != nil || len(data) == 0 || len(data)%32 != 0 {
		tb.Fatalf("%d bytes: %v", len(data), err)
	}
	cipher.NewCBCDecrypter(block, key[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > 32 || !bytes.Equal(data[len(data)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		tb.Fatalf("padded with %d", pad)
	}
	data = data[:len(data)-pad]
	n := int(binary.BigEndian.Uint32(data[16:]))
	if string(data[20+n:]) != corpID {
		tb.Errorf("the answer is for %q", data[20+n:])
	}
	return data[20 : 20+n]
}

// TestCardRefused: buttons that are not taken cost nobody the text, and nobody
// reads it twice.
func TestCardRefused(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	card := bridge.Card{Text: "An answer", Buttons: []bridge.Button{{Text: "Yes"}}}
	after := func(a scripted) { // the text is taken
		f.set(func(f *fakeWeCom) { f.scripts["card"] = []scripted{a} })
	}
	after(says(40058, "no callback"))
	id, err := bot.Send(t.Context(), to("U1", "k1"), card)
	if err != nil || id == "" || strings.Contains(string(id), ",") {
		t.Errorf("refused for good: %q, %v", id, err)
	}
	after(says(45033, "too many at once"))
	var e *bridge.Error
	if _, err = bot.Send(t.Context(), to("U2", "k2"), card); !errors.As(err, &e) || e.Kind != bridge.KindRateLimited || !e.Uncertain {
		t.Errorf("refused for now: %v", err)
	}
	for name, bot := range map[string]bridge.Bot{"again": bot, "by another process": f.bot(t, nil, bridge.Env{})} {
		if id, err = bot.Send(t.Context(), to("U2", "k2"), card); err != nil || strings.Count(string(id), ",") != 1 {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
	after(says(40058, "no callback"))
	if _, err = bot.Send(t.Context(), to("U3", "k3"), bridge.Card{Buttons: card.Buttons}); bridge.KindOf(err) != bridge.KindInvalid {
		t.Errorf("nothing but buttons: %v", err)
	}
	got := texts(f.shown())
	if want := "=== markdown\nAn answer\n=== markdown\nAn answer\n=== template_card\nPlease choose [Yes]\n"; got != want {
		t.Errorf("shown:\n%s", got)
	}
}

// TestClicks: a click that comes again is the same one, another click is not.
func TestClicks(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	bot := f.bot(t, nil, bridge.Env{})
	if _, err := bot.Send(t.Context(), to("ZhangSan", "k"), bridge.Card{Text: "x", Buttons: []bridge.Button{
		{Text: "Yes", Value: map[string]string{"do": "good"}}, {Text: "No", Value: map[string]string{"do": "bad"}},
	}}); err != nil {
		t.Fatal(err)
	}
	card, seen := f.cards[0], map[string]bool{}
	for _, click := range []string{
		cardEvent("ZhangSan", card.TaskID, card.Buttons[0].Key, arrived()),
		cardEvent("ZhangSan", card.TaskID, card.Buttons[1].Key, arrived()),
		cardEvent("LiSi", card.TaskID, card.Buttons[0].Key, arrived()),
		cardEvent("ZhangSan", "another", card.Buttons[0].Key, arrived()),
		cardEvent("ZhangSan", card.TaskID, card.Buttons[0].Key, arrived().Add(time.Second)),
	} {
		for range 2 {
			d, err := bot.Receive(t.Context(), genuine(t, click))
			if err != nil || len(d.Actions) != 1 || len(d.Actions[0].ID) > 200 {
				t.Fatalf("%v, %+v", err, d)
			}
			seen[d.Actions[0].ID] = true
		}
	}
	if len(seen) != 5 {
		t.Errorf("5 clicks, each twice, have the ids %v", seen)
	}
}

// TestForeignButtons: a key that is not ours is a word, and the card is left as it is.
func TestForeignButtons(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	ours := "sb@" + base64.RawURLEncoding.EncodeToString([]byte(`{"v":{"do":"stop\u0000"},"w":"Stop\n it"}`))
	for key, want := range map[string]map[string]string{
		"approve": {"value": "approve"}, " k ": {"value": "k"}, "": {"value": ""}, "sb@": {"value": "sb@"}, "sb@!": {"value": "sb@!"},
		"sb@e30": {"value": "sb@e30"}, // {}
		ours:     {"do": "stop"},
		ours[3:]: {"value": ours[3:]},
	} {
		d, err := bot.Receive(t.Context(), genuine(t, cardEvent("ZhangSan", "t", key, arrived())))
		if err != nil || len(d.Actions) != 1 {
			t.Fatalf("%q: %v, %+v", key, err, d)
		}
		if diff := cmp.Diff(want, d.Actions[0].Value); diff != "" {
			t.Errorf("%q:\n%s", key, diff)
		}
		if key != ours {
			if len(d.Response.Body) != 0 {
				t.Errorf("%q: answered %q", key, d.Response.Body)
			}
		} else if who, name := openAnswer(t, d.Response); who != "ZhangSan" || name != "✓ Stop it" {
			t.Errorf("%q for %q", name, who)
		}
	}
	nobody := strings.Replace(cardEvent("ZhangSan", "t", ours, arrived()), "ZhangSan", "", 1)
	if d, err := bot.Receive(t.Context(), genuine(t, nobody)); err != nil || !d.Suspect || len(d.Actions)+len(d.Response.Body) != 0 {
		t.Errorf("clicked by nobody: %v, %+v", err, d)
	}
}

// TestNotesTellNoSecrets: a note is stored and shown, so it may not hold what
// people wrote or what can be used.
func TestNotesTellNoSecrets(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	for _, text := range []string{
		inner("<MsgType>event</MsgType><Event>template_card_menu_event</Event><ResponseCode>HIDDEN</ResponseCode>"),
		inner("<MsgType>event</MsgType><Event>kf_msg_or_event</Event><Token>HIDDEN</Token>"),
		inner("<MsgType>" + strings.Repeat("x", 500) + "\n报</MsgType><MsgId>1</MsgId><Content>HIDDEN</Content>"),
	} {
		d, err := bot.Receive(t.Context(), genuine(t, text))
		if err != nil || d.Note == "" || len(d.Note) > 80 || strings.Contains(d.Note, "HIDDEN") || strings.Contains(d.Note, "\n") {
			t.Errorf("%v, %q", err, d.Note)
		}
	}
}

// TestOtherKey: a message that our key does not open is accepted, and which key to
// compare is said.
func TestOtherKey(t *testing.T) {
	t.Parallel()
	ciphertext := encrypt(t, otherKey, random16, inner(hello), corpID)
	d, err := openWith(t, nil, bridge.Env{}).Receive(t.Context(), post(query(signature(token, stamp, nonce, ciphertext), stamp, nonce), envelope(ciphertext)))
	if err != nil || !d.Suspect || d.Why == nil {
		t.Fatalf("%v, %+v", err, d)
	}
	for _, lang := range []bridge.Language{bridge.Chinese, bridge.English} {
		if e := i18n.Explain(lang, d.Why); !strings.Contains(e.Next, "EncodingAESKey") || !strings.Contains(e.Next, "设置API接收") || !strings.Contains(e.Next, "bot/wc/aes_key") {
			t.Errorf("%s: %s", lang, e)
		}
	}
}
