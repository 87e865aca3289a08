package reply

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"switchboard/internal/bridge"
)

// Store keeps reply rows; SaveReply is durable when it returns.
type Store interface {
	SaveReply(ctx context.Context, r bridge.Reply) error
}

const (
	// quickTries is how often a part is tried in one attempt at the job, for a
	// hiccup of the platform's should not cost the person seconds.
	quickTries = 3
	// quickPause comes before the second try, and twice of it before the third.
	quickPause = 300 * time.Millisecond
	// quickLimit is the longest wait of a busy platform's that is sat out.
	quickLimit = 3 * time.Second
)

// Pace is how an answer appears where the bot can let it grow.
type Pace string

// The paces. The zero Pace is PaceOff.
const (
	// PaceOff shows the complete answer and nothing before it.
	PaceOff Pace = ""
	// PaceEconomy shows that an answer is coming, and then the complete answer in
	// the same place: two steps however long it gets.
	PaceEconomy Pace = "economy"
	// PaceSmooth lets the answer grow as it is written.
	PaceSmooth Pace = "smooth"
)

// Options are the settings of a Writer.
type Options struct {
	// Pace is how the answer appears.
	Pace Pace
	// Thinking is shown in a draft until there is text; empty shows nothing.
	Thinking string
	// Stop is the text of a button that stops an answer while it grows; empty
	// means that there is none.
	Stop string
	// Cut is the note at the end of an answer that is longer than may be shown.
	Cut string
	// Record takes the journal's entries; nil drops them.
	Record func(kind bridge.EntryKind, took time.Duration, trouble bridge.Kind, note string)
	// Open fetches a file to show; nil names it with its address instead.
	Open func(ctx context.Context, f bridge.FileAdded) ([]byte, error)
}

// Writer shows the answer to one job. It belongs to one goroutine; the painter
// it runs beside is its own.
type Writer struct {
	store  Store
	bot    bridge.Bot
	limits bridge.Capabilities
	to     bridge.Address
	log    *slog.Logger
	opt    Options
	key    string

	row     bridge.Reply
	files   []bridge.FileAdded // come with what is decided
	buttons []bridge.Button    // and so do these
	draft   bridge.Draft
	painter *painter // nil when nothing grows
	began   time.Time
}

// New makes a writer for a job's answer. The row is the stored reply of an
// earlier attempt, or a zero Reply with the JobID.
func New(store Store, bot bridge.Bot, limits bridge.Capabilities, m bridge.Message, row bridge.Reply, log *slog.Logger, opt Options) *Writer {
	if opt.Record == nil {
		opt.Record = func(bridge.EntryKind, time.Duration, bridge.Kind, string) {}
	}
	to := m.Address
	to.Job = strconv.FormatInt(row.JobID, 10)
	return &Writer{store: store, bot: bot, limits: limits, to: to, log: log, opt: opt, key: Key(m), row: row, began: time.Now()}
}

// Key names the answer to a message for ever; the keys of its parts derive from
// it. It does not depend on our database, so that it is the same after a restore.
func Key(m bridge.Message) string {
	sum := sha256.Sum256([]byte(m.Bot + "\x00" + string(m.ID)))
	return hex.EncodeToString(sum[:15])
}

// Row returns the reply as stored last.
func (w *Writer) Row() bridge.Reply {
	if w.painter != nil {
		w.painter.mu.Lock()
		defer w.painter.mu.Unlock()
	}
	return w.row
}

// Begin stores that an answer is coming and, if it may grow, opens or resumes
// the draft beside the agent's work. After an error nothing is visible yet.
func (w *Writer) Begin(ctx context.Context) error {
	if w.row.State == "" {
		w.row.State = bridge.ReplyPlanned
		if err := w.save(ctx); err != nil {
			return err
		}
	}
	streamer, ok := w.bot.(bridge.Streamer)
	if !ok || w.row.State == bridge.ReplyAnswered || w.opt.Pace == PaceOff && w.row.State != bridge.ReplyDrafting {
		return nil
	}
	w.painter = startPainter(ctx, w, streamer)
	return nil
}

// Write notes the whole text so far, and says whether it will be seen before the
// end. It never waits for the platform.
func (w *Writer) Write(whole string) bool {
	if w.painter == nil || w.opt.Pace != PaceSmooth {
		return false
	}
	w.painter.show(whole)
	return true
}

// Note keeps what has to survive a crash while the answer grows: the
// conversation and run on the agent's side.
func (w *Writer) Note(ctx context.Context, change func(*bridge.Reply)) error {
	if w.painter == nil {
		change(&w.row)
		return w.save(ctx)
	}
	return w.painter.note(ctx, change)
}

// Finish shows the final text and returns when all of it is delivered.
func (w *Writer) Finish(ctx context.Context, text string) error {
	return w.settle(ctx, text, "", true)
}

// Break shows an answer that stopped in the middle, the text with a notice
// below it, and records why.
func (w *Writer) Break(ctx context.Context, text string, why bridge.Kind) error {
	return w.settle(ctx, text, why, true)
}

// Fail shows a notice instead of an answer, below what the agent wrote if there
// is any of it on screen, and records why.
func (w *Writer) Fail(ctx context.Context, notice string, why bridge.Kind) error {
	return w.settle(ctx, notice, why, false)
}

// Park stops showing anything and leaves the reply for another attempt.
func (w *Writer) Park() { w.stopPainter() }

