package feishu_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/feishu"
	"switchboard/internal/platform/platformtest"
)

const (
	appID      = "cli_x"
	secret     = "app-secret-for-test"
	encryptKey = "test key"
	verifyWith = "vtok"
	botID      = "ou_bot"
)

// arrived is when the requests of these tests arrive.
func arrived() time.Time { return time.UnixMilli(1760000005000) }

// openBot opens a bot with an encrypt key and a verification token, some of it
// changed.
func openBot(tb testing.TB, changes map[string]string) bridge.Bot {
	tb.Helper()
	return openWith(tb, changes, bridge.Env{})
}

func openWith(tb testing.TB, changes map[string]string, env bridge.Env) bridge.Bot {
	tb.Helper()
	all := map[string]string{"app_id": appID, "app_secret": secret, "encrypt_key": encryptKey, "verification_token": verifyWith}
	maps.Copy(all, changes)
	bot, err := feishu.Connector().Open(config(all), env)
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

// config sorts values into settings and secrets.
func config(values map[string]string) bridge.Config {
	c := bridge.Config{ID: "fs", Platform: "feishu", Mode: "webhook", Settings: map[string]string{}, Secrets: map[string]bridge.Secret{}}
	for _, f := range feishu.Connector().Form {
		value, ok := values[f.Key]
		switch {
		case !ok:
		case f.Secret:
			c.Secrets[f.Key] = bridge.NewSecret(value)
		default:
			c.Settings[f.Key] = value
		}
	}
	return c
}

// encrypt is written out here, so that a mistake in the bot is not made twice.
func encrypt(key string, plain []byte) string {
	hash := sha256.Sum256([]byte(key))
	block, err := aes.NewCipher(hash[:])
	if err != nil {
		panic(err)
	}
	n := aes.BlockSize - len(plain)%aes.BlockSize
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(n)}, n)...)
	iv := []byte("0123456789abcdef")
	sealed := make([]byte, len(padded))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, padded)
	return base64.StdEncoding.EncodeToString(append(iv, sealed...))
}

func envelope(ciphertext string) string {
	return `{"encrypt":"` + ciphertext + `"}`
}

// sha is the signature as the documentation has it.
func sha(timestamp, nonce, key, body string) string {
	sum := sha256.Sum256([]byte(timestamp + nonce + key + body))
	return hex.EncodeToString(sum[:])
}

func request(body string) bridge.Request {
	return bridge.Request{Method: http.MethodPost, Header: http.Header{}, Body: []byte(body), At: arrived()}
}

func signedRequest(body, timestamp, nonce, signature string) bridge.Request {
	r := request(body)
	r.Header.Set("X-Lark-Request-Timestamp", timestamp)
	r.Header.Set("X-Lark-Request-Nonce", nonce)
	r.Header.Set("X-Lark-Signature", signature)
	return r
}

// genuine is a request as Feishu encrypts and signs it.
func genuine(plain string) bridge.Request {
	body := envelope(encrypt(encryptKey, []byte(plain)))
	return signedRequest(body, "1760000004", "n1", sha("1760000004", "n1", encryptKey, body))
}

// event is an event of version 2.
func event(kind, body string) string {
	return `{"schema":"2.0","header":{"event_id":"ev_1","event_type":"` + kind + `","create_time":"1760000000000","token":"` + verifyWith +
		`","app_id":"` + appID + `","tenant_key":"tk1"},"event":` + body + `}`
}

// said is a message in a direct chat; content is JSON.
func said(kind, content string) string {
	quoted, err := json.Marshal(content)
	if err != nil {
		panic(err)
	}
	return event("im.message.receive_v1", `{"sender":{"sender_id":{"union_id":"on_1","user_id":"","open_id":"ou_1"},"sender_type":"user","tenant_key":"tk1"},
		"message":{"message_id":"om_1","create_time":"1760000000123","chat_id":"oc_1","chat_type":"p2p","message_type":"`+kind+`","content":`+string(quoted)+`}}`)
}

func hello() string { return said("text", `{"text":"hi"}`) }

