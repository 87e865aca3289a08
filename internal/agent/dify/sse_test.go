package dify_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"switchboard/internal/agent/dify"
)

func TestFrames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, in string
		want     []string
	}{
		{"plain", "data: {}\n\n", []string{"{}"}},
		{"no blank", "data:{}\n\n", []string{"{}"}},
		{"one blank goes", "data:  x\n\n", []string{" x"}},
		{"several lines", "data: a\ndata: b\ndata\ndata: c\n\n", []string{"a\nb\n\nc"}},
		{"ping", "event: ping\n\n" + "event: ping\ndata:\n\n" + "data: x\n\n", []string{"x"}},
		{"comment and id", ": hi\nid: 3\nretry: 1\ndata: x\nevent: y\n\n", []string{"x"}},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"a", "b"}},
		{"BOM", "\ufeffdata: a\n\n", []string{"a"}},
		{"other fields", "database: x\n\n data: y\n\n", nil},
		{"unfinished event", "data: a\n", []string{"a"}},
		{"unfinished line", "data: a", []string{"a"}},
		{"empty", "", nil},
	} {
		for _, r := range []io.Reader{strings.NewReader(test.in), iotest.OneByteReader(strings.NewReader(test.in)), iotest.DataErrReader(strings.NewReader(test.in))} {
			got, err := dify.Frames(r)
			if diff := cmp.Diff(test.want, got); diff != "" || err != io.EOF { //nolint:errorlint // exactly io.EOF
				t.Errorf("%s: %v %s", test.name, err, diff)
			}
		}
	}
}

func TestFrameLimit(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1<<20)
	if got, err := dify.Frames(strings.NewReader("data: " + long + "\n\n")); len(got) != 1 || got[0] != long || err != io.EOF { //nolint:errorlint // exactly io.EOF
		t.Errorf("a line of 1 MiB: %d, %v", len(got), err)
	}
	for name, in := range map[string]io.Reader{
		"one endless line":   io.MultiReader(strings.NewReader("data: "), endless{'x'}),
		"endless data lines": io.MultiReader(strings.NewReader(strings.Repeat("data: "+long+"\n", 17)), strings.NewReader("\n")),
		"endless comment":    io.MultiReader(strings.NewReader(": "), endless{'x'}),
	} {
		if got, err := dify.Frames(in); len(got) != 0 || err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: %d events, %v", name, len(got), err)
		}
	}
	broken := errors.New("broken")
	if got, err := dify.Frames(io.MultiReader(strings.NewReader("data: a\n\n"), iotest.ErrReader(broken))); len(got) != 1 || !errors.Is(err, broken) {
		t.Errorf("%v, %v", got, err)
	}
}

type endless struct{ b byte }

func (e endless) Read(into []byte) (int, error) {
	for i := range into {
		into[i] = e.b
	}
	return len(into), nil
}

// reference reads a whole stream in the plainest way.
func reference(in []byte) []string {
	text := strings.TrimPrefix(string(in), "\ufeff")
	var all, data []string
	give := func() {
		if joined := strings.Join(data, "\n"); joined != "" {
			all = append(all, joined)
		}
		data = nil
	}
	for _, line := range strings.SplitAfter(text, "\n") {
		if cut, ok := strings.CutSuffix(line, "\n"); ok {
			line = strings.TrimSuffix(cut, "\r")
			if line == "" {
				give()
			}
		}
		name, value, _ := strings.Cut(line, ":")
		if name == "data" {
			data = append(data, strings.TrimPrefix(value, " "))
		}
	}
	give()
	return all
}

// FuzzSSE compares the reader with the plainest one, however the bytes come.
func FuzzSSE(f *testing.F) {
	for _, name := range []string{"chatflow_stream", "agent_stream_tool", "workflow_stream"} {
		body := capture(f, name).body
		f.Add(body[:min(len(body), 900)], uint64(1)) // whole ones take a minute each to be made small
	}
	for _, in := range []string{"data: a\r\ndata: b\r\n\r\n", "\ufeffdata:测试\n\n", "data\n\ndata:\n\n", "event: ping\n\n", ":\n\n\r\n", "data: x"} {
		f.Add([]byte(in), uint64(2))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		got, err := dify.Frames(&pieces{bytes.Clone(in), rand.New(rand.NewPCG(seed, seed))})
		if err != io.EOF { //nolint:errorlint // exactly io.EOF
			t.Fatalf("ended with %v", err)
		}
		if diff := cmp.Diff(reference(in), got); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	})
}

// TestThinking states what is folded.
func TestThinking(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ in, want string }{
		{"plain", "plain"},
		{"<think>hm</think>\n\nyes", "yes"},
		{"\n<think>\n</think>\nyes", "yes"},
		{"one<think>hm</think> two", "one two"},
		{"a\n<think>1</think>\n\nb<think>2</think>\nc", "a\n\n\nb\nc"},
		{"say `<think>` to it", "say `<think>` to it"},
		{"<thinking>x", "<thinking>x"},
		{"1 < 2, </think> stays", "1 < 2, </think> stays"},
		{"a <", "a <"},
		{"    indented code", "    indented code"},
		{"<think>never ends", "never ends"},
		{"yes <think>never ends", "yes "},
		{"<think>a<think>b</think>c", "c"},
		{"<think>only</think>", ""},
		{"", ""},
	} {
		if got := dify.Fold(false, test.in); got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
		if got := dify.Fold(true, test.in); got != test.in {
			t.Errorf("kept %q: %q", test.in, got)
		}
	}
}

// TestThinkingPieces: wherever the text is cut, the same is shown.
func TestThinkingPieces(t *testing.T) {
	t.Parallel()
	words := []string{"<think>", "</think>", "<", "think>", "</", "`", "你好", "a", " ", "\n", "<think", ">", "✅"}
	for seed := range uint64(3000) {
		dice := rand.New(rand.NewPCG(seed, 3))
		var text string
		for range dice.IntN(12) {
			text += words[dice.IntN(len(words))]
		}
		var cut []string
		for rest := text; rest != ""; {
			n := 1 + dice.IntN(min(len(rest), 6))
			cut, rest = append(cut, rest[:n]), rest[n:]
		}
		if want, got := dify.Fold(false, text), dify.Fold(false, cut...); got != want {
			t.Fatalf("seed %d, %q as %q: %q, want %q", seed, text, cut, got, want)
		}
	}
}
