package app_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"switchboard/internal/bridge"
)

// fate says whether anything was lost or doubled, by what stands on the screens: the
// program's own word counts only for what they cannot show.
type fate struct {
	questions []string // those that were accepted
	shown     []string // everything of the bot's
	kept      bool     // the program still has what is not shown
	gone      bool     // there is nobody left to read it, as the admin is told
	uncertain bool     // the program notes that nobody knows how often it was shown
}

// told are beginnings of what people read in place of an answer, or after half of
// one.
func told() []string {
	return []string{"Sorry, ", "⚠️ ", "(I could not look at "}
}

// String is the word for it in the matrix.
func (f fate) String() string {
	begun, ended, excused := map[string]int{}, 0, 0
	for _, text := range f.shown {
		for _, q := range f.questions {
			begun[q] += strings.Count(text, firstHalf+q)
		}
		ended += strings.Count(text, strings.TrimSpace(secondHalf))
		for _, words := range told() {
			excused += strings.Count(text, words)
		}
	}
	total, missing, twice := 0, 0, 0
	for _, q := range f.questions {
		total += begun[q]
		if begun[q] == 0 {
			missing++
		}
		if begun[q] > 1 {
			twice++
		}
	}
	switch {
	case twice > 0 && !f.uncertain:
		return fmt.Sprintf("DOUBLED: %d of %d questions are answered twice", twice, len(f.questions))
	case twice > 0:
		return "shown twice, and the log says that nobody knows"
	case missing > excused && f.kept:
		return "no: it is kept until it can be shown"
	case missing > excused && f.gone:
		return "no: there is nobody left to read it"
	case missing > excused:
		return fmt.Sprintf("LOST: %d of %d questions are not answered", missing-excused, len(f.questions))
	case total > ended+excused:
		return "LOST: the end of an answer"
	case excused > 0 && total > ended:
		return "no: the person was told that it is half an answer"
	case missing > 0:
		return "no: the person was told and may ask again"
	case f.uncertain:
		return "no, but it might be: the log says that nobody knows"
	default:
		return "no"
	}
}

// fate is that of a platform's questions, all of them so far, and of the file of
// this cell: no answer names it, and who was told is not told again.
func (s *stage) fate(p bridge.Platform, x bridge.Exchange) fate {
	f := fate{kept: s.cell.waits && !x.Job.State.Final(), gone: x.Job.State == bridge.JobDiscarded && s.cell.gone, uncertain: x.Reply.Uncertain > 0}
	screens := map[string]bool{}
	for n, id := range s.said[p] {
		trace, known := s.sim.Trace(id)
		if !known || trace.Accepted == 0 || strings.HasPrefix(trace.Text, "/") || trace.Text == "" && n < s.before[p] {
			continue
		}
		f.questions = append(f.questions, cmp.Or(trace.Text, "a file"))
		if !screens[trace.Employee] {
			screens[trace.Employee] = true
			for _, b := range s.sim.Bubbles(trace.Employee) {
				if b.FromBot && b.Platform == p {
					f.shown = append(f.shown, b.Text)
				}
			}
		}
	}
	return f
}

// TestFate: the matrix sees it when something is lost or doubled.
func TestFate(t *testing.T) {
	t.Parallel()
	a, b := firstHalf+"a"+secondHalf, firstHalf+"b"+secondHalf
	one, two := []string{"a"}, []string{"a", "b"}
	for _, c := range []struct {
		fate
		want string
	}{
		{fate{questions: two, shown: []string{a, b}}, "no"},
		{fate{questions: two, shown: []string{a + b}}, "no"},
		{fate{questions: one, shown: []string{firstHalf + "a", "\nmore" + secondHalf}}, "no"},
		{fate{questions: two, shown: []string{a}}, "LOST: 1 of 2 questions are not answered"},
		{fate{questions: two, shown: []string{a, a}}, "DOUBLED: 1 of 2 questions are answered twice"},
		{fate{questions: two, shown: []string{a, b, b}}, "DOUBLED: 1 of 2 questions are answered twice"},
		{fate{questions: one, shown: []string{a + a}}, "DOUBLED: 1 of 1 questions are answered twice"},
		{fate{questions: one, shown: []string{a, a}, kept: true, gone: true}, "DOUBLED: 1 of 1 questions are answered twice"},
		{fate{questions: one}, "LOST: 1 of 1 questions are not answered"},
		{fate{questions: one, kept: true}, "no: it is kept until it can be shown"},
		{fate{questions: one, gone: true}, "no: there is nobody left to read it"},
		{fate{questions: one, uncertain: true}, "LOST: 1 of 1 questions are not answered"},
		{fate{questions: one, shown: []string{firstHalf + "a"}}, "LOST: the end of an answer"},
		{fate{questions: one, shown: []string{firstHalf + "a ⚠️ interrupted"}}, "no: the person was told that it is half an answer"},
		{fate{questions: one, shown: []string{"Sorry, no."}}, "no: the person was told and may ask again"},
		{fate{questions: two, shown: []string{"Sorry, no."}}, "LOST: 1 of 2 questions are not answered"},
		{fate{questions: one, shown: []string{"Sorry, no.", a}}, "no"},
		{fate{questions: one, shown: []string{a, a}, uncertain: true}, "shown twice, and the log says that nobody knows"},
		{fate{questions: one, shown: []string{a}, uncertain: true}, "no, but it might be: the log says that nobody knows"},
	} {
		if got := c.String(); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
