package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"switchboard/internal/bridge"
)

// keeper is a bot that has the files people sent, by their ids. Streaming stays.
type keeper struct {
	bridge.Bot
	bridge.Streamer
	files *shelf
}

// shelf holds files by their ids while the house takes them from it.
type shelf struct {
	mu    sync.Mutex
	files map[string]string
}

func (s *shelf) put(id, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[id] = body
}

func (s *shelf) get(id string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, ok := s.files[id]
	return body, ok
}

func (k keeper) OpenFile(ctx context.Context, f bridge.File) (io.ReadCloser, error) {
	switch body, ok := k.files.get(f.ID); {
	case body == "slow":
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Minute):
			return io.NopCloser(strings.NewReader("SLOW")), nil
		}
	case body == "busy":
		return nil, &bridge.Error{Kind: bridge.KindUnavailable, Op: "keeper"}
	case !ok:
		return nil, &bridge.Error{Kind: bridge.KindExpired, Op: "keeper"}
	default:
		return io.NopCloser(strings.NewReader(body)), nil
	}
}

// eyes is an agent that takes pictures, hears voices and has files of its own.
type eyes struct {
	bridge.Agent

	once  sync.Once
	h     *house
	deaf  bool
	files map[string]string
}

func (*eyes) Upload(_ context.Context, user string, f bridge.File, body io.Reader) (bridge.UploadedFile, error) {
	if f.Kind == bridge.FileVideo {
		return bridge.UploadedFile{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: "eyes"}
	}
	data, err := io.ReadAll(body)
	if len(data) > 100 {
		return bridge.UploadedFile{}, &bridge.Error{Kind: bridge.KindTooLarge, Op: "eyes", Args: map[string]string{"megabytes": "7"}}
	}
	return bridge.UploadedFile{Kind: f.Kind, ID: user[:16] + "/" + string(data)}, err
}

func (e *eyes) Transcribe(_ context.Context, _ string, _ bridge.File, body io.Reader) (string, error) {
	if e.deaf {
		return "", &bridge.Error{Kind: bridge.KindUnsupported, Op: "eyes"}
	}
	data, err := io.ReadAll(body)
	return "said " + string(data), err
}

func (e *eyes) Fetch(_ context.Context, f bridge.FileAdded) ([]byte, error) {
	body, ok := e.files[f.URL]
	if !ok {
		return nil, &bridge.Error{Kind: bridge.KindExpired, Op: "eyes"}
	}
	return []byte(body), nil
}

// withEyes is a house whose people can send files.
func withEyes(t *testing.T, test func(h *house, e *eyes, files *shelf)) {
	t.Helper()
	inHouse(t, func(h *house) {
		files := &shelf{files: map[string]string{"cat": "CAT", "cup": "CUP", "memo": "MEMO", "big": strings.Repeat("x", 101), "film": "FILM"}}
		e := &eyes{h: h, files: map[string]string{}}
		h.botOf = func(b bridge.Bot) bridge.Bot {
			s, _ := b.(bridge.Streamer)
			return keeper{b, s, files}
		}
		h.agentOf = func(a bridge.Agent) bridge.Agent {
			e.once.Do(func() { e.Agent = a })
			return e
		}
		test(h, e, files)
	})
}

func (h *house) send(text string, files ...bridge.File) string {
	h.Helper()
	m := h.message("one", "li", text)
	m.Files = files
	return h.hear(m)
}

