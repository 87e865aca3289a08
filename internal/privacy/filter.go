package privacy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"switchboard/internal/bridge"
)

// MaxDelay is how many characters of a growing text are held back at most.
// Ordinarily it is the word or number being written.
const MaxDelay = 256

// Rule names what was found: one of the built-in rules, or the name of a rule of
// the admin's. The words for people are in the catalogue under
// "privacy.rule.<rule>".
type Rule string

// The built-in rules.
const (
	Password   Rule = "password" // also keys and tokens
	Email      Rule = "email"
	ResidentID Rule = "resident_id"
	Mobile     Rule = "mobile"
	BankCard   Rule = "bank_card"
	Passport   Rule = "passport"
	Plate      Rule = "licence_plate"
)

// BuiltIn lists the built-in rules in the order in which they are asked.
func BuiltIn() []Rule {
	return []Rule{Password, Email, ResidentID, Mobile, BankCard, Passport, Plate}
}

// Rules say what a Filter looks for. The zero value is every built-in rule.
type Rules struct {
	// Off names built-in rules that are not used.
	Off []Rule
	// Custom are the admin's own rules, the most important one first.
	Custom []bridge.MaskRule
}

// Filter masks text. It never changes, and any number of goroutines may use it.
type Filter struct {
	off    map[Rule]bool
	custom []custom
}

// New makes a filter. What is wrong with a rule is a *bridge.Error whose words
// are in the catalogue.
func New(rules Rules) (*Filter, error) {
	f := &Filter{off: map[Rule]bool{}}
	for _, rule := range rules.Off {
		if !slices.Contains(BuiltIn(), rule) {
			return nil, invalid("unknown", string(rule), "")
		}
		f.off[rule] = true
	}
	if len(rules.Custom) > maxRules {
		return nil, invalid("many", "", "")
	}
	seen := map[string]bool{}
	for _, r := range rules.Custom {
		c, err := compile(r)
		if err != nil {
			return nil, err
		}
		if seen[r.Name] {
			return nil, invalid("twice", r.Name, "")
		}
		seen[r.Name] = true
		f.custom = append(f.custom, c)
	}
	return f, nil
}

// Mask hides every value in a text and says how many of each kind there were.
func (f *Filter) Mask(text string) (string, Findings) {
	s := f.scanner()
	s.advance(text, true)
	return s.out.String(), s.findings()
}

// Span is one value in a text, in bytes, and what is shown in its place.
type Span struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Rule  Rule   `json:"rule"`
	Shown string `json:"shown"`
}

// Preview says what rules would hide in a sample, for trying them out.
func Preview(rules Rules, sample string) ([]Span, error) {
	f, err := New(rules)
	if err != nil {
		return nil, err
	}
	return f.spans(sample), nil
}

func (f *Filter) scanner() *scanner { return newScanner(f, (*scanner).at) }

func (f *Filter) spans(text string) []Span {
	s := f.scanner()
	s.advance(text, true)
	return s.spans
}

// Findings count what was hidden, by rule. They hold no content.
type Findings map[Rule]int

// Add counts the findings of another text too.
func (f Findings) Add(more Findings) {
	for rule, n := range more {
		f[rule] += n
	}
}

// Total is the number of values.
func (f Findings) Total() int {
	total := 0
	for _, n := range f {
		total += n
	}
	return total
}

// String lists the counts for an audit entry, for example "email 1, mobile 2".
func (f Findings) String() string {
	parts := make([]string, 0, len(f))
	for _, rule := range slices.Sorted(maps.Keys(f)) {
		parts = append(parts, fmt.Sprintf("%s %d", rule, f[rule]))
	}
	return strings.Join(parts, ", ")
}
