package wecom_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/platformtest"
	"switchboard/internal/platform/wecom"
)

const (
	corpID   = "ww0123456789abcdef"
	agentID  = "1000002"
	secret   = "0123456789-app-secret-0123456789_abcdefghij"
	token    = "QDG6eK"
	aesKey   = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
	otherKey = "4Ma3YBrSBbX2aez8MJpXGBne5LSDwgGqHbhM9WPYIws"
	random16 = "0123456789abcdef"
	stamp    = "1700000000"
	nonce    = "n0nce"
)

// arrived is when the requests of these tests arrive.
func arrived() time.Time { return time.Unix(1700000001, 0).UTC() }

// openWith opens a bot with some settings and secrets changed.
func openWith(tb testing.TB, changed map[string]string, env bridge.Env) bridge.Bot {
	tb.Helper()
	bot, err := wecom.Connector().Open(configWith(changed), env)
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

func configWith(changed map[string]string) bridge.Config {
	all := map[string]string{"corp_id": corpID, "agent_id": agentID, "secret": secret, "token": token, "aes_key": aesKey}
	maps.Copy(all, changed)
	c := bridge.Config{ID: "wc", Platform: "wecom", Mode: "app", Settings: map[string]string{}, Secrets: map[string]bridge.Secret{}}
	for key, value := range all {
		if slices.Contains([]string{"secret", "token", "aes_key"}, key) {
			c.Secrets[key] = bridge.NewSecret(value)
		} else {
			c.Settings[key] = value
		}
	}
	return c
}

// encrypt is the platform's side, written out here so that a mistake in the bot
// is not made twice. TestEncrypt compares it with what others computed.
func encrypt(tb testing.TB, key, random, message, receiver string) string {
	tb.Helper()
	data := append([]byte(random), binary.BigEndian.AppendUint32(nil, uint32(len(message)))...)
	data = append(append(data, message...), receiver...)
	return seal(tb, key, data, 32-len(data)%32)
}

// seal encrypts anything, padded with so many bytes.
func seal(tb testing.TB, key string, data []byte, pad int) string {
	tb.Helper()
	raw, err := base64.StdEncoding.DecodeString(key + "=")
	if err != nil {
		tb.Fatal(err)
	}
	data = append(data, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(raw)
	if err != nil {
		tb.Fatal(err)
	}
	cipher.NewCBCEncrypter(block, raw[:16]).CryptBlocks(data, data)
	return base64.StdEncoding.EncodeToString(data)
}

func signature(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func query(signature, timestamp, nonce string) url.Values {
	return url.Values{"msg_signature": {signature}, "timestamp": {timestamp}, "nonce": {nonce}}
}

func get(q url.Values, echo string) bridge.Request {
	q.Set("echostr", echo)
	return bridge.Request{Method: http.MethodGet, Query: q, At: arrived()}
}

func post(q url.Values, body string) bridge.Request {
	return bridge.Request{Method: http.MethodPost, Query: q, Header: http.Header{"Content-Type": {"text/xml"}}, Body: []byte(body), At: arrived()}
}

func envelope(ciphertext string) string { return addressed("someone else", ciphertext) }

func addressed(to, ciphertext string) string {
	return "<xml><ToUserName><![CDATA[" + to + "]]></ToUserName><Encrypt><![CDATA[" + ciphertext + "]]></Encrypt><AgentID><![CDATA[7]]></AgentID></xml>"
}

// genuine is a request as WeCom makes it for this inner XML.
func genuine(tb testing.TB, inner string) bridge.Request {
	tb.Helper()
	ciphertext := encrypt(tb, aesKey, random16, inner, corpID)
	return post(query(signature(token, stamp, nonce, ciphertext), stamp, nonce), envelope(ciphertext))
}

// genuineAt is such a request at a certain time.
func genuineAt(tb testing.TB, inner string, at time.Time) bridge.Request {
	tb.Helper()
	ciphertext, ts := encrypt(tb, aesKey, random16, inner, corpID), strconv.FormatInt(at.Unix(), 10)
	req := post(query(signature(token, ts, nonce, ciphertext), ts, nonce), envelope(ciphertext))
	req.At = at
	return req
}

func inner(elements string) string {
	return "<xml><ToUserName><![CDATA[" + corpID + "]]></ToUserName><FromUserName><![CDATA[ZhangSan]]></FromUserName>" +
		"<CreateTime>1700000000</CreateTime>" + elements + "<AgentID>" + agentID + "</AgentID></xml>"
}

const hello = "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hi]]></Content><MsgId>7</MsgId>"

// vector is a request that somebody else's implementation made.
type vector struct {
	Name       string
	Token      string
	AESKey     string `json:"aes_key"`
	Timestamp  string
	Nonce      string
	Signature  string `json:"msg_signature"`
	Ciphertext string
	Random16   string `json:"random16_hex"`
	Msg        string
	ReceiveID  string
	Pad        int
}

func (v vector) open(tb testing.TB, corp string) bridge.Bot {
	tb.Helper()
	_, agent, _ := strings.Cut(v.Msg, "<AgentID>")
	agent, _, found := strings.Cut(agent, "</AgentID>")
	if !found {
		agent = agentID
	}
	return openWith(tb, map[string]string{"corp_id": corp, "agent_id": agent, "token": v.Token, "aes_key": v.AESKey}, bridge.Env{})
}

func (v vector) query() url.Values { return query(v.Signature, v.Timestamp, v.Nonce) }

func (v vector) xml() bool { return strings.HasPrefix(v.Msg, "<xml>") }

func vectors(tb testing.TB) []vector {
	tb.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(data, &all); err != nil || len(all) < 12 {
		tb.Fatalf("%d vectors: %v", len(all), err)
	}
	return all
}

// TestProof: the console saves an address only if the answer is the decrypted
// echo, bare.
func TestProof(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		d, err := v.open(t, v.ReceiveID).Receive(t.Context(), get(v.query(), v.Ciphertext))
		if err != nil || string(d.Response.Body) != v.Msg || d.Response.Type != "text/plain" || d.Response.Status != 0 {
			t.Errorf("%s: %+v, %v", v.Name, d.Response, err)
		}
		if len(d.Messages)+len(d.Actions) != 0 || d.Note == "" {
			t.Errorf("%s: %+v", v.Name, d)
		}
	}
}

// TestProofOnTheWire takes the address as it was logged: decoded once and no
// more, because a plus sign would become a blank.
func TestProofOnTheWire(t *testing.T) {
	t.Parallel()
	const raw = "msg_signature=825075c093249d5a60967fe4a613cae93146636b&timestamp=1597998748&nonce=1597483820&" +
		"echostr=neLB8CftccHiz19tluVb%2BUBnUVMT3xpUMZU8qvDdD17eH8XfEsbPYC%2FkJyPsZOOc6GdsCeu8jSIa2noSJ%2Fez2w%3D%3D"
	q, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	bot := openWith(t, map[string]string{
		"corp_id": "wwabfd0cec7171e769", "token": "gY1AGR3mjBhzy", "aes_key": "g8VGfQEqluUhoKOlyjmmll8Q9C5tVFUTX5T2qkmI9Sv",
	}, bridge.Env{})
	d, err := bot.Receive(t.Context(), bridge.Request{Method: http.MethodGet, Query: q})
	if err != nil || string(d.Response.Body) != "7139691598513686239" {
		t.Errorf("got %q, %v", d.Response.Body, err)
	}
}

// TestMessageVectors receives what others sent.
func TestMessageVectors(t *testing.T) {
	t.Parallel()
	want := map[string]bridge.Message{
		"V2":  {ID: "4561255354251345929", Sender: bridge.Sender{ID: "mycreate"}, Text: "hello", SentAt: time.Unix(1409659813, 0).UTC()},
		"V5":  {ID: "1456453720", Sender: bridge.Sender{ID: "ChenJiaShun"}, Text: "你好", SentAt: time.Unix(1476422779, 0).UTC()},
		"V9":  {ID: "2018405441", Sender: bridge.Sender{ID: "foobar"}, Text: "x123", SentAt: time.Unix(1583995625, 0).UTC()},
		"V9b": {ID: "2018405441", Sender: bridge.Sender{ID: "xen0n"}, Text: "x123", SentAt: time.Unix(1583995625, 0).UTC()},
		"V11": {ID: "4363689963896700987", Sender: bridge.Sender{ID: "messense"}, Text: "test", SentAt: time.Unix(1411525903, 0).UTC()},
	}
	for _, v := range vectors(t) {
		d, err := v.open(t, v.ReceiveID).Receive(t.Context(), post(v.query(), envelope(v.Ciphertext)))
		switch {
		case err != nil:
			t.Errorf("%s: %v", v.Name, err)
		case len(d.Response.Body) != 0 || d.Response.Status != 0:
			t.Errorf("%s: answered %+v", v.Name, d.Response)
		case !v.xml(): // genuine, but nothing we can read
			if !d.Suspect || d.Note == "" || len(d.Messages) != 0 {
				t.Errorf("%s: %+v", v.Name, d)
			}
		default:
			w := want[v.Name]
			delete(want, v.Name)
			m := d.Messages[0]
			if m.ID != w.ID || m.Sender.ID != w.Sender.ID || m.Sender.Tenant != v.ReceiveID || m.Text != w.Text || !m.SentAt.Equal(w.SentAt) {
				t.Errorf("%s: %+v", v.Name, m)
			}
		}
	}
	if len(want) != 0 {
		t.Errorf("not seen: %v", slices.Collect(maps.Keys(want)))
	}
}

// forgeries are what the suite has refused.
func forgeries(tb testing.TB) []platformtest.Forgery {
	tb.Helper()
	mine, theirs := encrypt(tb, aesKey, random16, inner(hello), corpID), encrypt(tb, aesKey, random16, inner(hello), "ww0000000000000000")
	unknown := encrypt(tb, otherKey, random16, inner(hello), corpID)
	lie := func(name, at, body string) platformtest.Forgery {
		q := query(signature("other", at, nonce, unknown), at, nonce)
		return platformtest.Forgery{Name: name, Request: post(q, body), Want: bridge.KindUnauthenticated}
	}
	return []platformtest.Forgery{
		lie("for nobody", stamp, envelope(unknown)), lie("for others", stamp, addressed("ww0000000000000000", unknown)), lie("no time", "", addressed(corpID, unknown)),
		lie("not encrypted", stamp, addressed(corpID, "hello")), lie("half a block", stamp, addressed(corpID, "aGVsbG8=")),
		{Name: "half a signature", Request: post(query(signature("other")[:20], stamp, nonce), envelope(mine)), Want: bridge.KindUnauthenticated},
		{Name: "another token", Request: post(query(signature("other", stamp, nonce, mine), stamp, nonce), envelope(mine)), Want: bridge.KindUnauthenticated, Doubt: "token"},
		{Name: "another token and key", Request: post(query(signature("other", stamp, nonce, unknown), stamp, nonce), addressed(corpID, unknown)), Want: bridge.KindUnauthenticated, Doubt: "token"},
		{Name: "three items", Request: post(query(signature(token, stamp, nonce), stamp, nonce), envelope(mine)), Want: bridge.KindUnauthenticated, Doubt: "token"},
		{Name: "another company", Request: post(query(signature(token, stamp, nonce, theirs), stamp, nonce), envelope(theirs)), Want: bridge.KindForbidden, Doubt: "corp_id"},
		{Name: "another app", Request: genuine(tb, strings.Replace(inner(hello), agentID, "1000003", 1)), Want: bridge.KindForbidden, Doubt: "agent_id"},
		{Name: "another company's echo", Request: get(query(signature(token, stamp, nonce, theirs), stamp, nonce), theirs), Want: bridge.KindForbidden},
	}
}

// TestForged: whoever does not know the token gets nothing stored.
func TestForged(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		bot := v.open(t, v.ReceiveID)
		swapped := strings.Replace(v.Ciphertext, v.Ciphertext[:2], v.Ciphertext[1:2]+v.Ciphertext[:1], 1)
		flipped := []byte(v.Signature)
		flipped[len(flipped)-1] ^= 1
		for name, req := range map[string]bridge.Request{
			"no query":       post(url.Values{}, envelope(v.Ciphertext)),
			"no signature":   post(query("", v.Timestamp, v.Nonce), envelope(v.Ciphertext)),
			"upper case":     post(query(strings.ToUpper(v.Signature)+"A", v.Timestamp, v.Nonce), envelope(v.Ciphertext)),
			"one bit":        post(query(string(flipped), v.Timestamp, v.Nonce), envelope(v.Ciphertext)),
			"three items":    post(query(signature(v.Token, v.Timestamp, v.Nonce), v.Timestamp, v.Nonce), envelope(v.Ciphertext)),
			"other time":     post(query(v.Signature, v.Timestamp+"0", v.Nonce), envelope(v.Ciphertext)),
			"other nonce":    post(query(v.Signature, v.Timestamp, v.Nonce+"0"), envelope(v.Ciphertext)),
			"other content":  post(v.query(), envelope(swapped)),
			"other token":    post(query(signature("other", v.Timestamp, v.Nonce, v.Ciphertext), v.Timestamp, v.Nonce), envelope(v.Ciphertext)),
			"no token":       post(query(signature("", v.Timestamp, v.Nonce, v.Ciphertext), v.Timestamp, v.Nonce), envelope(v.Ciphertext)),
			"echo, 3 items":  get(query(signature(v.Token, v.Timestamp, v.Nonce), v.Timestamp, v.Nonce), v.Ciphertext),
			"echo, one bit":  get(query(string(flipped), v.Timestamp, v.Nonce), v.Ciphertext),
			"echo, no query": get(url.Values{}, ""),
			"empty body":     post(v.query(), ""),
			"JSON":           post(v.query(), `{"encrypt":"`+v.Ciphertext+`"}`),
			"plain XML":      post(v.query(), v.Msg),
			"empty cipher":   post(query(signature(v.Token, v.Timestamp, v.Nonce, ""), v.Timestamp, v.Nonce), envelope("")),
		} {
			d, err := bot.Receive(t.Context(), req)
			if bridge.KindOf(err) != bridge.KindUnauthenticated || len(d.Messages)+len(d.Actions)+len(d.Response.Body) != 0 {
				t.Errorf("%s, %s: %v, %+v", v.Name, name, err, d)
			}
		}
		// The value that a widespread tutorial would have computed.
		if v.Name == "V1" {
			if three := signature(v.Token, v.Timestamp, v.Nonce); three != "93d1cec91cee4a4a8baada4c807ed13137622215" {
				t.Errorf("three items give %s", three)
			}
		}
	}
}

// TestOtherCompany: the token may be shared by mistake, the company may not.
func TestOtherCompany(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		bot := v.open(t, "ww0000000000000000")
		for _, req := range []bridge.Request{get(v.query(), v.Ciphertext), post(v.query(), envelope(v.Ciphertext))} {
			d, err := bot.Receive(t.Context(), req)
			if bridge.KindOf(err) != bridge.KindForbidden || len(d.Messages)+len(d.Response.Body) != 0 {
				t.Errorf("%s %s: %v, %+v", v.Name, req.Method, err, d)
			}
		}
	}
}

