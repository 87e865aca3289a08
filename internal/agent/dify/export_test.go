package dify

import (
	"bytes"
	"io"
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