// settle decides the text once and for all, and delivers it.
func (w *Writer) settle(ctx context.Context, text string, why bridge.Kind, seen bool) error {
	w.stopPainter()
	w.row.State, w.row.Text, w.row.Error, w.row.Seen, w.row.Files, w.row.Buttons = bridge.ReplyAnswered, text, why, seen, w.files, w.buttons
	w.buttons = nil // they are this text's
	return w.Deliver(ctx)
}

// Deliver shows what was decided, from the part that is missing on.
func (w *Writer) Deliver(ctx context.Context) error {
	w.stopPainter()
	if err := w.resumeForDelivery(ctx); err != nil {
		return err
	}
	for tries := 1; ; {
		parts := w.parts()
		if w.row.Sent >= len(parts) {
			return w.done(ctx)
		}
		err := w.deliverPart(ctx, w.row.Sent, parts[w.row.Sent])
		if w.draft != nil && w.row.Sent == 0 && draftless(bridge.KindOf(err)) {
			// Somebody removed the draft, or the platform does not let us make
			// one after all: what follows is messages of their own.
			w.log.LogAttrs(ctx, slog.LevelInfo, "the draft is gone", slog.Int64("job_id", w.row.JobID))
			w.forgetDraft()
			continue
		}
		switch {
		case err == nil:
			tries = 1
		case tries < quickTries && w.passing(err) && rest(ctx, max(bridge.RetryAfter(err), time.Duration(tries)*quickPause)):
			tries++
		default:
			return err
		}
	}
}

// passing says that an error is likely to be over in a moment. A longer trouble
// is for a later attempt, so that the place at the agent's is free meanwhile; and
// a part that may have been shown is not shown again in haste where there is no
// key.
func (w *Writer) passing(err error) bool {
	var e *bridge.Error
	if !errors.As(err, &e) || e.RetryAfter > quickLimit || e.Uncertain && !w.keyed() {
		return false
	}
	return e.Kind == bridge.KindUnavailable || e.Kind == bridge.KindRateLimited
}

// keyed says that the part that is next is shown once however often it is sent.
func (w *Writer) keyed() bool { return w.limits.Keyed || w.row.Sent == 0 && w.draft != nil }

// rest waits; false when ctx has ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// resumeForDelivery finds the draft again after a restart, when the text was
// already decided.
func (w *Writer) resumeForDelivery(ctx context.Context) error {
	streamer, ok := w.bot.(bridge.Streamer)
	if !ok || w.draft != nil || w.row.Draft.Bot == "" || w.row.Sent > 0 {
		return nil
	}
	draft, err := streamer.Resume(ctx, w.row.Draft)
	switch {
	case err == nil:
		w.draft = draft
	case draftless(bridge.KindOf(err)):
		w.forgetDraft()
	default:
		return fmt.Errorf("reply: resume draft: %w", err)
	}
	return nil
}

// draftless says that an error is the draft's own, so that a plain message may
// still be taken.
func draftless(kind bridge.Kind) bool {
	switch kind { //nolint:exhaustive // all others concern plain messages too
	case bridge.KindNotFound, bridge.KindExpired, bridge.KindUnsupported, bridge.KindForbidden, bridge.KindQuota, bridge.KindInvalid:
		return true
	default:
		return false
	}
}

func (w *Writer) forgetDraft() {
	w.draft, w.row.Draft, w.row.Sending = nil, bridge.Address{}, 0
}

// deliverPart shows one part and stores that it was shown.
func (w *Writer) deliverPart(ctx context.Context, n int, p part) error {
	to := w.to.WithKey(w.key + "-" + strconv.Itoa(n))
	if w.row.Sending == n+1 {
		to.Repeat = true
		if !w.keyed() {
			w.row.Uncertain++
			w.opt.Record(bridge.EntryRepeated, 0, "", "part "+strconv.Itoa(n+1))
		}
	}
	w.row.Sending = n + 1
	if err := w.save(ctx); err != nil {
		return err
	}
	id, err := w.send(ctx, n, to, p)
	if err != nil {
		return w.refused(ctx, err)
	}
	w.row.Sent, w.row.Sending = n+1, 0
	if n == 0 && w.draft != nil { // where it can be shown again with other buttons
		w.row.Draft = w.draft.Address()
		w.row.Draft.Bot = w.to.Bot
	}
	if id != "" {
		w.row.Messages = append(w.row.Messages, id)
	}
	return nil // stored together with the next step
}

// refused keeps what is known after a failed send: a send that certainly did
// not happen is not repeated as "unknown" later.
func (w *Writer) refused(ctx context.Context, err error) error {
	var e *bridge.Error
	if errors.As(err, &e) && !e.Uncertain {
		w.row.Sending = 0
	}
	return errors.Join(fmt.Errorf("reply: send: %w", err), w.save(context.WithoutCancel(ctx)))
}

func (w *Writer) done(ctx context.Context) error {
	w.row.State = bridge.ReplyDelivered
	if w.row.Error != "" {
		w.row.State = bridge.ReplyFailed
	}
	w.row.Files = nil
	if err := w.save(ctx); err != nil {
		return err
	}
	w.opt.Record(bridge.EntryDelivered, time.Since(w.began), w.row.Error, strconv.Itoa(w.row.Sent)+" parts")
	return nil
}

func (w *Writer) save(ctx context.Context) error {
	w.row.UpdatedAt = time.Now()
	if err := w.store.SaveReply(ctx, w.row); err != nil {
		return fmt.Errorf("reply: store: %w", err)
	}
	return nil
}

// stopPainter ends the painter and takes over the draft from it.
func (w *Writer) stopPainter() {
	if w.painter == nil {
		return
	}
	w.draft, w.row = w.painter.stop()
	w.painter = nil
}
