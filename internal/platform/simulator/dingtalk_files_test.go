package simulator_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/platform/simulator"
)

// dingContent is what the newest message to the robot holds besides text.
type dingContent struct {
	Kind    string `json:"msgtype"`
	Text    any    `json:"text"`
	Content struct {
		Code        string              `json:"downloadCode"`
		Name        string              `json:"fileName"`
		Recognition string              `json:"recognition"`
		Rich        []map[string]string `json:"richText"`
	} `json:"content"`
}

// sends has a file sent to the robot and returns what is delivered.
func (b *bench) sends(l simulator.Line) (got dingContent) {
	b.t.Helper()
	b.ask(l)
	all := b.delivered()
	if err := json.Unmarshal(all[len(all)-1].body, &got); err != nil {
		b.t.Fatal(err)
	}
	return got
}

// TestDingPeopleSendFiles: people send files, whose codes are exchanged for addresses, and
// both run out.
func TestDingPeopleSendFiles(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	code := ""
	for kind, want := range map[bridge.FileKind]string{
		bridge.FileImage: "picture", bridge.FileAudio: "audio", bridge.FileVideo: "video", bridge.FileOther: "file",
	} {
		got := b.sends(simulator.Line{Employee: "li", Text: "heard", File: &simulator.File{Kind: kind, Name: "a.txt", Data: []byte(want)}})
		code = got.Content.Code
		if got.Kind != want || code == "" || got.Text != nil || (got.Content.Name != "") != (kind == bridge.FileOther) || (got.Content.Recognition != "") != (kind == bridge.FileAudio) {
			t.Errorf("%s: %+v", kind, got)
		}
		if r := b.fetches(code); r.status != http.StatusOK || r.body != want {
			t.Errorf("%s: %d %s", kind, r.status, r.body)
		}
	}
	for name, c := range map[string]struct{ token, code, robot, want string }{
		"no token":      {"x", code, "dingdemo000000000001", "InvalidAuthentication"},
		"another robot": {b.token("dingtalk"), code, "x", "invalidParameter.robotCode.downloadCode"},
		"no such code":  {b.token("dingtalk"), code + "x", "dingdemo000000000001", "invalidParameter.robotCode.downloadCode"},
	} {
		if r := b.exchange(c.token, c.code, c.robot); r.code() != c.want || r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	link := b.exchange(b.token("dingtalk"), code, "dingdemo000000000001").text("downloadUrl")
	for _, address := range []string{link + "x", link[:len(link)-len(".file")]} {
		if r, err := b.try(address, http.MethodGet, nil, nil); err != nil || r.status != http.StatusForbidden {
			t.Errorf("another address: %d, %v", r.status, err)
		}
	}
	if err := b.Advance(t.Context(), 10*time.Minute); err != nil {
		t.Fatal(err)
	}
	if r, err := b.try(link, http.MethodGet, nil, nil); err != nil || r.status != http.StatusForbidden {
		t.Errorf("an old address: %d, %v", r.status, err)
	}
	if err := b.Advance(t.Context(), 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if r := b.exchange(b.token("dingtalk"), code, "dingdemo000000000001"); r.code() != "invalidParameter.robotCode.downloadCode" {
		t.Errorf("an old code: %s", r.body)
	}
	b.noViolations()
}

// TestDingPicturesInGroup: a picture comes with the mention, and nothing else does.
func TestDingPicturesInGroup(t *testing.T) {
	t.Parallel()
	b := setup(t, everyday)
	picture := &simulator.File{Kind: bridge.FileImage, Data: []byte("picture")}
	got := b.sends(simulator.Line{Employee: "li", Group: "team", Mention: true, Text: "q", File: picture})
	if got.Kind != "richText" || len(got.Content.Rich) != 2 || got.Content.Rich[0]["text"] != " q" || b.fetches(got.Content.Rich[1]["downloadCode"]).body != "picture" {
		t.Errorf("%+v", got)
	}
	for _, l := range []simulator.Line{
		{Employee: "li", Platform: "dingtalk", Group: "team", File: picture},
		{Employee: "li", Platform: "dingtalk", Group: "team", Mention: true, File: &simulator.File{Kind: bridge.FileOther, Name: "a.txt"}},
	} {
		if _, err := b.Write(t.Context(), l); err == nil {
			t.Errorf("%+v reaches the robot", l)
		}
	}
}

func (b *bench) exchange(token, code, robot string) result {
	b.t.Helper()
	return b.call("dingtalk", http.MethodPost, "/v1.0/robot/messageFiles/download",
		map[string]string{"x-acs-dingtalk-access-token": token}, map[string]string{"downloadCode": code, "robotCode": robot})
}

// fetches exchanges a code and opens the address.
func (b *bench) fetches(code string) result {
	b.t.Helper()
	r, err := b.try(b.exchange(b.token("dingtalk"), code, "dingdemo000000000001").text("downloadUrl"), http.MethodGet, nil, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return r
}
