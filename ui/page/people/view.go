package people

import (
	"slices"
	"strings"
	"time"

	"switchboard/internal/bridge"
	"switchboard/internal/i18n"
	"switchboard/ui/live"
	"switchboard/ui/widget"
)

// item is a row of the list in words.
type item struct {
	id, name, below, when string
	platforms             []bridge.Platform
	tone                  widget.Tone // only of those who need attention
	marked                bool
	row                   bridge.PersonRow
}

func describeRow(w live.Words, now time.Time, r bridge.PersonRow) item {
	i := item{id: r.Person.ID, name: nameOf(w, r), below: roleWords(w, r.Person.Role), when: w.Ago(r.LastSeen, now), row: r}
	for _, who := range r.Identities {
		if !slices.Contains(i.platforms, who.Platform) {
			i.platforms = append(i.platforms, who.Platform)
		}
	}
	switch {
	case !r.WaitsSince.IsZero():
		i.below, i.tone, i.marked = w.T("people.waits"), widget.ToneAttention, true
	case r.Person.Role == bridge.RoleBlocked:
		i.tone, i.marked = widget.ToneError, true
	}
	return i
}

// nameOf is what a person is called: their id on a platform where no name is known.
func nameOf(w live.Words, r bridge.PersonRow) string {
	if name := strings.Join(strings.Fields(r.Person.Name), " "); name != "" {
		return name
	}
	if len(r.Identities) > 0 && r.Identities[0].User != "" {
		return string(r.Identities[0].User)
	}
	return w.T("talks.unnamed")
}

func roleWords(w live.Words, r bridge.Role) string {
	if words, ok := i18n.Find(w.Lang, "ui.people.role."+string(r)); ok {
		return words
	}
	return string(r)
}

// outcome is what becomes of two people who become one, in sentences: somebody about
// whom nobody has decided takes over what was decided about the other.
func outcome(w live.Words, from, into bridge.PersonRow) []string {
	role := into.Person.Role
	if role == bridge.RoleNew {
		role = from.Person.Role
	}
	args := []any{"from", nameOf(w, from), "into", nameOf(w, into), "role", roleWords(w, role)}
	all := []string{w.T("people.merge.preview", args...)}
	switch {
	case from.WaitsSince.IsZero() && into.WaitsSince.IsZero():
	case role == bridge.RoleNew:
		all = append(all, w.T("people.merge.waits"))
	case role == bridge.RoleBlocked:
		all = append(all, w.T("people.merge.blocks"))
	default:
		all = append(all, w.T("people.merge.admits", args...))
	}
	return all
}

// roles are the ones to choose from.
func roles() []bridge.Role {
	return []bridge.Role{bridge.RoleAdmin, bridge.RoleMember, bridge.RoleGuest, bridge.RoleBlocked}
}

// line is an entry of the history in words.
type line struct {
	id       int64
	when     string
	what     string
	undoable bool
}

func describeAudit(w live.Words, now time.Time, a bridge.Audit) line {
	l := line{id: a.ID, when: a.At.In(now.Location()).Format("2006-01-02 15:04"), undoable: a.Undoable}
	parts := []string{i18n.Text(w.Lang, "audit."+string(a.Kind))}
	if before, after, ok := strings.Cut(a.Note, " to "); ok && a.Kind == bridge.AuditRole {
		parts[0] += w.T("list.colon") + roleWords(w, bridge.Role(before)) + " → " + roleWords(w, bridge.Role(after))
	}
	if by := w.By(a.By); by != "" {
		parts = append(parts, by)
	}
	l.what = strings.Join(parts, w.T("list.dot"))
	return l
}

// describeDecision is what was decided about two people, and by whom.
func describeDecision(w live.Words, now time.Time, d bridge.Decision) line {
	l := line{
		id: d.Audit.ID, undoable: d.Audit.Undoable, what: w.T("people.decided."+string(d.Audit.Kind), "one", d.Names[0], "other", d.Names[1]),
		when: d.Audit.At.In(now.Location()).Format("2006-01-02 15:04"),
	}
	if by := w.By(d.Audit.By); by != "" {
		l.when += w.T("list.dot") + by
	}
	return l
}

// contacts are lines of what a directory says of an account.
func contacts(w live.Words, p bridge.Profile) []string {
	var lines []string
	work := p.Department
	if work != "" && p.Mobile != "" {
		work += w.T("list.dot")
	}
	for _, line := range []string{p.Email, work + p.Mobile} {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
