package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

const (
	// filesWithin is how long fetching what came with a message may take.
	filesWithin = 3 * time.Minute
	// maxFiles is how many files of one message are looked at.
	maxFiles = 20
)

// attached is what became of the files of a message.
type attached struct {
	files   []bridge.UploadedFile
	user    string   // who has them, on the agent's side
	spoken  []string // what voice messages say
	notices []string // for the person, about those that were left out
}

// looksAt says that there may be something to ask about in the files of a message.
func (t *trip) looksAt() bool {
	opener, agent := t.fileOpener(), t.agent()
	_, uploads := agent.(bridge.Uploader)
	transcriber, _ := agent.(bridge.Transcriber)
	for _, f := range t.job.Message.Files {
		if opener != nil && (uploads || f.Kind == bridge.FileAudio && transcriber != nil) {
			return true
		}
	}
	return false
}

func (t *trip) fileOpener() bridge.FileOpener {
	opener, _ := t.bot.(bridge.FileOpener)
	return opener
}

func (t *trip) agent() bridge.Agent {
	agent, _ := t.agents(t.route.Agent)
	return agent
}

// attach hands the files of the message to the agent. An error is worth another
// attempt; whatever else goes wrong with a file, the person is told, and the rest
// is asked without it.
func (t *trip) attach(ctx context.Context) error {
	if t.decision != nil {
		return t.attachToForm(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, filesWithin)
	defer cancel()
	t.with = attached{user: t.route.Session.Conversation.User}
	all := t.job.Message.Files
	for _, f := range all[:min(len(all), maxFiles)] {
		if f.Text != "" { // the platform has listened to it
			continue
		}
		err := t.attachOne(ctx, f)
		if bridge.KindOf(err).Retryable() || errors.Is(err, context.Canceled) {
			return fmt.Errorf("engine: attach: %w", err)
		}
		if err != nil {
			t.leaveOut(ctx, f, err)
		}
	}
	if len(t.with.files) > 0 {
		t.note(bridge.EntryAttached, 0, "", fmt.Sprintf("%d of %d files", len(t.with.files), len(all)))
	}
	return nil
}

// attachUntil is attach until a stop.
func (t *trip) attachUntil(ctx context.Context, stop <-chan struct{}) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	return t.attach(ctx)
}

// unattached waits for another attempt, or tells the person that there will be
// none.
func (t *trip) unattached(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		t.out.Park()
		return context.Cause(ctx)
	}
	return t.beforeText(ctx, err)
}

// attachOne takes one file. What is said in a voice message becomes the question,
// if the agent can listen; otherwise it is a file like any other.
func (t *trip) attachOne(ctx context.Context, f bridge.File) error {
	agent := t.agent()
	if transcriber, ok := agent.(bridge.Transcriber); ok && f.Kind == bridge.FileAudio {
		err := t.read(ctx, f, func(body io.Reader) error {
			text, err := transcriber.Transcribe(ctx, t.with.user, f, body)
			if err == nil && text != "" {
				t.with.spoken = append(t.with.spoken, text)
			}
			return err
		})
		if bridge.KindOf(err) != bridge.KindUnsupported {
			return err
		}
	}
	uploader, ok := agent.(bridge.Uploader)
	if !ok {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: attach", Detail: "the agent takes no files"}
	}
	return t.read(ctx, f, func(body io.Reader) error {
		up, err := uploader.Upload(ctx, t.with.user, f, body)
		if err == nil {
			t.with.files = append(t.with.files, up)
		}
		return err
	})
}

// read opens a file of the platform's for something.
func (t *trip) read(ctx context.Context, f bridge.File, do func(io.Reader) error) error {
	opener := t.fileOpener()
	if opener == nil {
		return &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: attach", Detail: "the bot fetches no files"}
	}
	body, err := opener.OpenFile(ctx, f)
	if err != nil {
		return err
	}
	return errors.Join(do(body), body.Close())
}

// leaveOut tells the person, in one sentence, why a file was not looked at.
func (t *trip) leaveOut(ctx context.Context, f bridge.File, err error) {
	kind := bridge.KindOf(err)
	t.log.LogAttrs(ctx, slog.LevelInfo, "a file was left out", slog.Int64("job_id", t.job.ID), slog.Any("error", err))
	args := []any{"name", t.nameOf(f)}
	key := "reply.file." + string(kind)
	var e *bridge.Error
	if errors.As(err, &e) && e.Args["megabytes"] != "" {
		args = append(args, "megabytes", e.Args["megabytes"])
	} else if kind == bridge.KindTooLarge {
		key += "_far"
	}
	if _, ok := i18n.Find(t.route.Language, key); !ok {
		key = "reply.file.failed"
	}
	t.with.notices = append(t.with.notices, t.say(key, args...))
}

// nameOf is how a file is called towards the person.
func (t *trip) nameOf(f bridge.File) string {
	if name := strings.TrimSpace(f.Name); name != "" {
		return name
	}
	return t.say("reply.file.kind." + string(f.Kind))
}

// question is what there is to ask: what was written, or said, or an invitation
// to look at the files. It is empty when nothing of the message is left.
func (a attached) question(text, look string) string {
	parts := a.spoken
	if text != "" {
		parts = append([]string{text}, parts...)
	}
	if len(parts) == 0 && len(a.files) > 0 {
		return look
	}
	return strings.Join(parts, "\n\n")
}

// prefix are the notices, as they stand before an answer.
func (a attached) prefix() string {
	if len(a.notices) == 0 {
		return ""
	}
	return strings.Join(a.notices, "\n") + "\n\n"
}

// fetch reads a file of the answer, to be shown as one.
func (t *trip) fetch(ctx context.Context, f bridge.FileAdded) ([]byte, error) {
	fetcher, ok := t.agent().(bridge.Fetcher)
	if !ok {
		return nil, &bridge.Error{Kind: bridge.KindUnsupported, Op: "engine: fetch file"}
	}
	return fetcher.Fetch(ctx, f)
}

// filesOf names the files of an answer that says nothing else.
func (t *trip) filesOf(h *hearing) string {
	var names []string
	for _, f := range h.files {
		names = append(names, f.Name)
	}
	return t.say("reply.files", "names", strings.Join(names, ", "))
}
