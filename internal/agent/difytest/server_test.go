package difytest_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"switchboard/internal/agent/difytest"
)

// post asks the only app of a server, and returns the body of the answer.
func post(t *testing.T, s *difytest.Server, path, body string) io.Reader {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+difytest.Key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res.Body
}

// until reads a stream until something is in it, or to its end.
func until(body io.Reader, what string) string {
	heard, piece := "", make([]byte, 1)
	for what == "" || !strings.Contains(heard, what) {
		n, err := io.ReadFull(body, piece)
		heard += string(piece[:n])
		if err != nil {
			break
		}
	}
	return heard
}

const asked = `{"inputs":{},"query":"hello","user":"u1","response_mode":"streaming"}`

// TestStopByOthers: only a flow is stopped by anybody.
func TestStopByOthers(t *testing.T) {
	t.Parallel()
	for mode, end := range map[string]string{"chat": "one two", "agent-chat": "one two", "advanced-chat": "Aborted: User requested stop"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			on := make(chan struct{})
			s := difytest.New(t, difytest.App{Mode: mode, Answer: func(difytest.Question) difytest.Answer {
				return difytest.Answer{Parts: func(yield func(string) bool) {
					if yield("one ") {
						<-on
						yield("two")
					}
				}}
			}})
			body := post(t, s, "/chat-messages", asked)
			heard := until(body, `"one "`)
			_, task, _ := strings.Cut(heard, `"task_id":"`)
			task, _, _ = strings.Cut(task, `"`)
			_ = until(post(t, s, "/chat-messages/"+task+"/stop", `{"user":"u2"}`), "")
			close(on)
			heard += until(body, "")
			if stopped := !strings.Contains(heard, `"two"`); stopped != strings.HasPrefix(end, "Aborted") || stopped && !strings.Contains(heard, end) {
				t.Errorf("heard %s", heard)
			}
		})
	}
}

// TestSilence: pings come while nothing else does, in a chat before anything.
func TestSilence(t *testing.T) {
	t.Parallel()
	on := make(chan struct{})
	s := difytest.New(t, difytest.App{Ping: time.Millisecond, Answer: func(difytest.Question) difytest.Answer {
		<-on
		return difytest.Answer{Text: "late"}
	}})
	body := post(t, s, "/chat-messages", asked)
	heard := until(body, "event: ping\n\nevent: ping\n\n")
	close(on)
	if heard += until(body, ""); strings.Index(heard, "late") < strings.Index(heard, "ping") || !strings.Contains(heard, "message_end") {
		t.Errorf("heard %s", heard)
	}
}

// TestCut: a connection that breaks ends without an end; a chatflow goes on
// without it, a chat is lost.
func TestCut(t *testing.T) {
	t.Parallel()
	for mode, kept := range map[string]string{"chat": `"answer": ""`, "advanced-chat": `"answer": "one two"`} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := difytest.New(t, difytest.App{Mode: mode, Answer: func(difytest.Question) difytest.Answer {
				return difytest.Answer{Cut: 1, Parts: func(yield func(string) bool) { _ = yield("one ") && yield("two") }}
			}})
			body := post(t, s, "/chat-messages", asked)
			heard := until(body, "")
			if _, err := body.Read(make([]byte, 1)); err == nil || err == io.EOF || strings.Contains(heard, "two") {
				t.Errorf("%v, heard %s", err, heard)
			}
			_, talk, _ := strings.Cut(heard, `"conversation_id":"`)
			talk, _, _ = strings.Cut(talk, `"`)
			for got := ""; !strings.Contains(got, kept); {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/messages?user=u1&conversation_id="+talk, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Authorization", "Bearer "+difytest.Key)
				list, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				got = until(list.Body, "")
				_ = list.Body.Close()
			}
		})
	}
}