// TestOtherApp: two apps of a company may be given the same token and key.
func TestOtherApp(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	for agent, want := range map[string]bridge.Kind{
		agentID: "", " 1000002 ": "", "": "", "1000003": bridge.KindForbidden, "x": bridge.KindForbidden, "99999999999999999999": bridge.KindForbidden,
	} {
		text := strings.Replace(inner(hello), "<AgentID>"+agentID, "<AgentID>"+agent, 1)
		d, err := bot.Receive(t.Context(), genuine(t, text))
		if bridge.KindOf(err) != want || (want == "") != (len(d.Messages) == 1) {
			t.Errorf("agent %q: %v, %+v", agent, err, d)
		}
	}
}

// TestEncrypt makes sure that these tests encrypt as WeCom does.
func TestEncrypt(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		random, err := hex.DecodeString(v.Random16)
		if err != nil {
			t.Fatal(err)
		}
		if got := encrypt(t, v.AESKey, string(random), v.Msg, v.ReceiveID); got != v.Ciphertext {
			t.Errorf("%s: %s", v.Name, got)
		}
		if n := 16 + 4 + len(v.Msg) + len(v.ReceiveID) + v.Pad; n%32 != 0 {
			t.Errorf("%s: %d bytes", v.Name, n)
		}
	}
	// The one published vector of a reply.
	const reply = "<xml>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[test]]></Content>\n<FromUserName><![CDATA[wx49f0ab532d5d035a]]></FromUserName>\n" +
		"<ToUserName><![CDATA[messense]]></ToUserName>\n<AgentID>1</AgentID>\n<CreateTime>1411525903</CreateTime>\n</xml>"
	const ciphertext = "9s4gMv99m88kKTh/H8IdkOiMg6bisoy3ypwy9H4hvSPe9nsGaqyw5hhSjdYbcrKk+j3nba4HMOTzHrluLBYqxgNcBqGsL8GqxlhZgURnAtObvesEl5nZ+uBE8bviY0LWke8Zy9V/QYKxNV2FqllNXcfmstttyIkMKCCmVbCFM2JTF5wY0nFhHZSjPUL2Q1qvSUCUld+/WIXrx0oyKQmpB6o8NRrrNrsDf03oxI1p9FxUgMnwKKZeOA/uu+2IEvEBtb7muXsVbwbgX05UPPJvFurDXafG0RQyPR+mf1nDnAtQmmNOuiR5MIkdQ39xn1vWwi1O5oazPoQJz0nTYjxxEE8kv3kFxtAGVRe3ypD3WeK2XeFYFMNMpatF9XiKzHo3"
	v := vector{Token: "123456", AESKey: "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", Timestamp: "1411525903", Nonce: "461056294", Msg: reply}
	if got := encrypt(t, v.AESKey, "1234567890123456", reply, "wx49f0ab532d5d035a"); got != ciphertext {
		t.Errorf("got %s", got)
	}
	v.Signature = "407518b7649e86ef23978113f92d27afa9296533"
	if got := signature(v.Token, v.Timestamp, v.Nonce, ciphertext); got != v.Signature {
		t.Errorf("signature %s", got)
	}
	d, err := v.open(t, "wx49f0ab532d5d035a").Receive(t.Context(), get(v.query(), ciphertext))
	if err != nil || string(d.Response.Body) != reply {
		t.Errorf("got %q, %v", d.Response.Body, err)
	}
}