// The vectors that others published: of the documentation and of the tests of
// node-sdk, oapi-sdk-go and oapi-sdk-java.
const (
	vectorA = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
	vectorB = "tT1xP+ovuc0T3b/rnZX3ax76exqAn0ANQ6/U45GcciC0mgNBc8JtvqOJGNAPMKpgRs2dVU1NYk9VDeqS8T4SYtU0hzNU54aS84WnxvZ3VFfDcy/RyABlNqlUiGyLDzFI0yxdCMT4KR/YEQXlt6nZi50KwRlZ+A75r645KesZuLMljezYyY8VeeXEVjPw35+e"
	vectorC = "bZ3L7yh6m3Fkuffl4g+3uGjIHnhOm5fVZbKVuyT8t7tcd5ABMYm8l28/X900ZL3knZ7n+sCREu/H2WnIzft0amC7+xWqNH8o25IU63N4BnZWfHh+4hyG76QPd19vkw2bPJCx9aqxK8Nz+xqFNbk0RdgyWhmgd30jSxHtcQXAllkI7FMpGpOCteJad3bLXPDBQIV/xkCtKICCS7Z63gakpxZCLaRZ3qCXP1fapHh+LBIupxenrU6ysc7I3nHmjmKie41IiWwS5puG4zQHhVbq6KWLcgWm/3NBZOPQy53ucMu75SXA55I7jarVLZXWUcqBGrcgE3vouWbtwgZuzmoTQl0GSh5VYSVvpW992BuGxUWj0XjPYdICJm6Cr7xouNXwMcdb7N8caVdkdSZeEnswG19qSyDoQhklwzNGW0yiaayulBqJNjfge/G5V3401c2XaIuAeEIo+QQ4RSNpRGfnHkbu/j55FGQAGWjpuBNaIwZbaUoVP3NkGP+vM5rpEDe3sL2GN+Xsd+g9yBs7FqdMV8mXTGgLjCqjrPrke5/km76Q3Pe6KPs2YexMRG4MkSx3xUTzZnNn7zIzShPcjeSwBd2pxk6ht5N+fzueZdxl6Oo="
	vectorD = "4T4ivT/PR2APX9OYkhRKtu54s1rtIpj9xJU69Hs1yWQ/1RutbufsBs9xjx5YC3u/0hMRF49sN0kevQiEL8iB3bVEdpfyJXzXGDfKUjvKQTmG64GbMdTW6qRpadVPem3f32jHuT6fc+4TRg4BigwoUId+l/D+vcIwu3mDgAEbaqzWfmvccmpiRMfQbh9JhdK/akmrRjo/CXPLM+hZciFXJMSpKueV3SjZJoSls5y0ZTHC8zak/Mp/DSl1wa4mYe5laP367Lnl4ylGiXBKx3Ku29oWv79rYcO/5QT63H4rkl8bwYmAzScpb2KNnV11L3xiDzJp3hFdfXczUvm93FXu4Lw8eDAsRzIWCccKrqHh0UvtDJD95tNn6LvYew4+Xbk1RD4k7UzWJS9AMobOK778NLNxfQ+Kn7MKzBHilXnSIVY5V+dcsOOdfqJviW4yWmT73JHYKq1qJip7Cw7lbkmRMUmettUwdVFWxeXH6iTex3YXCgqoriCx/MzeQhdNEycipooB/vHItRt1CF44uFWj9tf8n3TdbdH4dNMD0hw8ejHJSbEHb9HAGCugUniN8BzL9wxE959JU4cu3BKjDuIk5oS9hLR1mSc3vKBuSa3VKOE="
)

