package dify

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"

	"switchboard/internal/webcall"
)

// Fold runs the reasoning filter over the pieces of a text.
func Fold(keep bool, pieces ...string) string {
	t := thinking{keep: keep}
	var out string
	for _, piece := range pieces {
		out += t.add(piece)
	}
	return out + t.flush()
}

// Frames returns the data of every event and the error that ended the stream.
func Frames(r io.Reader) ([]string, error) {
	f := newFrames(r)
	var all []string
	for {
		data, err := f.next()
		if err != nil {
			return all, err
		}
		all = append(all, string(bytes.Clone(data)))
	}
}

// MaxFrame is the limit of a frame.
const MaxFrame = maxFrame

// Waiting is how many answers of the server are waited for.
func (a *Agent) Waiting() int {
	a.client.mu.Lock()
	defer a.client.mu.Unlock()
	return len(a.client.waiting)
}

// Dial has an agent of the usual transport make its connections otherwise.
func (a *Agent) Dial(dial func() net.Conn) {
	a.client.line = webcall.NewLine(func() *http.Transport {
		usual := transport()
		usual.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial(), nil }
		return usual
	})
	a.client.http.Transport = a.client.line
}
