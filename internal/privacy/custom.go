package privacy

import (
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"switchboard/internal/bridge"
)

// The bounds of the admin's rules. They keep the work per character, and what a
// growing text is held back by, small whatever the rules are.
const (
	maxRules   = 50
	maxName    = 40   // characters
	maxPattern = 500  // bytes
	maxProgram = 2000 // instructions
	maxMatch   = 64   // characters of one value
	maxKept    = 20   // characters that a mask leaves
)

// custom is a rule of the admin's, ready to run.
type custom struct {
	rule        Rule
	prog        *syntax.Prog
	starts      []*syntax.Inst // what the first character may be
	first, last int            // kept; -1 shows the name
}

// compile checks a rule and prepares it.
func compile(r bridge.MaskRule) (custom, error) {
	name := strings.TrimSpace(r.Name)
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxName || strings.ContainsAny(name, "\n\r,"):
		return custom{}, invalid("name", r.Name, "")
	case isBuiltIn(name):
		return custom{}, invalid("twice", name, "")
	case len(r.Pattern) > maxPattern:
		return custom{}, invalid("long", name, "")
	}
	if _, err := regexp.Compile(r.Pattern); err != nil {
		return custom{}, invalid("pattern", name, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	tree, err := syntax.Parse(r.Pattern, syntax.Perl)
	if err != nil {
		return custom{}, invalid("pattern", name, err.Error())
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxProgram {
		return custom{}, invalid("long", name, "")
	}
	c := custom{rule: Rule(name), prog: prog}
	if c.first, c.last, err = parseMask(r.Mask); err != nil {
		return custom{}, invalid("mask", name, r.Mask)
	}
	if c.starts = starts(prog); c.starts == nil {
		return custom{}, invalid("empty", name, "")
	}
	return c, nil
}

func isBuiltIn(name string) bool {
	for _, rule := range BuiltIn() {
		if string(rule) == name {
			return true
		}
	}
	return false
}

// invalid is an error about a rule; its words are under "error.privacy.<code>".
func invalid(code, rule, detail string) error {
	return &bridge.Error{
		Kind: bridge.KindInvalid, Op: "privacy: rule", Code: code, Detail: detail,
		Args: map[string]string{"rule": rule, "rules": strconv.Itoa(maxRules), "characters": strconv.Itoa(maxPattern)},
	}
}

// parseMask reads "full", "label" or "3+4".
func parseMask(text string) (first, last int, err error) {
	switch text {
	case "", "full":
		return 0, 0, nil
	case "label":
		return -1, 0, nil
	}
	head, tail, _ := strings.Cut(text, "+")
	if first, err = strconv.Atoi(head); err != nil || first < 0 || first > maxKept {
		return 0, 0, strconv.ErrRange
	}
	if last, err = strconv.Atoi(tail); err != nil || last < 0 || last > maxKept {
		return 0, 0, strconv.ErrRange
	}
	return first, last, nil
}

// shown is what stands for a value of this rule.
func (c custom) shown(value string) string {
	if c.first < 0 {
		return "〔" + string(c.rule) + "〕"
	}
	return keep(value, c.first, c.last)
}

// admins asks the admin's rules about a cell.
func (s *scanner) admins(k int) move {
	for _, c := range s.f.custom {
		end, known := s.vm.match(s, c, k)
		if !known {
			return move{verdict: wait}
		}
		if end < 0 {
			continue
		}
		m := s.overlapping(k, end)
		if m.verdict == wait {
			return m
		}
		if m.verdict == miss {
			m = move{verdict: hit, end: end, text: c.shown(s.raw(k, end))}
		}
		m.rule = c.rule
		return m
	}
	return move{}
}

// overlapping looks for a built-in value that begins inside a value of the
// admin's and reaches beyond it: then both are hidden as one.
func (s *scanner) overlapping(k, end int) move {
	for j := k + 1; j < end; j++ {
		m := s.builtIn(j)
		if m.verdict == wait {
			return m
		}
		if m.verdict == hit && (m.end > end || m.gulp.kind != gulpNone) {
			m.end = max(m.end, end)
			m.text = keep(s.raw(k, min(m.end, k+maxMatch)), 0, 0)
			return m
		}
		if m.verdict == hit {
			return move{verdict: hit, end: end, text: keep(s.raw(k, end), 0, 0)}
		}
	}
	return move{}
}

// machine runs a rule from one cell on, as the regexp package does but one
// character at a time, so that it can say that it would need more text. Its
// lists are kept between runs.
type machine struct {
	now, then []uint32
	seen      []uint32 // the generation that an instruction was added in
	gen       uint32
}

// match returns where a value of a rule ends that begins at a cell, or -1. Of
// several it is the one that the regexp package would find.
func (m *machine) match(s *scanner, c custom, k int) (end int, known bool) {
	if !starting(c.starts, s.cells[k]) {
		return -1, true
	}
	if len(m.seen) < len(c.prog.Inst) {
		m.seen = make([]uint32, len(c.prog.Inst))
	}
	end = -1
	m.then = append(m.then[:0], uint32(c.prog.Start)) //nolint:gosec // at most maxProgram
	for j := k; len(m.then) > 0; j++ {
		next, ok := s.next(j)
		if !ok {
			return -1, false
		}
		m.now = m.now[:0]
		m.gen++
		flags := syntax.EmptyOpContext(s.back(j, 1), next)
		for _, pc := range m.then {
			m.add(c.prog, pc, flags)
		}
		if m.step(s, c.prog, j) {
			end = j
		}
		if j-k >= maxMatch {
			return end, true
		}
	}
	return end, true
}

// add follows what needs no character and lists what does, the preferred first.
func (m *machine) add(prog *syntax.Prog, pc uint32, flags syntax.EmptyOp) {
	if m.seen[pc] == m.gen {
		return
	}
	m.seen[pc] = m.gen
	switch in := &prog.Inst[pc]; in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		m.add(prog, in.Out, flags)
		m.add(prog, in.Arg, flags)
	case syntax.InstCapture, syntax.InstNop:
		m.add(prog, in.Out, flags)
	case syntax.InstEmptyWidth:
		if in.Arg&^uint32(flags) == 0 {
			m.add(prog, in.Out, flags)
		}
	case syntax.InstMatch, syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		m.now = append(m.now, pc)
	case syntax.InstFail:
	}
}

// step takes one character and says whether a value ends before it, which makes
// the less preferred ways to go on pointless.
func (m *machine) step(s *scanner, prog *syntax.Prog, j int) (found bool) {
	m.then = m.then[:0]
	for _, pc := range m.now {
		in := &prog.Inst[pc]
		if in.Op == syntax.InstMatch {
			return true
		}
		if j < len(s.cells) && takes(in, s.cells[j]) {
			m.then = append(m.then, in.Out)
		}
	}
	return false
}

// takes lets a character match in either width, but never a mark: what is
// masked is done with.
func takes(in *syntax.Inst, c cell) bool {
	return c.raw != mark && (in.MatchRune(c.raw) || c.r != c.raw && in.MatchRune(c.r))
}

// starts lists what a match can begin with, or nil if it can be empty.
func starts(prog *syntax.Prog) []*syntax.Inst {
	m := machine{seen: make([]uint32, len(prog.Inst)), gen: 1}
	every := syntax.EmptyBeginLine | syntax.EmptyEndLine | syntax.EmptyBeginText | syntax.EmptyEndText | syntax.EmptyWordBoundary | syntax.EmptyNoWordBoundary
	m.add(prog, uint32(prog.Start), every) //nolint:gosec // at most maxProgram
	var all []*syntax.Inst
	for _, pc := range m.now {
		if prog.Inst[pc].Op == syntax.InstMatch {
			return nil
		}
		all = append(all, &prog.Inst[pc])
	}
	return all
}

func starting(starts []*syntax.Inst, c cell) bool {
	for _, in := range starts {
		if takes(in, c) {
			return true
		}
	}
	return false
}
