package engine_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/router"
)

// archivist is a clerk whose forms take files.
type archivist struct {
	clerk

	names map[string]string // of what was handed over, by user and content
	fails error
}

func (a *archivist) Fill(ctx context.Context, c bridge.Conversation, r bridge.Run, token, choice string, values map[string]bridge.FormValue) iter.Seq2[bridge.Event, error] {
	return a.clerk.Fill(ctx, c, r, token, choice, values)
}

func (a *archivist) UploadTo(_ context.Context, user string, field bridge.FormFiles, f bridge.File, body io.Reader) (bridge.UploadedFile, error) {
	if a.fails != nil {
		return bridge.UploadedFile{}, a.fails
	}
	if len(field.Kinds) > 0 && !slices.Contains(field.Kinds, f.Kind) {
		return bridge.UploadedFile{}, &bridge.Error{Kind: bridge.KindUnsupported, Op: "archivist"}
	}
	data, err := io.ReadAll(body)
	a.names[string(data)] = user
	return bridge.UploadedFile{Kind: f.Kind, ID: string(data)}, err
}

// withArchivist is a house whose people send files, and whose answer to "apply" asks
// for a picture as proof, up to two other files, and a comment.
func withArchivist(t *testing.T, change func(*bridge.Form), test func(h *house, a *archivist, files *shelf)) {
	t.Helper()
	inHouse(t, func(h *house) {
		files := &shelf{files: map[string]string{"cat": "CAT", "cup": "CUP", "one": "ONE", "two": "TWO", "three": "THREE"}}
		a := &archivist{names: map[string]string{}}
		h.botOf = func(b bridge.Bot) bridge.Bot {
			s, _ := b.(bridge.Streamer)
			return keeper{b, s, files}
		}
		h.agentOf = func(agent bridge.Agent) bridge.Agent { a.Agent = agent; return a }
		form := leave()
		form.Fields = append(form.Fields,
			bridge.FormField{Name: "proof", Takes: &bridge.FormFiles{Most: 1, Kinds: []bridge.FileKind{bridge.FileImage}}},
			bridge.FormField{Name: "papers", Takes: &bridge.FormFiles{Most: 2, List: true, Kinds: []bridge.FileKind{bridge.FileOther}, Extensions: []string{".log"}}})
		if change != nil {
			change(&form)
		}
		h.applies(form)
		h.route.Rules = []router.Rule{{Name: "hr", Keywords: []string{"holidays"}, Then: router.ToAgent{Agent: "hr"}}}
		h.open()
		test(h, a, files)
	})
}

func sentFile(kind bridge.FileKind, id, name string) bridge.File {
	return bridge.File{Kind: kind, ID: id, Name: name}
}

// wants sends files and wants parts of what is read then.
func (h *house) wants(text string, files []bridge.File, parts ...string) {
	h.Helper()
	got := h.send(text, files...)
	for _, part := range parts {
		if !strings.Contains(got, part) {
			h.Errorf("li sends %v with %q and reads %q, want %q", files, text, got, part)
		}
	}
}

// TestFormTakesFiles: what somebody sends while a form asks for it goes into the
// form, one by one, and the decision has all of it.
func TestFormTakesFiles(t *testing.T) {
	t.Parallel()
	withArchivist(t, nil, func(h *house, a *archivist, _ *shelf) {
		h.want("one", "li", "apply", "1. Approve\n2. Reject", "write comment", "send a file for proof (picture)", "send one to 2 files for papers (document, .log)")
		h.want("one", "li", "1", "send a file for proof (picture)") // not yet
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cat", "")}, "Received for proof: the picture.", "send one to 2 files for papers")
		h.wants("", []bridge.File{sentFile(bridge.FileOther, "one", "1.pdf")}, "Received for papers: 1.pdf.", "Now send the number", "1. Approve\n2. Reject")
		h.wants("", []bridge.File{sentFile(bridge.FileOther, "two", "2.pdf")}, "Received for papers: 2.pdf.")
		h.wants("", []bridge.File{sentFile(bridge.FileOther, "three", "3.pdf"), sentFile(bridge.FileVideo, "cup", "film")}, "could not look at 3.pdf", "could not look at film")
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cup", "cup.png")}, "Received for proof: cup.png.") // the last one counts
		if len(a.filled) > 0 || len(h.asked()) != 1 {
			t.Fatalf("filled in %q, asked %q", a.filled, h.asked())
		}
		h.want("one", "li", "/me", "li")
		h.want("one", "li", "2 too late", "Decided: no")
		if got := strings.Join(a.filled, ", "); got != "r1 token no map[comment:too late papers:[ONE;TWO;] proof:CUP;]" {
			t.Errorf("filled in %q", got)
		}
		users := map[string]bool{}
		for _, user := range a.names {
			users[user] = true
		}
		if len(users) != 1 || users[""] {
			t.Errorf("handed over by %v", a.names)
		}
	})
}

