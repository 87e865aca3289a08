package reply

import (
	"context"
	"net/http"
	"path"
	"strings"

	"switchboard/internal/bridge"
)

// Attach adds files to what is decided next, by Finish, Break or Fail. They are
// shown after the text.
func (w *Writer) Attach(files ...bridge.FileAdded) { w.files = append(w.files, files...) }

// sendFile shows a file of the answer. One that cannot be fetched or is not taken
// is named with its address, which is better than an answer that never ends.
func (w *Writer) sendFile(ctx context.Context, to bridge.Address, f bridge.FileAdded) (bridge.MessageID, error) {
	data, err := w.fetch(ctx, f)
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err == nil {
		id, err := w.bot.Send(ctx, to, shown(f, data))
		if !refusedFile(bridge.KindOf(err)) {
			return id, err
		}
	}
	return w.bot.Send(ctx, to, bridge.Markdown{Text: link(f)})
}

func (w *Writer) fetch(ctx context.Context, f bridge.FileAdded) ([]byte, error) {
	if w.opt.Open == nil {
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "reply: open file"}
	}
	return w.opt.Open(ctx, f)
}

func shown(f bridge.FileAdded, data []byte) bridge.Content {
	if f.Kind == bridge.FileImage {
		return bridge.Picture{Name: pictureName(f.Name, data), Data: data, URL: f.URL}
	}
	return bridge.Attachment{Name: f.Name, Data: data, URL: f.URL}
}

// pictureName is a name with the extension of what the picture is, if it has none:
// an agent may know no name but the end of an address, and some platforms go by the
// extension.
func pictureName(name string, data []byte) string {
	if name == "" || path.Ext(name) != "" {
		return name
	}
	return name + map[string]string{
		"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/bmp": ".bmp", "image/webp": ".webp",
	}[http.DetectContentType(data)]
}

// refusedFile says that the platform will not take a file, but may take words.
func refusedFile(kind bridge.Kind) bool {
	switch kind { //nolint:exhaustive // all others concern words too
	case bridge.KindTooLarge, bridge.KindUnsupported, bridge.KindInvalid, bridge.KindForbidden:
		return true
	default:
		return false
	}
}

func link(f bridge.FileAdded) string {
	name := strings.NewReplacer("[", "(", "]", ")", "\n", " ").Replace(f.Name)
	if name == "" {
		name = string(f.Kind)
	}
	return "[" + name + "](" + f.URL + ")"
}
