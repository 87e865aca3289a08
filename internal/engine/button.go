package engine

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"switchboard/internal/bridge"
	"switchboard/internal/reply"
	"switchboard/internal/router"
)

// longestLabel is how many characters of a question are put on a button; a longer
// one is easier to read in a list.
const longestLabel = 60

// button does something about the answer of a job.
func button(job int64, do, text string) bridge.Button {
	return bridge.Button{Text: text, Value: map[string]string{bridge.ValueDo: do, bridge.ValueJob: strconv.FormatInt(job, 10)}}
}

// pick picks one of several things about the answer of a job.
func pick(job int64, do string, n int, text string) bridge.Button {
	b := button(job, do, text)
	b.Value[bridge.ValueNumber], b.Value[bridge.ValueText] = strconv.Itoa(n), text
	return b
}

// offer puts buttons below the answer if there is room for all of them. What
// comes first is what matters most.
func (t *trip) offer(buttons ...bridge.Button) bool {
	if !t.limits.Buttons || t.offered+len(buttons) > t.limits.MaxButtons {
		return false
	}
	t.offered += len(buttons)
	t.out.Offer(buttons...)
	return true
}

// propose puts questions one may ask next below a text: on buttons, or in a list.
func (t *trip) propose(text string, questions []string) string {
	questions = questions[:min(len(questions), maxSuggestions)]
	var buttons []bridge.Button
	for n, q := range questions {
		q = strings.Join(strings.Fields(q), " ")
		if m := (bridge.Message{Text: q}); q == "" || utf8.RuneCountInString(q) > longestLabel || t.router.Command(m) != router.CommandNone {
			return strings.TrimSpace(text + suggestions(t.route.Language, text, questions))
		}
		buttons = append(buttons, pick(t.job.ID, bridge.DoAsk, n+1, q))
	}
	if strings.TrimSpace(text) == "" || !t.offer(buttons...) {
		return strings.TrimSpace(text + suggestions(t.route.Language, text, questions))
	}
	return text
}

// offerMore offers what can be done about a complete answer: say what one thinks
// of it, or ask for another. Where it would be a message of its own below every
// answer, it is left to be typed.
func (t *trip) offerMore(h *hearing) {
	_, hears := t.agent().(bridge.Feedbacker)
	if h.silent() || h.end.Stopped || t.limits.ButtonsApart {
		return
	}
	if hears && !t.limits.Ratings && t.out.Row().Run != (bridge.Run{}) {
		t.offer(thumbs(t.job.ID, bridge.RatingNone)...)
	}
	if t.decision == nil {
		t.offer(button(t.job.ID, bridge.DoAgain, t.say("reply.button.again")))
	}
}

// offerRetry offers to ask again what was not answered, unless that would be a
// message of its own.
func (t *trip) offerRetry() {
	if t.decision == nil && !t.limits.ButtonsApart {
		t.offer(button(t.job.ID, bridge.DoRetry, t.say("reply.button.retry")))
	}
}

// stopButton is what stands on the button below an answer that grows, "" where
// there is none.
func (t *trip) stopButton() string {
	if _, stops := t.agent().(bridge.Stopper); !stops || !t.limits.Buttons {
		return ""
	}
	return t.say("reply.button.stop")
}

// thumbs say what one thinks of an answer. The one that was chosen is marked, and
// takes it back.
func thumbs(job int64, chosen bridge.Rating) []bridge.Button {
	good, bad := button(job, bridge.DoGood, "👍"), button(job, bridge.DoBad, "👎")
	for rating, b := range map[bridge.Rating]*bridge.Button{bridge.RatingGood: &good, bridge.RatingBad: &bad} {
		if rating == chosen {
			b.Text, b.Style, b.Value[bridge.ValueDo] = b.Text+" ✓", bridge.ButtonPrimary, bridge.DoUnrate
		}
	}
	return []bridge.Button{good, bad}
}

// marked returns the buttons of an answer after it was rated; false when they say
// nothing about that.
func marked(row bridge.Reply, chosen bridge.Rating) ([]bridge.Button, bool) {
	rates := func(b bridge.Button) bool {
		return slices.Contains([]string{bridge.DoGood, bridge.DoBad, bridge.DoUnrate}, b.Value[bridge.ValueDo])
	}
	at := slices.IndexFunc(row.Buttons, rates)
	if at < 0 {
		return nil, false
	}
	rest := slices.DeleteFunc(slices.Clone(row.Buttons), rates)
	return slices.Insert(rest, at, thumbs(row.JobID, chosen)...), true
}

// mark shows below an answer what was thought of it, and reports whether that can
// be seen.
func (e *Engine) mark(ctx context.Context, bot string, row bridge.Reply, chosen bridge.Rating) (bool, error) {
	buttons, ok := marked(row, chosen)
	if !ok {
		return false, nil
	}
	row.Buttons = buttons
	return e.redraw(ctx, bot, row)
}

// redraw keeps the buttons of an answer that was delivered and shows them, where
// that is possible.
func (e *Engine) redraw(ctx context.Context, id string, row bridge.Reply) (bool, error) {
	if err := e.store.SaveReply(ctx, row); err != nil {
		return false, err
	}
	bot, limits, ok := e.bots(id)
	if !ok {
		return false, nil
	}
	err := reply.Redraw(ctx, bot, limits, row)
	if err != nil && bridge.KindOf(err) != bridge.KindUnsupported {
		e.log.LogAttrs(ctx, slog.LevelInfo, "an answer was not shown again", slog.Int64("job_id", row.JobID), slog.Any("error", err))
	}
	return err == nil, ctx.Err()
}
