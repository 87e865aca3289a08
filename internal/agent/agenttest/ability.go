package agenttest

import (
	"strings"
	"testing"

	"switchboard/internal/bridge"
)

// checkStop: an answer whose run is known can be stopped.
func checkStop(t *testing.T, k Kit) {
	t.Helper()
	a := k.Open(t)
	stopper, ok := a.(bridge.Stopper)
	if !ok {
		return
	}
	wants(t, k, stopper.Stop(t.Context(), question().Conversation, bridge.Run{}), bridge.KindUnsupported)
	for event, err := range a.Ask(t.Context(), question()) {
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := event.(bridge.Started); ok && e.Run.Task != "" {
			if err := stopper.Stop(t.Context(), e.Conversation, e.Run); err != nil {
				t.Fatal(err)
			}
		}
		if e, ok := event.(bridge.Ended); ok && !e.Stopped {
			t.Errorf("stopped, but ended as %+v", e)
		}
	}
}

// checkFeedback: an answer whose message is known can be rated, and a rating
// taken back.
func checkFeedback(t *testing.T, k Kit) {
	t.Helper()
	a := k.Open(t)
	feedbacker, ok := a.(bridge.Feedbacker)
	if !ok {
		return
	}
	wants(t, k, feedbacker.Feedback(t.Context(), question().Conversation, bridge.Run{}, bridge.RatingGood), bridge.KindUnsupported)
	s := ask(t.Context(), t, a, question()).started
	for _, rating := range []bridge.Rating{bridge.RatingGood, bridge.RatingBad, bridge.RatingNone} {
		err := feedbacker.Feedback(t.Context(), s.Conversation, s.Run, rating)
		if s.Run.Message == "" { // the app has no messages
			wants(t, k, err, bridge.KindUnsupported)
		} else if err != nil {
			t.Errorf("%q: %v", rating, err)
		}
	}
}

// checkSuggest: what is suggested can be asked.
func checkSuggest(t *testing.T, k Kit) {
	t.Helper()
	a := k.Open(t)
	suggester, ok := a.(bridge.Suggester)
	if !ok {
		return
	}
	_, err := suggester.Suggest(t.Context(), question().Conversation, bridge.Run{})
	wants(t, k, err, bridge.KindUnsupported)
	s := ask(t.Context(), t, a, question()).started
	all, err := suggester.Suggest(t.Context(), s.Conversation, s.Run)
	if err != nil {
		wants(t, k, err, bridge.KindUnsupported)
	}
	for _, q := range all {
		if strings.TrimSpace(q) == "" {
			t.Errorf("a blank one among %q", all)
		}
	}
}

// checkUpload: a file that was taken has an id to ask with.
func checkUpload(t *testing.T, k Kit) {
	t.Helper()
	a := k.Open(t)
	uploader, ok := a.(bridge.Uploader)
	if !ok {
		return
	}
	q := question()
	up, err := uploader.Upload(t.Context(), q.Conversation.User, bridge.File{Kind: bridge.FileImage, Name: "a.png"}, strings.NewReader("\x89PNG\r\n\x1a\n"))
	if err != nil || up.ID == "" || up.Kind != bridge.FileImage {
		t.Fatalf("%+v, %v", up, err)
	}
	q.Files = append(q.Files, up)
	if h := ask(t.Context(), t, a, q); h.err != nil {
		t.Errorf("%+v", h)
	}
}

// checkForm: a decision about nothing is refused before anything is shown.
func checkForm(t *testing.T, k Kit) {
	t.Helper()
	filler, ok := k.Open(t).(bridge.FormFiller)
	if !ok {
		return
	}
	h := hear(t, filler.Fill(t.Context(), question().Conversation, bridge.Run{}, "", "", nil))
	if h.events > 0 || h.err == nil {
		t.Errorf("%+v", h)
	}
	wants(t, k, h.err, bridge.KindUnsupported, bridge.KindInvalid, bridge.KindNotFound)
}

// checkWatch: of nothing there is nothing to tell.
func checkWatch(t *testing.T, k Kit) {
	t.Helper()
	watcher, ok := k.Open(t).(bridge.FormWatcher)
	if !ok {
		return
	}
	if state, err := watcher.FormState(t.Context(), question().Conversation, bridge.Run{}, ""); err == nil {
		t.Errorf("nothing is %s", state)
	}
	if h := hear(t, watcher.GoOn(t.Context(), question().Conversation, bridge.Run{}, "")); h.events > 0 || h.err == nil {
		t.Errorf("%+v", h)
	}
}

// checkGreet: what is said first can be read and asked.
func checkGreet(t *testing.T, k Kit) {
	t.Helper()
	greeter, ok := k.Open(t).(bridge.Greeter)
	if !ok {
		return
	}
	g, err := greeter.Greet(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range g.Questions {
		if strings.TrimSpace(q) == "" {
			t.Errorf("a blank one among %q", g.Questions)
		}
	}
}

// checkTranscribe: an agent listens, or says that it does not.
func checkTranscribe(t *testing.T, k Kit) {
	t.Helper()
	transcriber, ok := k.Open(t).(bridge.Transcriber)
	if !ok {
		return
	}
	_, err := transcriber.Transcribe(t.Context(), "person-1", bridge.File{Kind: bridge.FileAudio}, strings.NewReader("#!AMR\n"))
	if err != nil {
		wants(t, k, err, bridge.KindUnsupported)
	}
}

// checkFetch: an address that is none, or leads inside, is never opened.
func checkFetch(t *testing.T, k Kit) {
	t.Helper()
	fetcher, ok := k.Open(t).(bridge.Fetcher)
	if !ok {
		return
	}
	for _, address := range []string{"", "file:///etc/passwd", "http://169.254.169.254/"} {
		_, err := fetcher.Fetch(t.Context(), bridge.FileAdded{Kind: bridge.FileImage, Name: "a.png", URL: address})
		wants(t, k, err, bridge.KindInvalid, bridge.KindForbidden)
	}
}
