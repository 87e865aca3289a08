package dify_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"switchboard/internal/agent/dify"
	"switchboard/internal/bridge"
	"switchboard/internal/webcall"
)

const (
	png = "\x89PNG\r\n\x1a\n"
	ogg = "OggS\x00\x02"
	amr = "#!AMR\n"
)

// TestUpload states as what a file is sent, and asked with.
func TestUpload(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode string
		file bridge.File
		data string
		part string // name and type of the file
		as   string
	}{
		"a picture without a name": {"advanced-chat", bridge.File{Kind: bridge.FileImage}, png, "image.png image/png", "image"},
		"a wrong extension":        {"advanced-chat", bridge.File{Kind: bridge.FileImage, Name: "a.jpg"}, png, "a.png image/png", "image"},
		"a picture as a file":      {"advanced-chat", bridge.File{Kind: bridge.FileOther, Name: "图/片.PNG"}, png, "图_片.PNG image/png", "image"},
		"a document":               {"advanced-chat", bridge.File{Kind: bridge.FileOther, Name: `r"s.pdf`}, "%PDF-1.7", "r_s.pdf application/pdf", "document"},
		"text of any name":         {"advanced-chat", bridge.File{Kind: bridge.FileOther, Name: "main.go"}, "package main", "main.go text/plain", "document"},
		"one of the app's own":     {"advanced-chat", bridge.File{Kind: bridge.FileOther, Name: "a.BIN"}, "\x00\x01", "a.BIN application/octet-stream", "custom"},
	} {
		f := newFake(test.mode, map[string][]answer{
			"/v1/parameters": {capture(t, "chatflow_parameters")}, "/v1/files/upload": {capture(t, "up_png")}, pathOf(test.mode): {good()},
		})
		a := open(t, dify.Config{Transport: f})
		up, err := a.Upload(t.Context(), "p1", test.file, strings.NewReader(test.data))
		if err != nil || up.ID != "f1eeeb4a-2be7-49c9-ad53-ef1e2c3f7fa6" || up.Type != test.as {
			t.Errorf("%s: %+v, %v", name, up, err)
			continue
		}
		sent := f.requests()[len(f.requests())-1]
		if sent.part != test.part || string(sent.file) != test.data || sent.body["user"] != "p1" {
			t.Errorf("%s: sent %q %q by %q", name, sent.part, sent.file, sent.body["user"])
		}
		if h := ask(t.Context(), a, bridge.Question{Conversation: bridge.Conversation{User: "p1"}, Files: []bridge.UploadedFile{up}}); h.err != nil {
			t.Errorf("%s: %s", name, h)
		}
		asked := f.requests()[len(f.requests())-1].body
		refs, _ := asked["files"].([]any)
		if ref, _ := refs[0].(map[string]any); len(refs) != 1 || ref["type"] != test.as || ref["upload_file_id"] != up.ID || ref["transfer_method"] != "local_file" || asked["user"] != "p1" {
			t.Errorf("%s: asked with %v", name, asked)
		}
	}
}

