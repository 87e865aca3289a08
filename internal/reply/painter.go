package reply

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"switchboard/internal/bridge"
)

// painter shows the newest text in a draft, at the platform's pace, in a
// goroutine of its own. While it runs it owns the draft and the reply row.
type painter struct {
	w      *Writer
	quit   chan struct{} // closed to end; a call under way is not cut off by it
	done   chan struct{}
	signal chan struct{} // one token: there is something new

	mu    sync.Mutex // guards latest, and the row while the painter runs
	texts string
	fresh bool

	draft bridge.Draft
	shown bool
	pause time.Duration // extra wait the platform asked for
}

func startPainter(ctx context.Context, w *Writer, s bridge.Streamer) *painter {
	p := &painter{w: w, quit: make(chan struct{}), done: make(chan struct{}), signal: make(chan struct{}, 1)}
	go func() {
		defer close(p.done)
		p.run(ctx, s)
	}()
	return p
}

// show notes the newest text.
func (p *painter) show(text string) {
	p.mu.Lock()
	p.texts, p.fresh = text, true
	p.mu.Unlock()
	select {
	case p.signal <- struct{}{}:
	default:
	}
}

// stop ends the painter and hands the draft and the row back. A draft that was
// prepared but never shown is handed back too: finishing shows it.
func (p *painter) stop() (bridge.Draft, bridge.Reply) {
	close(p.quit)
	<-p.done
	return p.draft, p.w.row
}

// note changes the row and stores it.
func (p *painter) note(ctx context.Context, change func(*bridge.Reply)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.w.row)
	return p.w.save(ctx)
}

func (p *painter) run(ctx context.Context, s bridge.Streamer) {
	if !p.open(ctx, s) {
		return
	}
	if text, ok := p.take(); ok {
		p.paint(ctx, text)
	} else if !p.shown {
		p.paint(ctx, p.w.opt.Thinking)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.quit:
			return
		case <-p.signal:
		}
		if text, ok := p.take(); ok {
			p.paint(ctx, text)
		}
		if !p.rest(ctx) {
			return
		}
	}
}

// take returns the newest text if it was not shown yet.
func (p *painter) take() (string, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := p.fresh
	p.fresh = false
	return p.texts, fresh
}

// open resumes the draft of an earlier attempt or prepares one, and stores
// where it is before anything of it can be seen.
func (p *painter) open(ctx context.Context, s bridge.Streamer) bool {
	if p.w.row.Draft.Bot != "" {
		draft, err := s.Resume(ctx, p.w.row.Draft)
		if err == nil {
			p.draft, p.shown = draft, true
			return true
		}
		p.complain(ctx, "resuming", err)
		if kind := bridge.KindOf(err); kind != bridge.KindNotFound && kind != bridge.KindExpired {
			return false // the final text resumes it again
		}
	}
	to := p.w.to.WithKey(p.w.key + "-0")
	to.Stop = p.w.opt.Stop
	draft, err := s.Begin(ctx, to)
	if err != nil {
		p.complain(ctx, "beginning", err)
		return false // the answer is sent when it is complete
	}
	if err := p.keep(ctx, draft); err != nil {
		p.complain(ctx, "storing", err)
		return false // not stored, so never shown
	}
	p.draft = draft
	return true
}

func (p *painter) keep(ctx context.Context, draft bridge.Draft) error {
	return p.note(ctx, func(r *bridge.Reply) {
		r.State, r.Draft = bridge.ReplyDrafting, draft.Address()
		r.Draft.Bot = p.w.to.Bot
	})
}

// paint shows a text. When the draft becomes visible its new address is stored.
func (p *painter) paint(ctx context.Context, text string) {
	if text == "" || p.draft == nil {
		return
	}
	err := p.draft.Update(ctx, head(text, p.w.limits.MaxDraft))
	p.pause = 0
	if err != nil {
		if ctx.Err() == nil {
			p.failed(ctx, text, err)
		}
		return
	}
	if !p.shown {
		p.shown = true
		p.w.opt.Record(bridge.EntryShown, time.Since(p.w.began), "", "")
		if err := p.keep(ctx, p.draft); err != nil {
			p.complain(ctx, "storing", err)
		}
	}
}

// failed decides what to do after an update that did not work: wait, try the
// same text again with the next one, or leave it to the end.
func (p *painter) failed(ctx context.Context, text string, err error) {
	p.complain(ctx, "updating", err)
	switch bridge.KindOf(err) { //nolint:exhaustive // all others are for the end to decide
	case bridge.KindRateLimited, bridge.KindUnavailable, bridge.KindInterrupted:
		p.pause = max(bridge.RetryAfter(err), time.Second)
		p.mu.Lock()
		if !p.fresh {
			p.texts, p.fresh = text, true
		}
		p.mu.Unlock()
		select {
		case p.signal <- struct{}{}:
		default:
		}
	default:
		p.pause = time.Minute // the end decides; until then do not insist
	}
}

// rest keeps the pace; false when the painter is to end.
func (p *painter) rest(ctx context.Context) bool {
	d := max(p.w.limits.UpdateInterval, p.pause)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-p.quit:
		return false
	case <-timer.C:
		return true
	}
}

func (p *painter) complain(ctx context.Context, about string, err error) {
	if ctx.Err() != nil {
		return
	}
	p.w.log.LogAttrs(ctx, slog.LevelWarn, "trouble with a draft", slog.String("about", about), slog.Int64("job_id", p.w.row.JobID), slog.String("bot", p.w.to.Bot), slog.Any("error", err))
}
