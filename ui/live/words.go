package live

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
)

// Words is everything the window says, in one language.
type Words struct{ Lang bridge.Language }

// T returns the text of a key of the window's own area, "ui.<key>".
func (w Words) T(key string, args ...any) string { return i18n.Text(w.Lang, "ui."+key, args...) }

// Platform names a platform.
func (w Words) Platform(p bridge.Platform) string {
	if name, ok := i18n.Find(w.Lang, "platform."+string(p)); ok {
		return name
	}
	return string(p)
}

// Initial is the letter of a platform's badge.
func (w Words) Initial(p bridge.Platform) string {
	for _, r := range w.Platform(p) {
		return strings.ToUpper(string(r))
	}
	return "?"
}

// Platforms names several platforms.
func (w Words) Platforms(all []bridge.Platform) string {
	names := make([]string, 0, len(all))
	for _, p := range all {
		names = append(names, w.Platform(p))
	}
	return strings.Join(names, w.T("list.separator"))
}

// Mode names the way a bot is connected.
func (w Words) Mode(m bridge.ModeID) string {
	if name, ok := i18n.Find(w.Lang, "ui.mode."+string(m)); ok {
		return name
	}
	return string(m)
}

// Explain says in words what an error means and what to do now.
func (w Words) Explain(err error) string { return w.Explanation(err).String() }

// Explanation is Explain in its two parts.
func (w Words) Explanation(err error) i18n.Explanation {
	e := i18n.Explain(w.Lang, err)
	if strings.HasPrefix(e.What, "error.") { // a kind nobody has written words for yet
		e.What = w.T("error.unknown")
	}
	return e
}

// Kind says in words what kind of trouble it was.
func (w Words) Kind(k bridge.Kind) string { return w.Explain(&bridge.Error{Kind: k}) }

// Step says what a journal entry tells.
func (w Words) Step(k bridge.EntryKind) string { return w.T("step." + string(k)) }

// Ago says how long ago a moment was, for lists: "just now", "5 min ago",
// "14:02", "yesterday 14:02", "3 May".
func (w Words) Ago(at, now time.Time) string {
	at = at.In(now.Location())
	switch d := now.Sub(at); {
	case at.IsZero():
		return w.T("time.never")
	case d < 10*time.Second:
		return w.T("time.now")
	case d < time.Minute:
		return w.T("time.seconds", "n", int(d.Seconds()))
	case d < time.Hour:
		return w.T("time.minutes", "n", int(d.Minutes()))
	}
	return w.When(at, now)
}

// When says a moment as short as it is clear: today only the clock.
func (w Words) When(at, now time.Time) string {
	at = at.In(now.Location())
	clock := at.Format("15:04")
	switch days := midnight(now).Sub(midnight(at)); {
	case days <= 0:
		return clock
	case days < 36*time.Hour: // a day may have 25 hours
		return w.T("time.yesterday", "clock", clock)
	case at.Year() == now.Year():
		return at.Format(w.T("time.day"))
	default:
		return at.Format("2006-01-02")
	}
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

// Long says how long something took: "480 ms", "2.1 s", "1 min 5 s".
func (w Words) Long(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return w.T("time.long", "min", int(d.Minutes()), "s", int(d.Seconds())%60)
	}
}

// Grouped writes a number with its thousands set apart.
func Grouped(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// By is from where something was changed: a place with words, or a bot.
func (w Words) By(a bridge.Actor) string {
	if words, ok := i18n.Find(w.Lang, "ui.people.by."+a.Where); ok {
		return words
	}
	return a.Where
}