// TestUploadRefused: what the app does not take never leaves the house.
func TestUploadRefused(t *testing.T) {
	t.Parallel()
	flow, chat := capture(t, "chatflow_parameters"), capture(t, "chat_parameters")
	big := png + strings.Repeat("x", 10<<20)
	for name, test := range map[string]struct {
		parameters answer
		file       bridge.File
		data       string
		kind       bridge.Kind
	}{
		"an app without files": {chat, bridge.File{Kind: bridge.FileImage}, png, bridge.KindUnsupported},
		"sound":                {flow, bridge.File{Kind: bridge.FileAudio, Name: "a.mp3"}, "ID3", bridge.KindUnsupported},
		"a program":            {flow, bridge.File{Kind: bridge.FileOther, Name: "a.exe"}, "MZ\x90\x00", bridge.KindUnsupported},
		"no picture in truth":  {flow, bridge.File{Kind: bridge.FileImage, Name: "a.png"}, "<html>", bridge.KindUnsupported},
		"nothing":              {flow, bridge.File{Kind: bridge.FileOther, Name: "a.txt"}, "", bridge.KindUnsupported},
		"more than it takes":   {flow, bridge.File{Kind: bridge.FileImage}, big, bridge.KindTooLarge},
		"links only":           {jsonAnswer(200, `{"file_upload":{"enabled":true,"allowed_file_upload_methods":["remote_url"]}}`), bridge.File{Kind: bridge.FileImage}, png, bridge.KindUnsupported},
	} {
		f := newFake("advanced-chat", map[string][]answer{"/v1/parameters": {test.parameters}, "/v1/files/upload": {capture(t, "up_png")}})
		_, err := open(t, dify.Config{Transport: f}).Upload(t.Context(), "p1", test.file, strings.NewReader(test.data))
		if bridge.KindOf(err) != test.kind || strings.Contains(strings.Join(f.paths(), " "), "upload") {
			t.Errorf("%s: %v after %v", name, err, f.paths())
		}
		var e *bridge.Error
		if test.kind == bridge.KindTooLarge && (!errors.As(err, &e) || e.Args["megabytes"] != "10") {
			t.Errorf("%s: %+v", name, e)
		}
	}
	for name, kind := range map[string]bridge.Kind{
		"up_bigpng": bridge.KindTooLarge, "up_nofile": bridge.KindInvalid, "up_slash": bridge.KindInvalid, "err_badauth": bridge.KindCredential,
	} {
		f := newFake("advanced-chat", map[string][]answer{"/v1/parameters": {flow}, "/v1/files/upload": {capture(t, name)}})
		_, err := open(t, dify.Config{Transport: f}).Upload(t.Context(), "p1", bridge.File{Kind: bridge.FileImage}, strings.NewReader(png))
		if bridge.KindOf(err) != kind {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFilesOfAWorkflow go into the variables of its form.
func TestFilesOfAWorkflow(t *testing.T) {
	t.Parallel()
	form := jsonAnswer(200, `{"user_input_form":[{"paragraph":{"variable":"q"}},
		{"file":{"variable":"photo","allowed_file_types":["image"]}},{"file-list":{"variable":"papers","allowed_file_types":["document","image"]}}]}`)
	f := newFake("workflow", map[string][]answer{"/v1/parameters": {form}, pathOf("workflow"): {said("workflow")}})
	a := open(t, dify.Config{Transport: f})
	q := bridge.Question{Files: []bridge.UploadedFile{{Kind: bridge.FileImage, ID: "1"}, {Kind: bridge.FileImage, ID: "2"}, {Kind: bridge.FileOther, ID: "3"}}}
	if h := ask(t.Context(), a, q); h.err != nil {
		t.Fatal(h)
	}
	asked := f.requests()[len(f.requests())-1].body
	inputs, _ := asked["inputs"].(map[string]any)
	photo, _ := inputs["photo"].(map[string]any)
	papers, _ := inputs["papers"].([]any)
	if photo["upload_file_id"] != "1" || len(papers) != 2 || asked["files"] != nil {
		t.Errorf("asked with %v", asked)
	}
	q.Files = append(q.Files, bridge.UploadedFile{Kind: bridge.FileVideo, ID: "4"})
	if h := ask(t.Context(), a, q); bridge.KindOf(h.err) != bridge.KindTooLarge {
		t.Errorf("a video: %s", h)
	}
}

// TestTooManyFiles are refused before the question is asked.
func TestTooManyFiles(t *testing.T) {
	t.Parallel()
	f := newFake("advanced-chat", map[string][]answer{"/v1/parameters": {capture(t, "chatflow_parameters")}, "/v1/chat-messages": {good()}})
	image := bridge.UploadedFile{Kind: bridge.FileImage, ID: "1"}
	h := ask(t.Context(), open(t, dify.Config{Transport: f}), bridge.Question{Files: []bridge.UploadedFile{image, image, image, image}})
	if bridge.KindOf(h.err) != bridge.KindTooLarge || strings.Contains(strings.Join(f.paths(), " "), "chat-messages") {
		t.Errorf("%s after %v", h, f.paths())
	}
}

// TestTranscribe: each format goes by a type the server takes.
func TestTranscribe(t *testing.T) {
	t.Parallel()
	listens := jsonAnswer(200, `{"speech_to_text":{"enabled":true}}`)
	for data, part := range map[string]string{
		amr: "voice.amr audio/amr", ogg: "voice.mp3 audio/mp3", "ID3\x03": "voice.mp3 audio/mp3", "RIFF\x00\x00\x00\x00WAVE": "voice.wav audio/wav",
		"\x00\x00\x00\x20ftypM4A ": "voice.m4a audio/m4a",
	} {
		f := newFake("chat", map[string][]answer{"/v1/parameters": {listens}, "/v1/audio-to-text": {jsonAnswer(200, `{"text":" hello \n"}`)}})
		text, err := open(t, dify.Config{Transport: f}).Transcribe(t.Context(), "p1", bridge.File{Kind: bridge.FileAudio}, strings.NewReader(data))
		sent := f.requests()[len(f.requests())-1]
		if err != nil || text != "hello" || sent.part != part || sent.body["user"] != "p1" || string(sent.file) != data {
			t.Errorf("%q: %q, %v, sent %q", data, text, err, sent.part)
		}
	}
	for name, test := range map[string]struct{ parameters, answer answer }{
		"off by the parameters": {capture(t, "chat_parameters"), jsonAnswer(200, `{"text":"x"}`)},
		"off by the answer":     {listens, capture(t, "asr_disabled")},
	} {
		f := newFake("chat", map[string][]answer{"/v1/parameters": {test.parameters}, "/v1/audio-to-text": {test.answer}})
		_, err := open(t, dify.Config{Transport: f}).Transcribe(t.Context(), "p1", bridge.File{Kind: bridge.FileAudio}, strings.NewReader(amr))
		if bridge.KindOf(err) != bridge.KindUnsupported {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFetch reads files of an answer from the server, and from nowhere else
// inside.
func TestFetch(t *testing.T) {
	t.Parallel()
	f := newFake("chat", map[string][]answer{
		"/files/1/file-preview": {capture(t, "img_preview")}, "/files/2": {answer{404, http.Header{}, nil}}, "/files/3": {answer{200, http.Header{}, make([]byte, 20<<20+1)}},
		"/v1/x": {answer{302, http.Header{"Location": {"http://127.0.0.1/"}}, nil}},
	})
	a := open(t, dify.Config{BaseURL: "http://10.9.8.7:5001", Transport: f})
	for _, url := range []string{"http://10.9.8.7:5001/files/1/file-preview?sign=x", "https://10.9.8.7/files/1/file-preview"} {
		data, err := a.Fetch(t.Context(), bridge.FileAdded{URL: url})
		if err != nil || !bytes.HasPrefix(data, []byte(png)) {
			t.Errorf("%s: %q, %v", url, data, err)
		}
	}
	for url, kind := range map[string]bridge.Kind{
		"http://10.9.8.7:5001/files/2": bridge.KindExpired, "http://10.9.8.7:5001/files/3": bridge.KindTooLarge, "http://10.9.8.7:5001/v1/x": bridge.KindExpired,
		"http://10.9.8.7:6379/": bridge.KindForbidden, "http://169.254.169.254/latest": bridge.KindForbidden, "http://u@10.9.8.7:5001/files/1/file-preview": bridge.KindForbidden,
		"file:///etc/passwd": bridge.KindInvalid, "/files/1": bridge.KindInvalid,
	} {
		if _, err := a.Fetch(t.Context(), bridge.FileAdded{URL: url}); bridge.KindOf(err) != kind {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := a.Fetch(t.Context(), bridge.FileAdded{URL: "http://10.0.0.1/"}); !errors.Is(err, webcall.ErrNotPublic) {
		t.Error(err)
	}
	for _, r := range f.requests() {
		if !strings.HasPrefix(r.path, "/files") && r.path != "/v1/x" {
			t.Errorf("went to %s", r.path)
		}
		if r.header.Get("Authorization") != "" {
			t.Error("a link was opened with the key")
		}
	}
}

// TestInputsOfTheSettings go to the variables that the app asks for, before what
// is known about the person.
func TestInputsOfTheSettings(t *testing.T) {
	t.Parallel()
	form := jsonAnswer(200, `{"user_input_form":[{"text-input":{"variable":"city","required":true}},{"text-input":{"variable":"platform"}},{"paragraph":{"variable":"query"}}]}`)
	for _, mode := range []string{"chat", "workflow"} {
		f := newFake(mode, map[string][]answer{"/v1/parameters": {form}, pathOf(mode): {said(mode)}})
		a := open(t, dify.Config{Transport: f, Inputs: map[string]string{"city": "Berlin", "platform": "ours", "nobody": "asks"}})
		if h := ask(t.Context(), a, bridge.Question{Known: map[string]string{"platform": "theirs"}}); h.err != nil {
			t.Fatal(h)
		}
		inputs, _ := f.requests()[len(f.requests())-1].body["inputs"].(map[string]any)
		if inputs["city"] != "Berlin" || inputs["platform"] != "ours" || inputs["nobody"] != nil {
			t.Errorf("%s: %v", mode, inputs)
		}
	}
}
