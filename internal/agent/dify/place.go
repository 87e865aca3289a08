package dify

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// The types of file that Dify tells apart.
const (
	typeImage    = "image"
	typeAudio    = "audio"
	typeVideo    = "video"
	typeDocument = "document"
	typeCustom   = "custom"
)

// The inputs of a form that take files, and how many a list usually takes.
const (
	typeFile   = "file"
	typeFiles  = "file-list"
	usualFiles = 5
)

// extensions are those of each type, as the server sorts them; see
// https://docs.dify.ai/en/use-dify/build/additional-features.
func extensions(kind string) []string {
	return strings.Fields(map[string]string{
		typeImage:    "jpg jpeg png webp gif svg",
		typeVideo:    "mp4 mov mpeg webm",
		typeAudio:    "mp3 m4a wav amr mpga",
		typeDocument: "txt markdown md mdx pdf html htm xlsx xls vtt properties doc docx csv eml msg pptx ppt xml epub",
	}[kind])
}

// place is somewhere in a question where files may go: with the message when it
// has no variable, or in a variable of the form.
type place struct {
	variable string
	single   bool
	rules    fileRules
}

// places are those of an app, the usual one first.
func (p parameters) places(talks bool) []place {
	var all []place
	for _, f := range p.fields() {
		if f.takesFiles() {
			all = append(all, place{f.Name, f.kind == "file", fileRules{Types: f.Types, Extensions: f.Extensions}})
		}
	}
	switch message := (place{rules: p.Upload}); {
	case !p.Upload.Enabled || len(p.Upload.Methods) > 0 && !slices.Contains(p.Upload.Methods, localFile):
	case talks:
		all = append([]place{message}, all...)
	default:
		all = append(all, message)
	}
	return all
}

// typeFor says as what a place takes a file, "" when it does not.
func (p place) typeFor(kind, extension string) string {
	switch r := p.rules; {
	case len(r.Types) == 0, kind != "" && slices.Contains(r.Types, kind):
		return kind
	case slices.Contains(r.Types, typeCustom) && slices.ContainsFunc(r.Extensions, func(e string) bool {
		return strings.EqualFold(strings.TrimPrefix(e, "."), extension)
	}):
		return typeCustom
	}
	return ""
}

// typeOf is the type of a file by its name and its beginning; "" when it is none
// that Dify reads. Pictures are what they look like, not what they are called.
func typeOf(name string, head []byte) string {
	looks := http.DetectContentType(head)
	extension := extensionOf(name)
	for _, kind := range []string{typeImage, typeVideo, typeAudio, typeDocument} {
		if !slices.Contains(extensions(kind), extension) {
			continue
		}
		if kind == typeImage && !strings.HasPrefix(looks, "image/") && (extension != "svg" || !strings.HasPrefix(looks, "text/")) {
			return ""
		}
		return kind
	}
	if strings.HasPrefix(looks, "text/plain") {
		return typeDocument
	}
	return ""
}

func extensionOf(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// nameOf is a name the server takes: platforms send pictures and voices without
// one, and Dify goes by the extension.
func nameOf(f bridge.File, head []byte) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\"`, r) {
			return '_'
		}
		return r
	}, strings.TrimSpace(f.Name))
	looks := appearance(head)
	extension := extensionOf(name)
	switch {
	case name == "":
		name = string(f.Kind)
		extension = ""
	case slices.Contains(extensions(typeImage), extension) && slices.Contains(extensions(typeImage), looks) && !sameImage(extension, looks):
		name, extension = strings.TrimSuffix(name, path.Ext(name)), ""
	}
	if extension == "" && looks != "" {
		name += "." + looks
	}
	if runes := []rune(name); len(runes) > maxName { // the server would cut the extension off
		name = string(runes[len(runes)-maxName:])
	}
	return name
}

func sameImage(a, b string) bool {
	return strings.Replace(a, "jpeg", "jpg", 1) == b
}

// appearance is the extension of what a file begins with, "" when that says
// nothing.
func appearance(head []byte) string {
	switch {
	case strings.HasPrefix(string(head), "#!AMR"):
		return "amr"
	case len(head) > 11 && string(head[4:11]) == "ftypM4A":
		return "m4a"
	case len(head) > 1 && head[0] == 0xff && head[1]&0xe0 == 0xe0 && head[1]&0x06 != 0: // a bare MPEG frame
		return "mp3"
	}
	return map[string]string{
		"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "application/pdf": "pdf", "audio/mpeg": "mp3",
		"audio/wave": "wav", "video/mp4": "mp4", "video/webm": "webm", "application/ogg": "ogg",
	}[http.DetectContentType(head)]
}

// mimeOf is what a file is sent as. The server takes none without it.
func mimeOf(name string, head []byte) string {
	known := map[string]string{
		"jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png", "gif": "image/gif", "webp": "image/webp", "svg": "image/svg+xml",
		"mp3": "audio/mp3", "mpga": "audio/mpga", "m4a": "audio/m4a", "wav": "audio/wav", "amr": "audio/amr", "opus": "audio/opus", "ogg": "audio/ogg",
		"mp4": "video/mp4", "mov": "video/quicktime", "mpeg": "video/mpeg", "webm": "video/webm",
		"txt": "text/plain", "md": "text/markdown", "csv": "text/csv", "html": "text/html", "pdf": "application/pdf",
		"docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
		"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
		"pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	}[extensionOf(name)]
	if known != "" {
		return known
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	return kind
}

// limit is how many megabytes a file may have, which the server decides by its
// extension.
func (p parameters) limit(name string) int {
	extension := extensionOf(name)
	for _, class := range []struct {
		kind           string
		limit, usually int
	}{{typeImage, p.Limits.Image, 10}, {typeVideo, p.Limits.Video, 100}, {typeAudio, p.Limits.Audio, 50}} {
		if slices.Contains(extensions(class.kind), extension) {
			return min(orElse(class.limit, class.usually), maxUpload)
		}
	}
	return min(orElse(p.Limits.Other, 15), maxUpload)
}

func orElse(limit, usually int) int {
	if limit > 0 {
		return limit
	}
	return usually
}
