package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"switchboard/internal/bridge"
)

// errNoBot: the bot of a message is not open, because its settings broke or it
// was removed since.
var errNoBot = errors.New("engine: the bot is not open")

// againError asks for another attempt at the agent, after a pause.
type againError struct {
	after time.Duration
	err   error
}

func (a *againError) Error() string { return a.err.Error() }
func (a *againError) Unwrap() error { return a.err }

// silentError ends a trip without a word: a human answers here, or the person was
// told a moment ago why there is no answer.
type silentError struct{ why bridge.Kind }

func (*silentError) Error() string { return "engine: there is nothing to say" }

const (
	// maxAttempts is how often a message is tried before it is given up, and
	// longTrouble how old it has to be by then: restarts in quick succession use
	// up attempts, and are no reason to give up. With the pauses of delay the
	// attempts last for the better part of an hour of a platform being away.
	maxAttempts = 12
	longTrouble = 30 * time.Minute
	// maxFailures is how often the agent may fail before its first text.
	maxFailures = 3
)

// verdict turns the outcome of an attempt into a settlement.
func (t *trip) verdict(ctx context.Context, err error) bridge.Settlement {
	var again *againError
	var silent *silentError
	kind := bridge.KindOf(err)
	switch {
	case err == nil:
		return t.finished()
	case errors.As(err, &again):
		return retry(again.after, kind)
	case errors.Is(err, errNoBot):
		if t.worn() {
			return bridge.Settlement{State: bridge.JobDiscarded, Error: bridge.KindUnavailable}
		}
		return retry(time.Minute, bridge.KindUnavailable)
	case errors.As(err, &silent):
		return bridge.Settlement{State: bridge.JobCancelled, Error: silent.why}
	}
	t.log.LogAttrs(ctx, slog.LevelWarn, "an attempt failed", slog.Int64("job_id", t.job.ID), slog.Int("attempt", t.job.Attempt),
		slog.String("bot", t.job.Message.Bot), slog.Any("error", err))
	if hopeless(kind) || t.worn() {
		return bridge.Settlement{State: bridge.JobDiscarded, Error: kind}
	}
	return retry(max(t.delay(), bridge.RetryAfter(err)), kind)
}

// finished settles a job whose person has read something final.
func (t *trip) finished() bridge.Settlement {
	if t.out == nil {
		return bridge.Settlement{State: bridge.JobCompleted}
	}
	if why := t.out.Row().Error; why != "" {
		return bridge.Settlement{State: bridge.JobDiscarded, Error: why}
	}
	return bridge.Settlement{State: bridge.JobCompleted}
}

// hopeless says that no later attempt of ours can deliver. A refused secret or
// a missing permission is not among them: the admin may repair it meanwhile.
func hopeless(kind bridge.Kind) bool {
	switch kind { //nolint:exhaustive // all others may be repaired or pass
	case bridge.KindNotFound, bridge.KindInvalid, bridge.KindUnsupported, bridge.KindBlocked, bridge.KindExpired:
		return true
	default:
		return false
	}
}

// delay is the pause before an attempt at a platform that did not take the
// answer: 2, 2, 4, 8 … s, at most ten minutes, and not longer than the message
// has been here, because attempts that restarts cut short say nothing about the
// platform.
func (t *trip) delay() time.Duration {
	pause := min(t.opt.RetryPause/2<<min(t.job.Attempt, 10), 10*time.Minute)
	return min(pause, max(t.opt.RetryPause, t.age()))
}

// worn says that a message was tried for long enough.
func (t *trip) worn() bool { return t.job.Attempt >= maxAttempts && t.age() >= longTrouble }

// age is how long a message has been here.
func (t *trip) age() time.Duration { return time.Since(t.job.AcceptedAt) }

func retry(after time.Duration, kind bridge.Kind) bridge.Settlement {
	return bridge.Settlement{State: bridge.JobRetryable, DueAt: time.Now().Add(after), Error: kind}
}

// park puts a job back at once, for the next run of the program.
func park() bridge.Settlement {
	return bridge.Settlement{State: bridge.JobRetryable, DueAt: time.Now(), Error: bridge.KindCanceled}
}