// TestFiles: what somebody sends with a question or instead of one is asked
// about; what the agent does not take is said in words, and the rest is asked.
func TestFiles(t *testing.T) {
	t.Parallel()
	cat := bridge.File{Kind: bridge.FileImage, ID: "cat"}
	memo := bridge.File{Kind: bridge.FileAudio, ID: "memo"}
	film := bridge.File{Kind: bridge.FileVideo, ID: "film", Name: "film.mp4"}
	heard := memo
	heard.Text = "heard by the platform"
	for name, test := range map[string]struct {
		text  string
		files []bridge.File
		asked string // "" when nothing is
		ids   string
		told  string
	}{
		"a picture":            {"what is this?", []bridge.File{cat}, "what is this?", "CAT", ""},
		"only a picture":       {"", []bridge.File{cat, {Kind: bridge.FileImage, ID: "cup"}}, "Please look at what I have attached.", "CAT CUP", ""},
		"a voice":              {"", []bridge.File{memo}, "said MEMO", "", ""},
		"a voice with words":   {"listen:", []bridge.File{memo, cat}, "listen:\n\nsaid MEMO", "CAT", ""},
		"a voice of old":       {"", []bridge.File{heard}, "heard by the platform", "", ""},
		"one that is too big":  {"see", []bridge.File{{Kind: bridge.FileOther, ID: "big", Name: "big.pdf"}, cat}, "see", "CAT", "big.pdf: it is larger than 7 MB"},
		"one of no use":        {"see", []bridge.File{film}, "see", "", "film.mp4: the assistant does not take files of this kind"},
		"nothing that is left": {"", []bridge.File{film, {Kind: bridge.FileImage, ID: "gone"}}, "", "", "the picture: it can no longer be fetched"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			withEyes(t, func(h *house, _ *eyes, _ *shelf) {
				h.open()
				shown := h.send(test.text, test.files...)
				asked := h.agents["help"].Questions()
				if test.asked == "" {
					if len(asked) > 0 {
						t.Errorf("asked %+v", asked)
					}
				} else if len(asked) != 1 || asked[0].Text != test.asked {
					t.Fatalf("asked %+v", asked)
				} else {
					var ids []string
					for _, f := range asked[0].Files {
						user, id, _ := strings.Cut(f.ID, "/")
						if !strings.HasPrefix(asked[0].Conversation.User, user) {
							t.Errorf("%s belongs to %s", f.ID, asked[0].Conversation.User)
						}
						ids = append(ids, id)
					}
					if got := strings.Join(ids, " "); got != test.ids || !strings.Contains(shown, "help: ") {
						t.Errorf("asked with %q, shown %q", got, shown)
					}
				}
				if !strings.Contains(shown, test.told) || test.told == "" && strings.Contains(shown, "could not") {
					t.Errorf("shown %q", shown)
				}
			})
		})
	}
}

// TestDeaf: a voice that the agent cannot listen to is a file to it.
func TestDeaf(t *testing.T) {
	t.Parallel()
	withEyes(t, func(h *house, e *eyes, _ *shelf) {
		e.deaf = true
		h.open()
		h.send("", bridge.File{Kind: bridge.FileAudio, ID: "memo"})
		if asked := h.agents["help"].Questions(); len(asked) != 1 || len(asked[0].Files) != 1 {
			t.Errorf("asked %+v", asked)
		}
	})
}

// TestBlind: an agent that takes no files is asked without them, and a message
// that is nothing else is answered by us.
func TestBlind(t *testing.T) {
	t.Parallel()
	inHouse(t, func(h *house) {
		h.open()
		cat := bridge.File{Kind: bridge.FileImage, ID: "cat"}
		if got := h.send("", cat); !strings.Contains(got, "I can only read text") {
			t.Errorf("shown %q", got)
		}
		if got := h.send("see", cat); !strings.Contains(got, "does not take files") || !strings.Contains(got, "help: see") {
			t.Errorf("shown %q", got)
		}
	})
}

// TestFileTrouble: a platform that is busy is asked again, and after that the
// person is told.
func TestFileTrouble(t *testing.T) {
	t.Parallel()
	withEyes(t, func(h *house, _ *eyes, files *shelf) {
		files.put("cat", "busy")
		h.open()
		cat := bridge.File{Kind: bridge.FileImage, ID: "cat"}
		m := h.message("one", "li", "see")
		m.Files = []bridge.File{cat}
		h.accept(m)
		time.Sleep(time.Second)
		files.put("cat", "CAT")
		time.Sleep(10 * time.Second)
		if asked := h.agents["help"].Questions(); len(asked) != 1 || len(asked[0].Files) != 1 {
			t.Errorf("asked %+v", asked)
		}
		files.put("cat", "busy")
		m = h.message("one", "li", "again")
		m.Files = []bridge.File{cat}
		h.accept(m)
		time.Sleep(time.Minute)
		shown := h.chats["one"].Texts()
		if len(shown) != 2 || !strings.Contains(shown[1], "cannot be reached") {
			t.Errorf("shown %q", shown)
		}
	})
}

