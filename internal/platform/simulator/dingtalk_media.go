package simulator

import (
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// dingMost is how large an upload may be, in bytes.
const dingMost = 20 << 20

// dingMedia is a file that the robot uploaded.
type dingMedia struct{ kind, name string }

// dingTypes are the files that each kind of upload may be.
func dingTypes() map[string][]string {
	return map[string][]string{
		"image": {".jpg", ".gif", ".png", ".bmp"}, "voice": {".amr", ".mp3", ".wav"}, "video": {".mp4"},
		"file": {".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".zip", ".pdf", ".rar"},
	}
}

// mediaUpload keeps a file for a message.
func (s *dingServer) mediaUpload(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Query().Get("type")
	most := dingMost
	if kind == "voice" {
		most = 2 << 20
	}
	_, refused := s.dice.strike(dingtalk, FaultSecret)
	if refused || !s.tokens.valid(r.URL.Query().Get("access_token")) {
		derrOld(w, 40014, "不合法的access_token")
		return
	}
	data, no := part(r, "media", dingMost)
	switch {
	case no != nil && no.code == 234006, len(data) > most:
		derrOld(w, 40009, "不合法的文件大小")
	case no != nil:
		derrOld(w, 40035, "不合法的参数")
	case !slices.Contains(dingTypes()[kind], strings.ToLower(path.Ext(r.MultipartForm.File["media"][0].Filename))):
		derrOld(w, 40004, "不合法的媒体文件类型")
	default:
		id := "@" + s.nextID("lA")
		s.mu.Lock()
		s.media.put(id, dingMedia{kind, r.MultipartForm.File["media"][0].Filename})
		s.mu.Unlock()
		reply(w, http.StatusOK, map[string]any{"errcode": 0, "errmsg": "ok", "media_id": id, "type": kind, "created_at": s.now().UnixMilli()})
	}
}

func (s *dingServer) uploaded(id string) (dingMedia, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.media.get(id)
}

// depict is a text with its pictures as people see them.
func (s *dingServer) depict(text string) string {
	return regexp.MustCompile(`!\[[^\]]*\]\((@[^)]*)\)`).ReplaceAllStringFunc(text, func(link string) string {
		m, ok := s.uploaded(link[strings.LastIndex(link, "(")+1 : len(link)-1])
		if !ok || m.kind != "image" {
			s.violate("dingtalk: %s leads to no picture", link)
			return link
		}
		return "🖼 " + m.name
	})
}

// mediaText is what people see of a file or a voice; empty when it is no good message.
func (s *dingServer) mediaText(key string, param map[string]string) string {
	m, ok := s.uploaded(param["mediaId"])
	length, err := strconv.Atoi(param["duration"])
	switch {
	case !ok:
	case key == "sampleAudio" && m.kind == "voice" && strings.HasSuffix(m.name, ".amr") && err == nil && length > 0:
		return "🎤 " + m.name
	case key == "sampleFile" && m.kind == "file" && slices.Contains(strings.Fields("xlsx pdf zip rar doc docx"), param["fileType"]) && param["fileName"] != "":
		return "📎 " + param["fileName"]
	}
	return ""
}