// TestRoundTrip opens messages of every length of padding.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	for n := range 100 {
		message := strings.Repeat("x", n)
		ciphertext := encrypt(t, aesKey, random16, message, corpID)
		d, err := bot.Receive(t.Context(), get(query(signature(token, stamp, nonce, ciphertext), stamp, nonce), ciphertext))
		if err != nil || string(d.Response.Body) != message {
			t.Errorf("%d bytes: %q, %v", n, d.Response.Body, err)
		}
	}
}

// TestEdges takes ciphertexts at and beyond the edges of the format. All of them
// are signed rightly, so what is wrong is found inside.
func TestEdges(t *testing.T) {
	t.Parallel()
	edge := map[string]string{"token": "tok", "aes_key": "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"}
	wide, short := seal(t, edge["aes_key"], []byte(random16+"\x00\x00\x00\x02hi"+corpID), 40), seal(t, edge["aes_key"], []byte(random16), 16)
	for _, c := range []struct {
		name, corp, ciphertext, signature string
		kind                              bridge.Kind
		body                              string
	}{
		{"P1", "ww0000000000000000", "Q3stYC6hdFzMh9T8HCvyDFTre0TQRmRc20Kp5CL/iKFzKE0dimwXxQFTD7gBwO4GK30MIuFYWKjKBanX6LrvIw==", "1c98566ca171dce5f4e94514bb7a4cbc5b963825", "", "hi"},
		{"P1 elsewhere", "ww0000000000000001", "Q3stYC6hdFzMh9T8HCvyDFTre0TQRmRc20Kp5CL/iKFzKE0dimwXxQFTD7gBwO4GK30MIuFYWKjKBanX6LrvIw==", "1c98566ca171dce5f4e94514bb7a4cbc5b963825", bridge.KindForbidden, ""},
		// These name no company, as an AI bot's do; an app belongs to one.
		{"P2", corpID, "Q3stYC6hdFzMh9T8HCvyDAEUkbyPmjvcgo5RsVQcv0g=", "f58b9465e5d8354dfaa66ee26ea663fae891cc79", bridge.KindForbidden, ""},
		{"PAD32", corpID, "Q3stYC6hdFzMh9T8HCvyDL/REUy6XoCe3sU4HvxrUh7Kcl/rt/AR422qmJnDgwvf9NNo3s2z/BJTFH23ClXu3A==", "4e86df7b32dcba8a725c56d060de69b42b2951f8", bridge.KindForbidden, ""},
		{"AIBOT", corpID, "Q3stYC6hdFzMh9T8HCvyDM/oRb/DhmKz4+sysNRipFPbmCYcJN379KcjY+biIkl/0XADC0IX0zwrWnooS6N+/0rQFBf7e+SE/Vv/nc0ePRQEecqvhbIrLaTmZetZiVNDSx+8K/S6RrsrmsBtpCUPspTMT01+bgLID6Y5FACXU+2vS2yDPVtBgko8+kXOKLGKJJWOR8fdAhGO6sRBGaebuQ==", "3f09ec8e63472e928b35acbebc858f9d2dd75b1e", bridge.KindForbidden, ""},
		{"N1 length beyond the data", corpID, "Q3stYC6hdFzMh9T8HCvyDAUEbSqeonaFiodqXxsINe0=", "8acca509fbca360c3b59573d7a24286628364bfc", bridge.KindInvalid, ""},
		{"N2 padding of 0", corpID, "Q3stYC6hdFzMh9T8HCvyDCqqbcgu7MMU9qNgoskDhpA=", "b469f33b117bd05449c2675199ca5ebea29b75e9", bridge.KindInvalid, ""},
		{"N3 padding of 33", corpID, "Q3stYC6hdFzMh9T8HCvyDFxVPPmKhSBVg7vivJpxjrM=", "43e2f80ff656ef96f44c56157aa94d2c152cf62d", bridge.KindInvalid, ""},
		{"N4 padding unequal", corpID, "Q3stYC6hdFzMh9T8HCvyDAepyDDG7tlNcA/SbENQviE=", "c128cd4f286e6c9fe78341e8d56ad517ae6caf59", bridge.KindInvalid, ""},
		{"N5 length of 4 GiB", corpID, "Q3stYC6hdFzMh9T8HCvyDOckKGNAjqrungfpboRsjFA=", "33ce1b22a48aac808b848a2c582edd7f0eda5715", bridge.KindInvalid, ""},
		{"padding of 40, all equal", corpID, wide, signature("tok", stamp, nonce, wide), bridge.KindInvalid, ""},
		{"shorter than its head", corpID, short, signature("tok", stamp, nonce, short), bridge.KindInvalid, ""},
		{"no base64", corpID, "!!!!", signature("tok", stamp, nonce, "!!!!"), bridge.KindInvalid, ""},
		{"no whole block", corpID, "aGVsbG8=", signature("tok", stamp, nonce, "aGVsbG8="), bridge.KindInvalid, ""},
	} {
		edge["corp_id"] = c.corp
		bot := openWith(t, edge, bridge.Env{})
		d, err := bot.Receive(t.Context(), get(query(c.signature, stamp, nonce), c.ciphertext))
		if bridge.KindOf(err) != c.kind || string(d.Response.Body) != c.body {
			t.Errorf("%s: %q, %v", c.name, d.Response.Body, err)
		}
		d, err = bot.Receive(t.Context(), post(query(c.signature, stamp, nonce), envelope(c.ciphertext)))
		switch {
		case c.kind == bridge.KindForbidden && bridge.KindOf(err) != c.kind:
			t.Errorf("%s posted: %v", c.name, err)
		case c.kind == bridge.KindInvalid && (err != nil || !d.Suspect || d.Note == ""):
			t.Errorf("%s posted: genuine, so it is accepted and noticed; got %v, %+v", c.name, err, d)
		}
	}
}