// TestDecryptVectors lets the bot open what others encrypted.
func TestDecryptVectors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		key, token, app, sealed string
		challenge, note         string
	}{
		"B": {"mazhe.nerd", "iRdCP2WwXNBXRM3mGLqhrgch3cn0gbT6", appID, vectorB, "5634b122-c042-4634-bc7f-b07a3c3e77ad", "the callback address was checked"},
		// The type of a check beside an event of version 2: it is a check.
		"C": {"1212121212", "v", "cli_xxxxxxxx", vectorC, "1212", "the callback address was checked"},
		// Not quite the type of a check: it is an event.
		"D": {"1212121212", "v", "cli_xxxxxxxx", vectorD, "", "event contact.user.created_v3"},
		// Not JSON at all.
		"A": {"test key", "v", appID, vectorA, "", "a body that is not JSON"},
	} {
		bot := openBot(t, map[string]string{"encrypt_key": c.key, "verification_token": c.token, "app_id": c.app})
		body := envelope(c.sealed)
		d, err := bot.Receive(t.Context(), signedRequest(body, "1", "2", sha("1", "2", c.key, body)))
		if err != nil || d.Note != c.note || d.Suspect != (name == "A") {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
		want := "{}"
		if c.challenge != "" {
			want = `{"challenge":"` + c.challenge + `"}`
		}
		if string(d.Response.Body) != want || d.Response.Type != "application/json" || d.Response.Status > 200 {
			t.Errorf("%s: answered %s", name, d.Response.Body)
		}
		other := openBot(t, map[string]string{"encrypt_key": c.key + "x", "verification_token": c.token, "app_id": c.app})
		if d, err := other.Receive(t.Context(), request(body)); bridge.KindOf(err) != bridge.KindUnauthenticated || len(d.Response.Body) > 0 {
			t.Errorf("%s: another key opens it: %+v, %v", name, d, err)
		}
	}
}

// TestSignatureVectors takes signatures that others computed, one over a body
// that is not JSON and one over an encrypted one; both are then genuine.
func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, timestamp, nonce, body, signature string
		good                                   bool
	}{
		{"fake-xx", "1626947018", "64607134", "{fake}", "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06", true},
		{"test key", "1700000000", "nonce123", envelope(vectorA), "669e3ed5328644f71370e3249f96af0fd17e5ed4d7b178c44f11f7997339e344", true},
		// The legacy signature of cards, with SHA-1.
		{"fake-xx", "1626947018", "64607134", "{fake}", "5470922ccdb44ddab796dff38ae55d2bbf446668", false},
		// One character more in each place.
		{"fake-xx", "16269470180", "64607134", "{fake}", "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06", false},
		{"fake-xx", "1626947018", "646071340", "{fake}", "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06", false},
		{"fake-xx", "1626947018", "64607134", "{fake} ", "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06", false},
		{"fake-xy", "1626947018", "64607134", "{fake}", "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06", false},
		{"fake-xx", "1626947018", "64607134", "{fake}", "7DB78FDBC2FB617C46E713C3EC3F4B4658D94166682A80434FE557F23AFCFD06", false},
		{"fake-xx", "1626947018", "64607134", "{fake}", "", false},
	} {
		bot := openBot(t, map[string]string{"encrypt_key": c.key, "verification_token": ""})
		d, err := bot.Receive(t.Context(), signedRequest(c.body, c.timestamp, c.nonce, c.signature))
		switch {
		case c.good && (err != nil || !d.Suspect):
			t.Errorf("%+v: got %+v, %v", c, d, err)
		case !c.good && bridge.KindOf(err) != bridge.KindUnauthenticated:
			t.Errorf("%+v: got %+v, %v", c, d, err)
		}
	}
}

