package simulator

import (
	"net/http"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	// dingCode is how long a download code is good here. The page says only that it
	// runs out.
	dingCode = 2 * time.Hour
	// dingLink is how long the address that it is exchanged for is.
	dingLink = 10 * time.Minute

	dingFiles = "/dingtalk-files/"
)

// dingFile is a file that somebody sent, by its code, or what its address leads to.
type dingFile struct {
	data  []byte
	until time.Time
}

// enclose puts an employee's file into a message and returns its type and content.
// A picture reaches the robot in a group only as part of a text that mentions it.
func (s *dingServer) enclose(l Line) (kind string, content map[string]any) {
	code := s.keep(s.nextID("code-"), l.File.Data, dingCode)
	switch l.File.Kind {
	case bridge.FileImage:
		picture := map[string]any{"downloadCode": code, "pictureDownloadCode": code}
		if l.Group == "" {
			return "picture", picture
		}
		picture["type"] = "picture"
		return "richText", map[string]any{"richText": []map[string]any{{"text": " " + l.Text}, picture}}
	case bridge.FileAudio:
		return "audio", map[string]any{"downloadCode": code, "duration": 1000, "recognition": l.Text}
	case bridge.FileVideo:
		return "video", map[string]any{"downloadCode": code, "duration": "1000", "videoType": "mp4"}
	case bridge.FileOther:
	}
	return "file", map[string]any{"downloadCode": code, "fileName": l.File.Name, "spaceId": "1", "fileId": s.nextID("")}
}

func (s *dingServer) keep(id string, data []byte, life time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files.put(id, dingFile{data, s.now().Add(life)})
	return id
}

func (s *dingServer) kept(id string) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files.get(id)
	return f.data, ok && s.now().Before(f.until)
}

// fileLink exchanges a download code for an address.
func (s *dingServer) fileLink(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Code      string `json:"downloadCode"`
		RobotCode string `json:"robotCode"`
	}
	_, refused := s.dice.strike(dingtalk, FaultSecret)
	err := strict(r, &m)
	data, ok := s.kept(m.Code)
	switch {
	case refused || !s.tokens.valid(r.Header.Get("x-acs-dingtalk-access-token")):
		derr(w, http.StatusBadRequest, "InvalidAuthentication", "不合法的access_token")
	case err != nil:
		derr(w, http.StatusBadRequest, "invalidParameter.body", err.Error())
	case m.RobotCode != dingClient || !ok:
		derr(w, http.StatusBadRequest, "invalidParameter.robotCode.downloadCode", "robotCode和downloadCode不匹配")
	default:
		link := s.keep(random(), data, dingLink)
		reply(w, http.StatusOK, map[string]string{"downloadUrl": s.base + dingFiles + link + ".file"})
	}
}

// download answers at such an address. It wants no token, and says nothing about
// the file: neither its name nor its type.
func (s *dingServer) download(w http.ResponseWriter, r *http.Request) {
	link, named := strings.CutSuffix(r.PathValue("link"), ".file")
	data, ok := s.kept(link)
	if !named || !ok || r.Header.Get("x-acs-dingtalk-access-token") != "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data)
}
