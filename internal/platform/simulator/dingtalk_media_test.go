package simulator_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"switchboard/internal/platform/simulator"
)

// puts uploads a file to DingTalk.
func (b *bench) puts(query, field, name string, data []byte) result {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile(field, name)
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = part.Write(data)
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	r, err := b.try(b.bots["dingtalk"].Settings["oapi_url"]+"/media/upload?"+query, http.MethodPost, map[string]string{"Content-Type": w.FormDataContentType()}, body.String())
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}

// TestDingMedia: files are of the types and sizes of the page, and are shown as what
// they are.
func TestDingMedia(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	token := "access_token=" + b.token("dingtalk")
	data := []byte("data")
	for name, c := range map[string]struct {
		query, field, file string
		data               []byte
		want               int
	}{
		"no token":        {"type=image&access_token=x", "media", "a.png", data, 40014},
		"no type":         {token, "media", "a.png", data, 40004},
		"another field":   {"type=image&" + token, "file", "a.png", data, 40035},
		"nothing in it":   {"type=image&" + token, "media", "a.png", nil, 40035},
		"no picture":      {"type=image&" + token, "media", "a.pdf", data, 40004},
		"no extension":    {"type=image&" + token, "media", "a", data, 40004},
		"no voice":        {"type=voice&" + token, "media", "a.png", data, 40004},
		"a long voice":    {"type=voice&" + token, "media", "a.amr", make([]byte, 2<<20+1), 40009},
		"too large":       {"type=file&" + token, "media", "a.pdf", make([]byte, 20<<20+1), 40009},
		"as it should be": {"type=image&" + token, "media", "a.PNG", data, 0},
	} {
		if got := b.puts(c.query, c.field, c.file, c.data); got.code() != c.want {
			t.Errorf("%s: %s, want %d", name, got.body, c.want)
		}
	}
	picture := b.puts("type=image&"+token, "media", "图.png", data).text("media_id")
	file := b.puts("type=file&"+token, "media", "a.pdf", data).text("media_id")
	voice := b.puts("type=voice&"+token, "media", "v.amr", data).text("media_id")
	send := func(key, param string) any {
		return b.call("dingtalk", http.MethodPost, "/v1.0/robot/oToMessages/batchSend", map[string]string{"x-acs-dingtalk-access-token": b.token("dingtalk")}, map[string]any{
			"robotCode": b.bots["dingtalk"].Settings["robot_code"], "userIds": []string{"staff-li"}, "msgKey": key, "msgParam": param,
		}).code()
	}
	for _, c := range []struct {
		key, param string
		want       any
	}{
		{"sampleFile", `{"mediaId":"` + file + `","fileName":"计划.pdf","fileType":"pdf"}`, nil},
		{"sampleAudio", `{"mediaId":"` + voice + `","duration":"2000"}`, nil},
		{"sampleMarkdown", `{"title":"t","text":"see ![x](` + picture + `)"}`, nil},
		{"sampleFile", `{"mediaId":"` + picture + `","fileName":"a.pdf","fileType":"pdf"}`, "invalidParameter.msgParam.invalid"},
		{"sampleFile", `{"mediaId":"` + file + `","fileName":"a.pptx","fileType":"pptx"}`, "invalidParameter.msgParam.invalid"},
		{"sampleFile", `{"mediaId":"@x","fileName":"a.pdf","fileType":"pdf"}`, "invalidParameter.msgParam.invalid"},
		{"sampleAudio", `{"mediaId":"` + voice + `"}`, "invalidParameter.msgParam.invalid"},
		{"sampleAudio", `{"mediaId":"` + file + `","duration":"2000"}`, "invalidParameter.msgParam.invalid"},
	} {
		if got := send(c.key, c.param); got != c.want {
			t.Errorf("%s %s: %v", c.key, c.param, got)
		}
	}
	_, webhook, _ := b.ask(simulator.Line{Employee: "li", Text: "q"})
	b.session(webhook, dingMarkdown("![x]("+picture+")"))
	if got := strings.Join(b.lines("li"), "|"); got != "*📎 计划.pdf|*🎤 v.amr|*see 🖼 图.png|q|*🖼 图.png" {
		t.Errorf("shown %q", got)
	}
	b.noViolations()
	b.session(webhook, dingMarkdown("![x](@nothing)"))
	if v := b.Violations(); len(v) != 1 {
		t.Errorf("a picture that is not there: %q", v)
	}
}