// TestFormTakesFilesAtOnce: a decision may bring the files along.
func TestFormTakesFilesAtOnce(t *testing.T) {
	t.Parallel()
	onlyProof := func(f *bridge.Form) { f.Fields = f.Fields[:2] }
	withArchivist(t, onlyProof, func(h *house, a *archivist, _ *shelf) {
		h.say("one", "li", "apply")
		h.wants("approve", []bridge.File{sentFile(bridge.FileOther, "one", "1.pdf")}, "could not look at 1.pdf", "send a file for proof (picture)")
		h.wants("approve", []bridge.File{sentFile(bridge.FileImage, "cat", "")}, "Decided: yes")
		if got := strings.Join(a.filled, ", "); got != "r1 token yes map[comment:fine proof:CAT;]" {
			t.Errorf("filled in %q", got)
		}
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cup", "")}, "text") // nothing waits for it any more
	})
}

// TestFormTakesNoQuestions: what is asked about a file is a question, so is what
// somebody says, and what others send.
func TestFormTakesNoQuestions(t *testing.T) {
	t.Parallel()
	onlyProof := func(f *bridge.Form) { f.Fields = f.Fields[:2] }
	withArchivist(t, onlyProof, func(h *house, a *archivist, _ *shelf) {
		h.say("one", "li", "apply")
		h.wants("what is this?", []bridge.File{sentFile(bridge.FileImage, "cat", "")}, "help: what is this?")
		heard := sentFile(bridge.FileAudio, "one", "")
		heard.Text = "how are you?"
		h.wants("", []bridge.File{heard}, "help: how are you?")
		h.wants("", []bridge.File{sentFile(bridge.FileAudio, "one", "")}, "text")
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cat", "")}, "Received for proof")
		h.want("one", "li", "what now?", "help: what now?")
		if h.send("", sentFile(bridge.FileImage, "cup", "")); a.names["CUP"] != "" {
			t.Error("a file for something else was taken")
		}
		if h.hear(h.inGroup("one", "li", "apply")); len(a.filled) > 0 {
			t.Fatal(a.filled)
		}
		m := h.inGroup("one", "zhang", "")
		m.Files = []bridge.File{sentFile(bridge.FileImage, "cup", "")}
		if got := h.hear(m); strings.Contains(got, "Received") || a.names["CUP"] != "" {
			t.Errorf("zhang reads %q", got)
		}
	})
}

