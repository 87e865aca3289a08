package dify

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxFrame bounds a line and an event: node_finished may carry whole documents.
const maxFrame = 16 << 20

var errFrameTooBig = errors.New("an event is larger than 16 MiB")

// frames reads server-sent events:
// https://html.spec.whatwg.org/multipage/server-sent-events.html.
//
// Unlike a browser it also gives the event that is unfinished at the end of the
// stream: whether that is whole is for the JSON decoder to say.
type frames struct {
	r     *bufio.Reader
	line  []byte
	begun bool
}

func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the data of the next event that has any, valid until the next
// call, or the error that ended the stream. Pings and comments have no data.
func (f *frames) next() ([]byte, error) {
	var data []byte
	some := false
	for {
		line, err := f.readLine()
		if rest, ok := bytes.CutPrefix(line, []byte("data")); ok && (len(rest) == 0 || rest[0] == ':') {
			if some {
				data = append(data, '\n')
			}
			some = true
			data = append(data, bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte(":")), []byte(" "))...)
			if len(data) > maxFrame {
				return nil, errFrameTooBig
			}
		}
		switch {
		case errors.Is(err, errFrameTooBig):
			return nil, err
		case len(data) > 0 && (err != nil || len(line) == 0):
			return data, nil //nolint:nilerr // a lasting error comes again
		case err != nil:
			return nil, err
		case len(line) == 0:
			some = false
		}
	}
}

// readLine returns a line without its end. With an error it may return the
// beginning of a line.
func (f *frames) readLine() ([]byte, error) {
	f.line = f.line[:0]
	for {
		part, err := f.r.ReadSlice('\n')
		f.line = append(f.line, part...)
		if len(f.line) > maxFrame {
			return nil, errFrameTooBig
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		line := f.line
		if !f.begun {
			f.begun = true
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if err == nil {
			line = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
		}
		return line, err
	}
}
