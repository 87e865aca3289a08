package engine

import (
	"context"
	"math"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/quota"
)

// overLimit counts a question that was not begun before, and keeps the refusal
// if there is one. It reports true when not even a word is to be said.
func (t *trip) overLimit(resumed bool) bool {
	if t.opt.Limits == nil || resumed {
		return false
	}
	r, over := t.opt.Limits.Take(t.route.Person, t.route.Role, t.route.Agent)
	if !over {
		return false
	}
	t.over = &r
	t.note(bridge.EntryIgnored, 0, bridge.KindQuota, "over the limit: "+string(r.Which))
	return r.Silent
}

// tellLimit says in one sentence which limit is reached and when it is over.
func (t *trip) tellLimit(ctx context.Context) error {
	if err := t.audit(ctx, bridge.AuditRefused, "limit "+string(t.over.Which)); err != nil {
		return err
	}
	if t.over.Which == quota.Minute {
		seconds := math.Ceil(time.Until(t.over.Until).Seconds())
		return t.tell(ctx, "reply.limit.minute", "seconds", max(1, int(seconds)))
	}
	return t.tell(ctx, "reply.limit."+string(t.over.Which), "limit", t.over.Limit, "time", t.over.Until.Format("15:04"))
}

// spend counts the tokens of the answer.
func (t *trip) spend(tokens int) {
	if t.opt.Limits != nil {
		t.opt.Limits.Spend(t.route.Person, t.route.Agent, tokens)
	}
}