// forgeries are what the suite has refused.
func forgeries(verify string) []platformtest.Forgery {
	body := envelope(encrypt(encryptKey, []byte(hello())))
	unknown := envelope(encrypt("x", []byte(hello())))
	forged := []platformtest.Forgery{
		{Name: "closed and signed with another key", Request: signedRequest(unknown, "1", "2", sha("1", "2", "x", unknown)), Want: bridge.KindUnauthenticated, Doubt: "encrypt_key"},
		{Name: "closed with another key", Request: request(unknown), Want: bridge.KindUnauthenticated},
		{Name: "half a signature", Request: signedRequest(unknown, "1", "2", sha("1", "2", "x", unknown)[:32]), Want: bridge.KindUnauthenticated},
		{Name: "no time", Request: signedRequest(unknown, "", "2", sha("", "2", "x", unknown)), Want: bridge.KindUnauthenticated},
		{Name: "no nonce", Request: signedRequest(unknown, "1", "", sha("1", "", "x", unknown)), Want: bridge.KindUnauthenticated},
		{Name: "not signed", Request: request(body), Want: bridge.KindUnauthenticated},
		{Name: "another key", Request: signedRequest(body, "1", "2", sha("1", "2", "x", body)), Want: bridge.KindUnauthenticated},
		{Name: "no key", Request: signedRequest(body, "1", "2", sha("1", "2", "", body)), Want: bridge.KindUnauthenticated},
		{Name: "the token as key", Request: signedRequest(body, "1", "2", sha("1", "2", verifyWith, body)), Want: bridge.KindUnauthenticated},
		{Name: "not encrypted", Request: request(hello()), Want: bridge.KindUnauthenticated, Doubt: "encrypt_key"},
		{Name: "not encrypted, of another app", Request: request(strings.Replace(hello(), appID, "cli_y", 1)), Want: bridge.KindUnauthenticated},
		{Name: "another app", Request: genuine(strings.Replace(hello(), appID, "cli_y", 1)), Want: bridge.KindForbidden, Doubt: "app_id"},
	}
	for name, body := range map[string]string{"nothing encrypted": `{"encrypt":""}`, "half a block": `{"encrypt":"` + strings.Repeat("A", 64) + `BB"}`, "not base64": `{"encrypt":"%%%"}`} {
		forged = append(forged, platformtest.Forgery{Name: name, Request: signedRequest(body, "1", "2", sha("1", "2", "x", body)), Want: bridge.KindUnauthenticated})
	}
	if verify != "" {
		forged = append(forged, platformtest.Forgery{
			Name: "another app's token", Request: genuine(strings.Replace(hello(), verify, "other", 1)), Want: bridge.KindForbidden, Doubt: "verification_token",
		})
	}
	return forged
}

// TestDoubtsWithoutEncryptKey: what looks like Feishu's names the setting that it
// does not fit: the verification token, or the encrypt key that the console has and we lack.
func TestDoubtsWithoutEncryptKey(t *testing.T) {
	t.Parallel()
	bot := openBot(t, map[string]string{"encrypt_key": "", "verification_token": verifyWith})
	other := strings.Replace(hello(), verifyWith, "other", 1)
	old := `{"uuid":"1","token":"other","type":"event_callback","event":{"type":"message","app_id":"` + appID + `"}}`
	unknown := envelope(encrypt("x", []byte(hello())))
	for name, c := range map[string]struct {
		req   bridge.Request
		field string
	}{
		"another token":                {request(other), "verification_token"},
		"another token, version 1":     {request(old), "verification_token"},
		"another token, another app's": {request(strings.Replace(other, appID, "cli_y", 1)), ""},
		"encrypted":                    {signedRequest(unknown, "1", "2", sha("1", "2", "x", unknown)), "encrypt_key"},
		"nothing":                      {request("{}"), ""},
	} {
		_, err := bot.Receive(t.Context(), c.req)
		var e *bridge.Error
		if !errors.As(err, &e) || e.Kind != bridge.KindUnauthenticated || e.Args["field"] != c.field || e.Likely != (c.field != "") {
			t.Errorf("%s: %+v", name, err)
		}
	}
}

