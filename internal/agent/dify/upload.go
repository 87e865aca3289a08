package dify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
)

const (
	opUpload     = "dify: upload"
	opTranscribe = "dify: transcribe"
	localFile    = "local_file"

	maxUpload   = 50  // MB, whatever the server takes: it is held in memory
	maxVoice    = 30  // MB, the server's own limit
	maxName     = 200 // characters
	uploadLimit = 2 * time.Minute
	uploads     = 3 // at once
)

// Upload implements bridge.Uploader. The same user has to ask the question.
func (a *Agent) Upload(ctx context.Context, user string, f bridge.File, body io.Reader) (bridge.UploadedFile, error) {
	found, err := a.discover(ctx, false)
	if err != nil {
		return bridge.UploadedFile{}, err
	}
	p, err := a.parameters(ctx, opUpload)
	if err != nil {
		return bridge.UploadedFile{}, err
	}
	places := p.places(found.talks())
	if len(places) == 0 {
		return bridge.UploadedFile{}, refused(opUpload, "no_files", "the app takes no files")
	}
	return a.uploadTo(ctx, user, places, f, body, p.limit)
}

// UploadTo implements bridge.FormUploader. The same user has to fill in the form.
func (a *Agent) UploadTo(ctx context.Context, user string, field bridge.FormFiles, f bridge.File, body io.Reader) (bridge.UploadedFile, error) {
	p, err := a.parameters(ctx, opUpload)
	if err != nil {
		return bridge.UploadedFile{}, err
	}
	return a.uploadTo(ctx, user, []place{{rules: fileRules{Types: field.Types, Extensions: field.Extensions}}}, f, body, p.limit)
}

// uploadTo uploads a file for the first place that takes it.
func (a *Agent) uploadTo(ctx context.Context, user string, places []place, f bridge.File, body io.Reader, limit func(name string) int) (bridge.UploadedFile, error) {
	leave, err := a.queue(ctx, opUpload)
	if err != nil {
		return bridge.UploadedFile{}, err
	}
	defer leave()
	data, name, err := readFile(opUpload, f, body, limit)
	if err != nil {
		return bridge.UploadedFile{}, err
	}
	kind := typeOf(name, data)
	for _, place := range places {
		if as := place.typeFor(kind, extensionOf(name)); as != "" {
			return a.upload(ctx, user, as, newParcel(name, mimeOf(name, data), data))
		}
	}
	return bridge.UploadedFile{}, refused(opUpload, "type", "the app takes no such files")
}

func (a *Agent) upload(ctx context.Context, user, kind string, f *parcel) (bridge.UploadedFile, error) {
	var up struct{ ID string }
	f.field("user", userOf(bridge.Conversation{User: user}))
	err := a.client.callWithin(ctx, uploadLimit, opUpload, http.MethodPost, "/files/upload", nil, f, &up)
	if err == nil && up.ID == "" {
		err = notDify(opUpload)
	}
	return bridge.UploadedFile{Kind: fileKind(kind), ID: up.ID, Type: kind}, err
}

func refused(op, code, detail string) error {
	return &bridge.Error{Kind: bridge.KindUnsupported, Op: op, Code: code, Detail: detail}
}

// queue waits until a file may be held in memory; call the result when it is not
// any more.
func (a *Agent) queue(ctx context.Context, op string) (func(), error) {
	select {
	case a.uploads <- struct{}{}:
		return func() { <-a.uploads }, nil
	case <-ctx.Done():
		return nil, a.client.broken(ctx, op, ctx.Err())
	}
}

// readFile reads a file as far as it may go, and names it.
func readFile(op string, f bridge.File, body io.Reader, limit func(name string) int) ([]byte, string, error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(body, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, "", unread(op, err)
	}
	if n == 0 {
		return nil, "", refused(op, "empty", "the file is empty")
	}
	name := nameOf(f, head[:n])
	megabytes := limit(name)
	rest, err := io.ReadAll(io.LimitReader(body, int64(megabytes)<<20+1-int64(n)))
	switch {
	case err != nil:
		return nil, "", unread(op, err)
	case n+len(rest) > megabytes<<20:
		return nil, "", &bridge.Error{Kind: bridge.KindTooLarge, Op: op, Args: map[string]string{"megabytes": strconv.Itoa(megabytes)}}
	}
	return append(head[:n:n], rest...), name, nil
}

// unread is the error of a file that the platform did not give us whole.
func unread(op string, err error) error {
	var e *bridge.Error
	if errors.As(err, &e) {
		return err
	}
	return &bridge.Error{Kind: bridge.KindUnavailable, Op: op, Detail: "the file cannot be read", Err: err}
}

// Transcribe implements bridge.Transcriber.
func (a *Agent) Transcribe(ctx context.Context, user string, f bridge.File, body io.Reader) (string, error) {
	p, err := a.parameters(ctx, opTranscribe)
	switch {
	case err != nil:
		return "", err
	case !p.Speech.Enabled:
		return "", refused(opTranscribe, "no_speech", "the app does not listen")
	}
	leave, err := a.queue(ctx, opTranscribe)
	if err != nil {
		return "", err
	}
	defer leave()
	data, _, err := readFile(opTranscribe, f, body, func(string) int { return maxVoice })
	if err != nil {
		return "", err
	}
	// The server looks at the type alone, and gives every voice to the model under
	// the name temp.mp3; models look at the bytes. So what has no type of its own
	// there, such as Opus, goes by that name as well.
	format := appearance(data)
	if format != "m4a" && format != "wav" && format != "amr" {
		format = "mp3"
	}
	voice := newParcel("voice."+format, "audio/"+format, data)
	voice.field("user", userOf(bridge.Conversation{User: user}))
	var heard struct{ Text string }
	err = a.client.callWithin(ctx, uploadLimit, opTranscribe, http.MethodPost, "/audio-to-text", nil, voice, &heard)
	return strings.TrimSpace(heard.Text), err
}

// parcel is a body with a file in it.
type parcel struct {
	writer *multipart.Writer
	data   bytes.Buffer
	err    error
}

func newParcel(name, kind string, data []byte) *parcel {
	f := &parcel{}
	f.data.Grow(len(data) + 1024)
	f.writer = multipart.NewWriter(&f.data)
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", fmt.Sprintf(`form-data; name="file"; filename="%s"`, name)) // nameOf took the quotes out
	head.Set("Content-Type", kind)
	part, err := f.writer.CreatePart(head)
	if err == nil {
		_, err = part.Write(data)
	}
	f.err = err
	return f
}

func (f *parcel) field(name, value string) {
	f.err = errors.Join(f.err, f.writer.WriteField(name, value))
}

// close ends the body and returns it with its type.
func (f *parcel) close() ([]byte, string, error) {
	err := errors.Join(f.err, f.writer.Close())
	return f.data.Bytes(), f.writer.FormDataContentType(), err
}
