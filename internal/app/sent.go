package app

import (
	"context"
	"fmt"
	"regexp"

	"switchboard/internal/bridge"
)

// earlierAtMost is how many sends of the audit are shown.
const earlierAtMost = 20

// sentNote reads what send writes into the audit: what was sent with which bot, to
// which chat where it was no person, and why that failed.
func sentNote() *regexp.Regexp {
	return regexp.MustCompile(`^(\w+) with (\S+?)(?: to (?:direct|group) (.+?))?(?:: (\w+))?$`)
}

// EarlierSends lists what was sent before the program started, and what was sent
// meanwhile from elsewhere, the latest first. A send that a crash cut short counts
// as sent: nobody knows better.
func (a *App) EarlierSends(ctx context.Context) ([]bridge.EarlierSend, error) {
	entries, err := a.store.Audits(ctx, bridge.AuditQuery{Kind: bridge.AuditSent, Limit: 4 * earlierAtMost})
	if err != nil {
		return nil, fmt.Errorf("app: earlier sends: %w", err)
	}
	var earlier []bridge.EarlierSend
	failed := map[string]bool{} // sends whose failure stands behind them
	form := sentNote()
	for _, e := range entries {
		s, sending, ok := a.earlier(ctx, form, e)
		switch {
		case !ok || e.By == atWindow() && !e.At.Before(a.since):
			continue // the window has more to say of its own
		case s.Error != "":
			failed[sending] = true
		case failed[sending]:
			delete(failed, sending)
			continue
		}
		if earlier = append(earlier, s); len(earlier) == earlierAtMost {
			break
		}
	}
	return earlier, nil
}

// earlier reads an entry; sending is the same for the entry of a send and that of
// its failure.
func (a *App) earlier(ctx context.Context, form *regexp.Regexp, e bridge.Audit) (s bridge.EarlierSend, sending string, ok bool) {
	found := form.FindStringSubmatch(e.Note)
	if found == nil {
		return s, "", false
	}
	s = bridge.EarlierSend{At: e.At, Kind: bridge.ContentKind(found[1]), Bot: found[2], To: found[3], Error: bridge.Kind(found[4]), By: e.By, Platform: a.platformOf(found[2])}
	if e.Person != "" {
		s.To = e.Person
		if p, err := a.store.Person(ctx, e.Person); err == nil {
			s.To = nameOr(p)
		}
	}
	return s, fmt.Sprint(e.Person, e.By, found[1:4]), true
}