// TestAuthentication: whatever is not signed with the encrypt key, over these
// very bytes, is turned away.
func TestAuthentication(t *testing.T) {
	t.Parallel()
	body := envelope(encrypt(encryptKey, []byte(hello())))
	right := sha("1", "2", encryptKey, body)
	for name, c := range map[string]struct {
		req  bridge.Request
		want bridge.Kind
	}{
		"genuine":                     {signedRequest(body, "1", "2", right), ""},
		"a timestamp of any form":     {signedRequest(body, "2026-04-01T10:00:00.5Z", "2", sha("2026-04-01T10:00:00.5Z", "2", encryptKey, body)), ""},
		"no headers":                  {request(body), bridge.KindUnauthenticated},
		"the token as key":            {signedRequest(body, "1", "2", sha("1", "2", verifyWith, body)), bridge.KindUnauthenticated},
		"the secret as key":           {signedRequest(body, "1", "2", sha("1", "2", secret, body)), bridge.KindUnauthenticated},
		"over the plain text":         {signedRequest(body, "1", "2", sha("1", "2", encryptKey, hello())), bridge.KindUnauthenticated},
		"nonce before timestamp":      {signedRequest(body, "1", "2", sha("2", "1", encryptKey, body)), bridge.KindUnauthenticated},
		"one byte of the body":        {signedRequest(strings.Replace(body, "}", " }", 1), "1", "2", right), bridge.KindUnauthenticated},
		"not encrypted":               {request(hello()), bridge.KindUnauthenticated},
		"not encrypted but signed":    {signedRequest(hello(), "1", "2", sha("1", "2", encryptKey, hello())), ""},
		"nothing":                     {request(""), bridge.KindUnauthenticated},
		"a wrong token inside":        {genuine(strings.Replace(hello(), verifyWith, "other", 1)), bridge.KindForbidden},
		"no token inside":             {genuine(strings.Replace(hello(), `"token":"`+verifyWith+`",`, "", 1)), ""},
		"another app":                 {genuine(strings.Replace(hello(), appID, "cli_y", 1)), bridge.KindForbidden},
		"no app":                      {genuine(strings.Replace(hello(), `"app_id":"`+appID+`",`, "", 1)), ""},
		"a GET":                       {bridge.Request{Method: http.MethodGet, Header: http.Header{}}, bridge.KindInvalid},
		"a check that is not sealed":  {request(`{"type":"url_verification","challenge":"c","token":"` + verifyWith + `"}`), bridge.KindUnauthenticated},
		"a check with a wrong token":  {request(envelope(encrypt(encryptKey, []byte(`{"type":"url_verification","challenge":"c","token":"x"}`)))), bridge.KindUnauthenticated},
		"a check under another key":   {request(envelope(encrypt("x", []byte(`{"type":"url_verification","challenge":"c","token":"vtok"}`)))), bridge.KindUnauthenticated},
		"an event that claims a type": {request(strings.Replace(hello(), `"schema"`, `"type":"url_verification","schema"`, 1)), bridge.KindUnauthenticated},
	} {
		d, err := openBot(t, nil).Receive(t.Context(), c.req)
		if bridge.KindOf(err) != c.want || (len(d.Messages) == 1) != (c.want == "") || c.want != "" && len(d.Response.Body) > 0 {
			t.Errorf("%s: got %+v, %v; want %q", name, d, err, c.want)
		}
		for _, word := range []string{secret, encryptKey, verifyWith} {
			if err != nil && strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error tells a secret: %v", name, err)
			}
		}
	}
}