// TestFormFilesInTrouble: a platform or an agent that is away for a moment costs
// nothing, a crash doubles nothing, and what cannot be taken at all is for
// elsewhere.
func TestFormFilesInTrouble(t *testing.T) {
	t.Parallel()
	withArchivist(t, func(f *bridge.Form) { f.Fields[2].Takes.Most = 5 }, func(h *house, a *archivist, files *shelf) {
		h.say("one", "li", "apply")
		files.put("two", "busy")
		m := h.message("one", "li", "")
		m.Files = []bridge.File{sentFile(bridge.FileImage, "cat", ""), sentFile(bridge.FileOther, "two", "2.pdf")}
		h.accept(m)
		h.passes(time.Second)
		files.put("two", "TWO")
		h.passes(30 * time.Second)
		if got := h.last().Text; !strings.Contains(got, "Received for papers: 2.pdf.") || !strings.Contains(got, "Received for proof: the picture.") {
			t.Errorf("%q", got)
		}
		h.inbox.Pause(true)
		m = h.message("one", "li", "")
		m.Files = []bridge.File{sentFile(bridge.FileOther, "one", "1.pdf")}
		h.accept(m)
		jobs, err := h.store.Claim(h.Context(), "local", "help", 5, time.Minute)
		if err != nil || len(jobs) != 1 {
			t.Fatal(jobs, err)
		}
		dead, die := context.WithCancel(h.Context())
		finished := h.chats["one"].Calls("finish")
		h.chats["one"].Fail = func(call string, n int) error {
			if call == "finish" && n == finished+1 {
				die()
				return errors.New("dead")
			}
			return nil
		}
		h.engine.Handle(dead, jobs[0])
		if _, err := h.store.Rescue(h.Context(), "local"); err != nil {
			t.Fatal(err)
		}
		h.inbox.Pause(false)
		h.passes(time.Minute)
		h.want("one", "li", "1", "Decided: yes")
		if got := strings.Join(a.filled, ", "); got != "r1 token yes map[comment:fine papers:[TWO;ONE;] proof:CAT;]" {
			t.Errorf("filled in %q", got)
		}
	})
	withArchivist(t, nil, func(h *house, a *archivist, _ *shelf) {
		h.say("one", "li", "apply")
		a.fails = &bridge.Error{Kind: bridge.KindTooLarge, Op: "archivist", Args: map[string]string{"megabytes": "7"}}
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cat", "cat.png")}, "cat.png: it is larger than 7 MB", "send a file for proof")
	})
	withArchivist(t, func(f *bridge.Form) { f.Fields = f.Fields[2:]; f.Fields[0].Takes.Most = 5 }, func(h *house, a *archivist, _ *shelf) {
		h.say("one", "li", "apply")
		a.cut = 1 // and another attempt hands the same file over
		h.wants("approve", []bridge.File{sentFile(bridge.FileOther, "one", "1.pdf")}, "Decided: yes")
		if got := strings.Join(a.filled, ", "); got != "r1 token yes map[papers:[ONE;]], r1 token yes map[papers:[ONE;]]" {
			t.Errorf("filled in %q", got)
		}
	})
	withArchivist(t, func(f *bridge.Form) { f.Expires = time.Now().Add(time.Hour) }, func(h *house, a *archivist, _ *shelf) {
		h.say("one", "li", "apply")
		time.Sleep(2 * time.Hour)
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cat", "")}, "only read text") // nobody can use it any more
		if len(a.names) > 0 {
			t.Errorf("handed over %v", a.names)
		}
	})
	form := leave()
	form.Fields = []bridge.FormField{{Name: "proof", Takes: &bridge.FormFiles{Most: 1}}}
	withClerk(t, form, func(h *house, _ *clerk) { // takes none in forms
		h.want("one", "li", "apply", "cannot be made in this chat", "ask your administrator")
		h.want("one", "li", "1", "help: 1")
	})
}

// TestFormFilesOfAnotherAgent: where a rule led elsewhere, files go there, too.
func TestFormFilesOfAnotherAgent(t *testing.T) {
	t.Parallel()
	withArchivist(t, nil, func(h *house, a *archivist, _ *shelf) {
		form := leave()
		form.Fields = []bridge.FormField{{Name: "proof", Takes: &bridge.FormFiles{Most: 1}}}
		h.agents["hr"].Answer = func(int, bridge.Question) []any {
			return []any{bridge.Started{Run: bridge.Run{Run: "r"}}, bridge.Paused{Form: form}}
		}
		h.want("one", "li", "holidays", "send a file for proof (of any kind)")
		h.wants("", []bridge.File{sentFile(bridge.FileImage, "cat", "")}, "Received for proof")
		h.want("one", "li", "1", "Decided: yes")
		if len(a.filled) != 1 || !strings.Contains(a.filled[0], "proof:CAT;") {
			t.Errorf("filled in %q", a.filled)
		}
	})
}