// TestKeySpellings: the last character of a key has bits that count for nothing.
func TestKeySpellings(t *testing.T) {
	t.Parallel()
	for _, key := range []string{aesKey, strings.TrimSuffix(aesKey, "2B2C") + "2B2A", "  " + aesKey + "\n"} {
		bot := openWith(t, map[string]string{"aes_key": key}, bridge.Env{})
		if d, err := bot.Receive(t.Context(), genuine(t, inner(hello))); err != nil || len(d.Messages) != 1 {
			t.Errorf("%q: %v, %+v", key, err, d)
		}
	}
}

// TestEnvelopes: the envelope is read before anything is proved, so it may be
// nothing but elements and text.
func TestEnvelopes(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	ciphertext := encrypt(t, aesKey, random16, inner(hello), corpID)
	element := "<Encrypt>" + ciphertext + "</Encrypt>"
	q := query(signature(token, stamp, nonce, ciphertext), stamp, nonce)
	for _, body := range []string{
		"<xml>" + element + "</xml>",
		"<xml>\n  <Encrypt>\n" + ciphertext + "\n</Encrypt>\n</xml>\n",
		`<?xml version="1.0" encoding="UTF-8"?><xml><AgentID>1</AgentID>` + element + "<ToUserName/></xml>",
	} {
		if d, err := bot.Receive(t.Context(), post(q, body)); err != nil || len(d.Messages) != 1 {
			t.Errorf("%q: %v", body, err)
		}
	}
	for _, body := range []string{
		`<!DOCTYPE xml [<!ENTITY e "` + ciphertext + `">]><xml><Encrypt>&e;</Encrypt></xml>`,
		`<!DOCTYPE xml SYSTEM "http://127.0.0.1/x.dtd"><xml>` + element + "</xml>",
		"<xml><!-- x -->" + element + "</xml>",
		"<xml><?php x ?>" + element + "</xml>",
		"<xml>" + element + "</xml><xml>" + element + "</xml>",
		"<xml>" + element + `</xml><?xml version="1.0"?>`,
		"<xml>" + element + "</xml>more",
		"more<xml>" + element + "</xml>",
		"<xml>" + element,
		"<other>" + element + "</other>",
		"<xml>" + strings.Repeat("<a>", 30) + strings.Repeat("</a>", 30) + element + "</xml>",
		`<?xml version="1.0" encoding="GBK"?><xml>` + element + "</xml>",
		"<xml><Encrypt>&amp;" + ciphertext + "</Encrypt></xml>",
	} {
		if d, err := bot.Receive(t.Context(), post(q, body)); bridge.KindOf(err) != bridge.KindUnauthenticated || len(d.Messages) != 0 {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// TestUnreadable: what comes from WeCom is accepted, or it would come again; but
// somebody is told.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	bot := openWith(t, nil, bridge.Env{})
	for _, text := range []string{
		"", "hello", `{"a":1}`, "<xml>", "<xml></xml>", "<y></y>", `<!DOCTYPE x [<!ENTITY e "x">]><xml><MsgType>&e;</MsgType></xml>`,
		inner("<MsgType>text</MsgType><Content>x</Content>"),                                             // no id
		strings.Replace(inner(hello), "ZhangSan", "", 1),                                                 // no sender
		strings.Replace(inner("<MsgType>event</MsgType><Event>enter_agent</Event>"), "ZhangSan", " ", 1), // no sender
		inner("<MsgType>image</MsgType><MsgId>7</MsgId>"),
	} {
		d, err := bot.Receive(t.Context(), genuine(t, text))
		if err != nil || !d.Suspect || d.Note == "" || len(d.Messages)+len(d.Actions)+len(d.Response.Body) != 0 || d.Response.Status != 0 {
			t.Errorf("%q: %v, %+v", text, err, d)
		}
	}
}

// FuzzReceive looks for requests that end badly, both forged and genuine ones.
func FuzzReceive(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(true, false, envelope(v.Ciphertext), v.Signature, v.Timestamp, v.Nonce)
		f.Add(false, false, v.Ciphertext, v.Signature, v.Timestamp, v.Nonce)
		f.Add(true, true, v.Msg, "", "", "")
	}
	f.Add(true, true, inner(hello), "", "", "")
	for _, kind := range []string{"image", "voice", "video", "file", "location", "link", "event", "other"} {
		f.Add(true, true, inner("<MsgType>"+kind+"</MsgType><MsgId>1</MsgId><MediaId>m</MediaId><Event>click</Event><EventKey>k</EventKey><Label>l</Label><Location_X>1.5</Location_X><Location_Y>2</Location_Y><Title>t</Title><Url>u</Url>"), "", "", "")
	}
	for _, key := range []string{"k", "sb@", "sb@e30", "sb@" + base64.RawURLEncoding.EncodeToString([]byte(`{"v":{"do":"good","job":"7"},"w":"Yes"}`))} {
		f.Add(true, true, cardEvent("ZhangSan", "task", key, arrived()), "", "", "")
	}
	bot := openWith(f, nil, bridge.Env{})
	f.Fuzz(func(t *testing.T, posted, signed bool, data, sig, ts, once string) {
		ciphertext := data
		if signed {
			ciphertext = encrypt(t, aesKey, random16, data, corpID)
			ts, once = stamp, nonce
			sig = signature(token, ts, once, ciphertext)
			data = envelope(ciphertext)
		}
		req := get(query(sig, ts, once), ciphertext)
		if posted {
			req = post(query(sig, ts, once), data)
		}
		d, err := bot.Receive(t.Context(), req)
		switch kind := bridge.KindOf(err); {
		case signed && err != nil && kind != bridge.KindForbidden:
			t.Errorf("a genuine request was refused: %v", err)
		case err != nil && kind != bridge.KindUnauthenticated && kind != bridge.KindForbidden && kind != bridge.KindInvalid:
			t.Errorf("got %v", err)
		case err == nil && !signed && sig != signature(token, ts, once, ciphertext) && !strings.Contains(data, "Encrypt"):
			t.Errorf("a forged request was accepted")
		case err != nil:
			return
		}
		if clicked := len(d.Actions) == 1 && d.Actions[0].Kind == bridge.ActionButton; posted && len(d.Response.Body) != 0 {
			if _, name := openAnswer(t, d.Response); !clicked || name == "" {
				t.Errorf("answered %q", d.Response.Body)
			}
		}
		if posted && len(d.Messages)+len(d.Actions) == 0 && d.Note == "" {
			t.Error("nothing, and no word about it")
		}
		for _, m := range d.Messages {
			whole := fmt.Sprintf("%+v", m)
			if m.ID == "" || m.Sender.ID == "" || m.Address.Chat == "" || m.Text == "" && len(m.Files) == 0 || m.SentAt.IsZero() {
				t.Errorf("incomplete: %s", whole)
			}
			if !utf8.ValidString(whole) || strings.ContainsAny(whole, "\x00\x08\x1b") {
				t.Errorf("unfit for a database: %q", whole)
			}
		}
		for _, a := range d.Actions {
			if a.ID == "" || a.Kind == "" || a.Sender.ID == "" {
				t.Errorf("incomplete: %+v", a)
			}
		}
	})
}