// TestWithoutEncryptKey: then only the token tells where a request is from.
func TestWithoutEncryptKey(t *testing.T) {
	t.Parallel()
	bot := openBot(t, map[string]string{"encrypt_key": ""})
	old := `{"uuid":"1","token":"` + verifyWith + `","ts":"1","type":"event_callback","event":{"type":"contact_user_update_v3"}}`
	for name, c := range map[string]struct {
		req      bridge.Request
		want     bridge.Kind
		messages int
	}{
		"genuine":                   {request(hello()), "", 1},
		"with a signature":          {signedRequest(hello(), "1", "2", "whatever"), "", 1},
		"a check":                   {request(`{"type":"url_verification","challenge":"c","token":"` + verifyWith + `"}`), "", 0},
		"version 1":                 {request(old), "", 0},
		"a check with wrong token":  {request(`{"type":"url_verification","challenge":"c","token":"x"}`), bridge.KindUnauthenticated, 0},
		"a check without a token":   {request(`{"type":"url_verification","challenge":"c"}`), bridge.KindUnauthenticated, 0},
		"a wrong token":             {request(strings.Replace(hello(), verifyWith, "other", 1)), bridge.KindUnauthenticated, 0},
		"a longer token":            {request(strings.Replace(hello(), verifyWith, verifyWith+"1", 1)), bridge.KindUnauthenticated, 0},
		"an empty token":            {request(strings.Replace(hello(), verifyWith, "", 1)), bridge.KindUnauthenticated, 0},
		"version 1, wrong token":    {request(strings.Replace(old, verifyWith, "x", 1)), bridge.KindUnauthenticated, 0},
		"encrypted":                 {request(envelope(encrypt(encryptKey, []byte(hello())))), bridge.KindUnauthenticated, 0},
		"garbage":                   {request("garbage"), bridge.KindUnauthenticated, 0},
		"a list":                    {request("[]"), bridge.KindUnauthenticated, 0},
		"signed with an empty key":  {signedRequest("{}", "1", "2", sha("1", "2", "", "{}")), bridge.KindUnauthenticated, 0},
		"another app":               {request(strings.Replace(hello(), appID, "cli_y", 1)), bridge.KindForbidden, 0},
		"version 1 for another app": {request(strings.Replace(old, `"type":"contact`, `"app_id":"cli_y","type":"contact`, 1)), bridge.KindForbidden, 0},
	} {
		d, err := bot.Receive(t.Context(), c.req)
		if bridge.KindOf(err) != c.want || len(d.Messages) != c.messages {
			t.Errorf("%s: got %+v, %v; want %q", name, d, err, c.want)
		}
	}
	if d, _ := bot.Receive(t.Context(), request(`{"type":"url_verification","challenge":"a\"b<c>","token":"`+verifyWith+`"}`)); string(d.Response.Body) != `{"challenge":"a\"b<c>"}` {
		t.Errorf("the check was answered with %s", d.Response.Body)
	}
}

// TestCheckNeedsNoToken: with an encrypt key alone, to be able to encrypt is enough.
func TestCheckNeedsNoToken(t *testing.T) {
	t.Parallel()
	bot := openBot(t, map[string]string{"verification_token": ""})
	check := `{"type":"url_verification","challenge":"c","token":"unknown to us"}`
	if d, err := bot.Receive(t.Context(), request(envelope(encrypt(encryptKey, []byte(check))))); err != nil || string(d.Response.Body) != `{"challenge":"c"}` {
		t.Errorf("got %+v, %v", d, err)
	}
	if _, err := bot.Receive(t.Context(), request(check)); bridge.KindOf(err) != bridge.KindUnauthenticated {
		t.Errorf("anybody could check: %v", err)
	}
	if d, err := bot.Receive(t.Context(), genuine(hello())); err != nil || len(d.Messages) != 1 {
		t.Errorf("got %+v, %v", d, err)
	}
}

