package talks

import (
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// item is a row of the list in words.
type item struct {
	lane, title, preview, when, below string
	platforms                         []bridge.Platform
	tone                              widget.Tone
	state                             string
}

func describeRow(w live.Words, now time.Time, r bridge.TalkRow) item {
	tone, state := stateOf(w, now, bridge.Job{State: r.State}, bridge.Reply{State: r.ReplyState})
	i := item{lane: r.Lane, title: oneLine(r.Title), preview: oneLine(r.LastText), when: w.Ago(r.LastAt, now), platforms: r.Platforms, tone: tone, state: state}
	if i.title == "" {
		i.title = w.T("talks.unnamed")
	}
	if i.preview == "" {
		i.preview = w.T("talks.no_text")
	}
	i.below = w.T("talks.below", "agent", r.Agent, "platforms", w.Platforms(r.Platforms), "n", r.Questions)
	return i
}

// stateOf says how far the answer to a question has come.
func stateOf(w live.Words, now time.Time, j bridge.Job, r bridge.Reply) (widget.Tone, string) {
	switch {
	case j.State == bridge.JobCancelled:
		return widget.TonePaused, w.T("state.skipped")
	case j.State == bridge.JobDiscarded || r.State == bridge.ReplyFailed:
		return widget.ToneError, w.T("state.failed")
	case r.State == bridge.ReplyDelivered:
		return widget.ToneOK, w.T("state.delivered")
	case j.State == bridge.JobCompleted: // answered without a reply of the agent
		return widget.ToneOK, w.T("state.done")
	case j.State == bridge.JobRetryable:
		if !j.DueAt.IsZero() {
			return widget.ToneAttention, w.T("state.retry_at", "when", j.DueAt.In(now.Location()).Format("15:04:05"))
		}
		return widget.ToneAttention, w.T("state.retry")
	case j.State == bridge.JobAvailable && r.State == "":
		return widget.ToneWaiting, w.T("state.waiting")
	case r.State == bridge.ReplyDrafting:
		return widget.ToneBusy, w.T("state.answering")
	case r.State == bridge.ReplyAnswered:
		return widget.ToneBusy, w.T("state.delivering")
	default:
		return widget.ToneBusy, w.T("state.asking")
	}
}

// The stages of an answer, as the row of words under it shows them.
const (
	stageReceived = iota
	stageAsked
	stageAnswered
	stageDelivered
	stages
)

// stageOf is the last stage an exchange has reached, and whether it failed there.
func stageOf(e bridge.Exchange) (reached int, failed bool) {
	for _, entry := range e.Entries {
		switch entry.Kind {
		case bridge.EntryAsked:
			reached = max(reached, stageAsked)
		case bridge.EntryAnswered, bridge.EntryCommand:
			reached = max(reached, stageAnswered)
		case bridge.EntryDelivered:
			reached = max(reached, stageDelivered)
		case bridge.EntryReceived, bridge.EntryDuplicate, bridge.EntryRefused, bridge.EntryIgnored, bridge.EntryStarted,
			bridge.EntryRouted, bridge.EntryMasked, bridge.EntryAttached, bridge.EntryRated, bridge.EntryFirstText, bridge.EntryShown, bridge.EntryStopped, bridge.EntryRepeated, bridge.EntryLost,
			bridge.EntryRetry, bridge.EntryApology, bridge.EntryStale, bridge.EntryDiscarded, bridge.EntryRescued, bridge.EntryWoke,
			bridge.EntrySent, bridge.EntryTakenBack:
		}
	}
	switch e.Reply.State {
	case bridge.ReplyDelivered:
		reached = stageDelivered
	case bridge.ReplyAnswered:
		reached = max(reached, stageAnswered)
	case bridge.ReplyDrafting:
		reached = max(reached, stageAsked)
	case bridge.ReplyPlanned, bridge.ReplyFailed:
	}
	return reached, e.Job.State == bridge.JobDiscarded || e.Reply.State == bridge.ReplyFailed
}

// card is an exchange in words.
type card struct {
	id                     int64
	message                string // the platform's id of it
	who, when, question    string
	platform               bridge.Platform
	answer                 string
	note                   string // instead of, or below, the answer
	noteTone               widget.Tone
	tone                   widget.Tone
	state                  string
	reached                int
	failed, retry, growing bool
	steps                  []step
}

// step is one line of the timeline.
type step struct {
	clock, name, note, took string
	trouble                 bool
}

func describeExchange(w live.Words, now time.Time, e bridge.Exchange) card {
	m := e.Job.Message
	c := card{id: e.Job.ID, message: string(m.ID), who: m.Sender.Name, when: w.When(e.Job.AcceptedAt, now), platform: m.Platform, question: m.Text}
	if c.who == "" {
		c.who = string(m.Sender.ID)
	}
	if c.question == "" {
		c.question = questionWithoutText(w, e.Job)
	}
	c.tone, c.state = stateOf(w, now, e.Job, e.Reply)
	c.reached, c.failed = stageOf(e)
	c.growing = !e.Job.State.Final()
	c.retry = c.failed && e.Job.State.Final()
	if e.Reply.State == bridge.ReplyDelivered {
		if took := finished(e).Sub(e.Job.AcceptedAt); took > 0 {
			c.state += " · " + w.Long(took)
		}
	}
	c.answer = e.Reply.Text
	c.note, c.noteTone = noteOf(w, e, c)
	c.steps = timeline(w, now, e)
	return c
}

func questionWithoutText(w live.Words, j bridge.Job) string {
	switch {
	case j.Action != nil:
		return w.T("talks.action." + string(j.Action.Kind))
	case len(j.Message.Files) > 0:
		return w.T("talks.files", "n", len(j.Message.Files))
	default:
		return w.T("talks.no_text")
	}
}

func noteOf(w live.Words, e bridge.Exchange, c card) (string, widget.Tone) {
	kind := e.Reply.Error
	if kind == "" {
		kind = e.Job.LastError
	}
	switch {
	case c.failed && kind != "":
		return w.Kind(kind), widget.ToneError
	case c.failed:
		return w.T("talks.failed"), widget.ToneError
	case e.Job.State == bridge.JobRetryable && kind != "":
		return w.Kind(kind), widget.ToneAttention
	case c.answer != "":
		return "", widget.TonePaused
	case e.Job.State == bridge.JobCancelled:
		return w.T("talks.skipped"), widget.TonePaused
	case c.growing:
		return w.T("talks.coming"), widget.ToneBusy
	default:
		return w.T("talks.no_text"), widget.TonePaused
	}
}

// finished is when an exchange was over, or last changed.
func finished(e bridge.Exchange) time.Time {
	if !e.Job.FinishedAt.IsZero() {
		return e.Job.FinishedAt
	}
	return e.Reply.UpdatedAt
}

func timeline(w live.Words, now time.Time, e bridge.Exchange) []step {
	steps := make([]step, 0, len(e.Entries))
	for _, entry := range e.Entries {
		s := step{clock: entry.At.In(now.Location()).Format("15:04:05.000"), name: w.Step(entry.Kind), note: entry.Note, trouble: entry.Error != ""}
		if entry.Took > 0 {
			s.took = "+" + w.Long(entry.Took)
		}
		if entry.Error != "" {
			s.note = strings.TrimSpace(w.Explanation(&bridge.Error{Kind: entry.Error}).What + " " + entry.Note)
		}
		steps = append(steps, s)
	}
	return steps
}

// asText is an exchange for the clipboard.
func (c card) asText(w live.Words) string {
	var b strings.Builder
	b.WriteString(c.who + " (" + w.Platform(c.platform) + ", " + c.when + "): " + c.question + "\n\n" + c.answer)
	if c.note != "" && c.answer == "" {
		b.WriteString(c.note)
	}
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