// TestFilesBack: files of an answer are shown as such, in their order after the
// text, and as links when they cannot be fetched.
func TestFilesBack(t *testing.T) {
	t.Parallel()
	withEyes(t, func(h *house, e *eyes, _ *shelf) {
		e.files["https://x/chart"], e.files["https://x/only"] = "CHART", "ONLY"
		h.agents["help"].Answer = func(n int, _ bridge.Question) []any {
			if n == 2 {
				return []any{bridge.FileAdded{Kind: bridge.FileImage, Name: "only.png", URL: "https://x/only"}, bridge.Ended{}}
			}
			return []any{
				bridge.TextAdded{Text: "here"},
				bridge.FileAdded{Kind: bridge.FileImage, Name: "chart.png", URL: "https://x/chart"},
				bridge.FileAdded{Kind: bridge.FileOther, Name: "a.pdf", URL: "https://x/gone"},
				bridge.TextAdded{Text: " it is"},
				bridge.Ended{},
			}
		}
		h.open()
		if got := h.send("draw"); got != "here it is | bridge.Picture | [a.pdf](https://x/gone)" {
			t.Errorf("shown %q", got)
		}
		if row, _, err := h.store.Reply(h.Context(), 1); err != nil || row.Sent != 3 || len(row.Files) > 0 {
			t.Errorf("stored %+v, %v", row, err)
		}
		if got := h.send("draw"); got != "Here you are: only.png | bridge.Picture" {
			t.Errorf("shown %q", got)
		}
	})
}

// TestFilesBackOnce: a crash between the text and a file shows neither twice.
func TestFilesBackOnce(t *testing.T) {
	t.Parallel()
	withEyes(t, func(h *house, e *eyes, _ *shelf) {
		e.files["https://x/chart"] = "CHART"
		h.agents["help"].Answer = func(int, bridge.Question) []any {
			return []any{bridge.TextAdded{Text: "here"}, bridge.FileAdded{Kind: bridge.FileImage, Name: "c.png", URL: "https://x/chart"}, bridge.Ended{}}
		}
		broken := 0
		h.chats["one"].Fail = func(call string, _ int) error {
			if call == "send" && broken < 5 {
				broken++
				return &bridge.Error{Kind: bridge.KindUnavailable, Op: "test", Err: errors.New("away")}
			}
			return nil
		}
		h.open()
		h.send("draw")
		time.Sleep(time.Minute)
		if got := fmt.Sprint(h.chats["one"].Texts()); got != "[here bridge.Picture]" || broken != 5 {
			t.Errorf("shown %s after %d failures", got, broken)
		}
		if n := len(h.agents["help"].Questions()); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

// TestStopWhileFetching: an answer can be stopped while what came with the question is
// still on its way, by a click or in words.
func TestStopWhileFetching(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"click", "words"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			withEyes(t, func(h *house, _ *eyes, files *shelf) {
				files.put("cat", "slow")
				h.open()
				m, want := h.message("one", "li", "see"), "(stopped)"
				m.Files = []bridge.File{{Kind: bridge.FileImage, ID: "cat"}}
				h.accept(m)
				time.Sleep(5 * time.Second)
				if how == "click" {
					h.do(press(h.message("one", "li", ""), map[string]string{bridge.ValueDo: bridge.DoStop, bridge.ValueJob: "1"}))
				} else {
					h.say("one", "li", "/stop")
					want += " | Stopped."
				}
				if got := strings.Join(h.chats["one"].Texts(), " | "); got != want {
					t.Errorf("shown %q, want %q", got, want)
				}
				time.Sleep(5 * time.Minute)
				if n := len(h.agents["help"].Questions()); n > 0 {
					t.Errorf("asked %d times", n)
				}
				h.want("one", "li", "and now?", "help: and now?")
			})
		})
	}
}