// TestBadCiphertexts: what is signed but does not decrypt is accepted, because
// delivering it again would not help; somebody is told.
func TestBadCiphertexts(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	sealed, err := base64.StdEncoding.DecodeString(encrypt(encryptKey, []byte(hello())))
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.StdEncoding.EncodeToString
	last := func(change func(b []byte)) string { // the last block decides about the padding
		b := bytes.Clone(sealed)
		change(b)
		return encode(b)
	}
	for name, ciphertext := range map[string]string{
		"not base64":     "???",
		"url base64":     "-_-_",
		"an iv only":     encode(sealed[:16]),
		"half a block":   encode(sealed[:40]),
		"one byte short": encode(sealed[:len(sealed)-1]),
		"another key":    encrypt("other", []byte(hello())),
		"padding of 0":   encode(append(bytes.Clone(sealed), sealed[:16]...)),
		"changed end":    last(func(b []byte) { b[len(b)-1] ^= 1 }),
		"changed before": last(func(b []byte) { b[len(b)-17] ^= 0x20 }),
	} {
		body := envelope(ciphertext)
		d, err := bot.Receive(t.Context(), signedRequest(body, "1", "2", sha("1", "2", encryptKey, body)))
		if err != nil || !d.Suspect || len(d.Messages) > 0 || string(d.Response.Body) != "{}" {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
		if _, err := bot.Receive(t.Context(), request(body)); bridge.KindOf(err) != bridge.KindUnauthenticated {
			t.Errorf("%s unsigned: got %v", name, err)
		}
	}
	// Every padding byte counts, not only the last.
	plain := []byte(`{"type":"url_verification","challenge":"c","token":"vtok"}`)
	hash := sha256.Sum256([]byte(encryptKey))
	block, err := aes.NewCipher(hash[:])
	if err != nil {
		t.Fatal(err)
	}
	for _, pad := range []string{"\x01\x02\x03\x04\x05\x06", "\x06\x06\x06\x06\x06\x05", "\x00\x00\x00\x00\x00\x00", "\x11\x11\x11\x11\x11\x11", "\x06\x06\x06\x06\x05\x06", strings.Repeat("\x16", 22)} {
		padded := append(bytes.Clone(plain), pad...)
		if len(padded)%16 != 0 {
			t.Fatalf("%d bytes", len(padded))
		}
		out := make([]byte, len(padded))
		cipher.NewCBCEncrypter(block, sealed[:16]).CryptBlocks(out, padded)
		if _, err := bot.Receive(t.Context(), request(envelope(encode(append(bytes.Clone(sealed[:16]), out...))))); bridge.KindOf(err) != bridge.KindUnauthenticated {
			t.Errorf("padding %x was taken: %v", pad, err)
		}
	}
}

// TestOddEvents: what is genuine but of no use to us is answered with success,
// or it would be delivered again; what we ought to understand is suspect.
func TestOddEvents(t *testing.T) {
	t.Parallel()
	bot := openBot(t, nil)
	old := func(event string) string {
		return `{"uuid":"1","token":"vtok","type":"event_callback","event":` + event + `}`
	}
	for name, c := range map[string]struct {
		body    string
		suspect bool
		note    string
	}{
		"not JSON":          {"oops", true, "not JSON"},
		"recalled":          {event("im.message.recalled_v1", `{"message_id":"om_1","chat_id":"oc_1"}`), false, "recalled"},
		"read":              {event("im.message.message_read_v1", `{"message_id_list":["om_1"]}`), false, "read"},
		"unknown":           {event("im.brand_new_v9", `{}`), false, "event im.brand_new_v9"},
		"nasty":             {event(`a\nb<c>`, `{}`), false, "event abc"},
		"reaction":          {event("im.message.reaction.created_v1", `{}`), false, "event im.message.reaction.created_v1"},
		"version 1":         {old(`{"type":"add_bot","app_id":"cli_x"}`), false, "event of version 1 add_bot"},
		"version 1 message": {old(`{"type":"message","text":"hi"}`), true, "version 1"},
		"no type":           {old(`{}`), true, "without a type"},
		"event is a list":   {old(`[]`), true, "without a type"},
		"message is a list": {event("im.message.receive_v1", `[]`), true, "without an id"},
		"message is null":   {event("im.message.receive_v1", `null`), true, "without an id"},
	} {
		d, err := bot.Receive(t.Context(), genuine(c.body))
		if err != nil || len(d.Messages)+len(d.Actions) != 0 || d.Suspect != c.suspect || !strings.Contains(d.Note, c.note) || d.Note == "" {
			t.Errorf("%s: got %+v, %v", name, d, err)
		}
		if d.Response.Status > 200 || string(d.Response.Body) != "{}" {
			t.Errorf("%s: answered with %d %s", name, d.Response.Status, d.Response.Body)
		}
		if strings.ContainsAny(d.Note, "\n<>") {
			t.Errorf("%s: the note %q holds foreign marks", name, d.Note)
		}
	}
}

// FuzzReceive throws events with any body at the bot: encrypted and signed,
// encrypted only, or as they are.
func FuzzReceive(f *testing.F) {
	for _, name := range goldenBodies(f) {
		var body bytes.Buffer // a large one takes the fuzzer a minute to make small
		if err := json.Compact(&body, readFile(f, name)); err != nil {
			f.Fatal(err)
		}
		f.Add(body.Bytes(), byte(0))
	}
	f.Add([]byte(hello()), byte(1))
	f.Add([]byte(hello()), byte(2))
	f.Add([]byte(`{"type":"url_verification","challenge":"c","token":"vtok"}`), byte(1))
	f.Add([]byte(envelope(vectorA)), byte(2))
	f.Add([]byte(said("post", `{"content":[[{"tag":"text","text":1},[],{"tag":"at","user_id":"@_user_1"}]]}`)), byte(0))
	bot := openBot(f, nil)
	f.Fuzz(func(t *testing.T, body []byte, how byte) {
		req := genuine(string(body))
		switch how % 3 {
		case 1:
			req.Header.Del("X-Lark-Signature")
		case 2:
			req = request(string(body))
		}
		d, err := bot.Receive(t.Context(), req)
		if err != nil {
			checkRefusal(t, err, d, how%3 == 0)
			return
		}
		checkDelivery(t, d, how%3)
	})
}

func checkRefusal(t *testing.T, err error, d bridge.Delivery, isGenuine bool) {
	t.Helper()
	var e *bridge.Error
	if !errors.As(err, &e) || len(d.Messages)+len(d.Actions) > 0 {
		t.Fatalf("%v with %+v", err, d)
	}
	if e.Kind != bridge.KindUnauthenticated && (!isGenuine || e.Kind != bridge.KindForbidden) {
		t.Fatalf("got %v", err)
	}
}

func checkDelivery(t *testing.T, d bridge.Delivery, how byte) {
	t.Helper()
	challenge := d.Note == "the callback address was checked"
	if how != 0 && !challenge || how == 2 && challenge && !bytes.Contains(d.Response.Body, []byte("challenge")) {
		t.Fatalf("not genuine, yet taken: %+v", d)
	}
	if !json.Valid(d.Response.Body) {
		t.Fatalf("answered with %s", d.Response.Body)
	}
	carried := len(d.Messages) + len(d.Actions)
	if d.Suspect && d.Note == "" || d.Note != "" && carried > 0 || d.Note == "" && carried != 1 {
		t.Fatalf("an odd delivery: %+v", d)
	}
	for _, m := range d.Messages {
		checkMessage(t, m)
	}
	for _, a := range d.Actions {
		if a.ID == "" || a.Chat.ID == "" || a.Sender.ID == "" || a.Kind == "" || a.At.IsZero() {
			t.Fatalf("something is missing: %+v", a)
		}
	}
}

func checkMessage(t *testing.T, m bridge.Message) {
	t.Helper()
	if m.ID == "" || m.Sender.ID == "" || m.Chat.ID == "" || m.Chat.Kind == "" || m.SentAt.IsZero() || m.Address.ReplyTo != m.ID {
		t.Fatalf("something is missing: %+v", m)
	}
	if m.Text == "" && len(m.Files) == 0 {
		t.Fatalf("nothing to answer: %+v", m)
	}
	shown := m.Text
	for _, file := range m.Files {
		shown += file.Name
		if file.ID == "" || file.Duration < 0 || file.Message != m.ID {
			t.Fatalf("a file that nobody can fetch: %+v", file)
		}
	}
	if !utf8.ValidString(shown) || strings.ContainsRune(shown, 0) {
		t.Fatalf("not fit to be stored: %q", shown)
	}
}

// TestEitherSecret: to prove where events are from, one of the two is enough.
func TestEitherSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		encryptKey, verify string
		good               bool
	}{{"k", "", true}, {"", "v", true}, {"", "", false}, {" ", "\n", false}} {
		_, err := feishu.Connector().Open(config(map[string]string{
			"app_id": appID, "app_secret": secret, "encrypt_key": c.encryptKey, "verification_token": c.verify,
		}), bridge.Env{})
		var e *bridge.Error
		if c.good && err != nil || !c.good && (!errors.As(err, &e) || e.Kind != bridge.KindInvalid || e.Args["field"] != "verification_token") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
