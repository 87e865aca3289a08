package bridge

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind classifies every trouble with a platform or an agent. It is decided once,
// at the edge, by the connector or agent that knows the codes; everybody else
// looks at the Kind alone.
type Kind string

// The kinds of error.
const (
	// KindInternal is a fault of ours, or one nobody classified.
	KindInternal Kind = "internal"
	// KindUnauthenticated: a request to us that does not prove where it is from.
	KindUnauthenticated Kind = "unauthenticated"
	// KindCredential: our id or secret was refused; trying again cannot help.
	KindCredential Kind = "credential"
	// KindForbidden: known, but not allowed: a missing scope, an untrusted IP
	// address, another app's request.
	KindForbidden Kind = "forbidden"
	// KindInvalid: a request that is wrong in itself, ours or theirs.
	KindInvalid Kind = "invalid"
	// KindIncomplete: the agent asks for something that neither the settings nor
	// the person's message say; Args["fields"] names it, and Args["by"] is "person"
	// where only who asks can add it.
	KindIncomplete Kind = "incomplete"
	// KindNotFound: the target is gone: chat dissolved, user left, card removed.
	KindNotFound Kind = "not_found"
	// KindExpired: the address or draft was good once and no longer is.
	KindExpired Kind = "expired"
	// KindConversationLost: the agent no longer knows the conversation.
	KindConversationLost Kind = "conversation_lost"
	// KindRateLimited: too much at once; see RetryAfter.
	KindRateLimited Kind = "rate_limited"
	// KindQuota: the budget of the day or month is used up.
	KindQuota Kind = "quota"
	// KindUnavailable: no connection, a time-out or a 5xx before any answer.
	KindUnavailable Kind = "unavailable"
	// KindInterrupted: an answer that stopped in the middle.
	KindInterrupted Kind = "interrupted"
	// KindAgentFailed: the agent itself reported a failure.
	KindAgentFailed Kind = "agent_failed"
	// KindTooLarge: longer or bigger than the platform takes.
	KindTooLarge Kind = "too_large"
	// KindBlocked: the platform refuses this content (sensitive words, audit).
	KindBlocked Kind = "blocked"
	// KindUnsupported: this bot or agent cannot do that.
	KindUnsupported Kind = "unsupported"
	// KindCanceled: we stopped it ourselves.
	KindCanceled Kind = "canceled"
)

// Kinds lists every kind, for catalogues and tests.
func Kinds() []Kind {
	return []Kind{
		KindInternal, KindUnauthenticated, KindCredential, KindForbidden, KindInvalid, KindIncomplete, KindNotFound, KindExpired,
		KindConversationLost, KindRateLimited, KindQuota, KindUnavailable, KindInterrupted, KindAgentFailed,
		KindTooLarge, KindBlocked, KindUnsupported, KindCanceled,
	}
}

// Retryable says that the same call may succeed later without anybody's help.
func (k Kind) Retryable() bool {
	return k == KindRateLimited || k == KindUnavailable || k == KindInterrupted
}

// Error is the error of every adapter. Its text is for the log; people read
// i18n.Explain.
type Error struct {
	Kind Kind
	// Op is where it happened, for example "feishu: send message".
	Op string
	// Code and Detail are the other side's own code and words. They are shown
	// to the admin, never to the person in the chat.
	Code, Detail string
	// RetryAfter is how long the other side asked us to wait; 0 when it did not.
	RetryAfter time.Duration
	// Uncertain says that the call may have taken effect all the same, as after
	// a time-out.
	Uncertain bool
	// Likely says of a request to us that was refused that it has the form of the
	// platform's own: one of our settings may be wrong rather than the sender.
	// Args["field"] names the setting.
	Likely bool
	// Args fill the placeholders of the words for this error, such as an IP
	// address to allow or a link to grant a scope.
	Args map[string]string
	// Err is the cause, if there is one.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Op == "" {
		b.WriteString(string(e.Kind))
	}
	if e.Code != "" {
		fmt.Fprintf(&b, ": code %s", e.Code)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of the first Error in err's chain. A canceled context
// is KindCanceled, an expired one KindUnavailable, anything else KindInternal.
// A nil error has no kind.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	case errors.Is(err, context.Canceled):
		return KindCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return KindUnavailable
	default:
		return KindInternal
	}
}

// RetryAfter returns how long err asks to wait, or 0.
func RetryAfter(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}
