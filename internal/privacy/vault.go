package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
)

// maxValues is how many values one session keeps. What comes after that is
// masked towards the agent, and cannot be restored.
const maxValues = 1000

// Vault keeps the values of one session that an agent has seen placeholders of.
// However it is printed, logged or encoded it shows only how many there are;
// Export alone gives them away, to the store. It belongs to one goroutine at a
// time.
type Vault struct{ values *[]kept } // a pointer: fmt cannot follow it inside unexported fields

// kept is one value.
type kept struct {
	Kind  string `json:"kind"`
	N     int    `json:"n"`
	Value string `json:"value"`
	Shown string `json:"shown"` // masked
	Owner string `json:"owner,omitempty"`
}

// NewVault makes an empty vault.
func NewVault() *Vault { return &Vault{new([]kept)} }

// OpenVault reads what Export wrote; nothing is an empty vault.
func OpenVault(data []byte) (*Vault, error) {
	v := NewVault()
	if len(data) == 0 {
		return v, nil
	}
	if err := json.Unmarshal(data, v.values); err != nil {
		return nil, errors.New("privacy: open vault: not a vault") // the cause may quote a value
	}
	return v, nil
}

// Export returns the values as JSON, for the store.
func (v *Vault) Export() ([]byte, error) {
	data, err := json.Marshal(v.values)
	if err != nil {
		return nil, fmt.Errorf("privacy: export vault: %w", err)
	}
	return data, nil
}

// Len is the number of values.
func (v *Vault) Len() int { return len(*v.values) }

// Hide replaces every value in a text that somebody wrote by a placeholder. The
// same value of the same person has the same placeholder as long as the session
// lasts.
func (v *Vault) Hide(f *Filter, owner, text string) (string, Findings) {
	var b strings.Builder
	found, at := Findings{}, 0
	for _, span := range f.spans(text) {
		b.WriteString(text[at:span.Start])
		b.WriteString(v.put(span, owner, text[span.Start:span.End]))
		found[span.Rule]++
		at = span.End
	}
	b.WriteString(text[at:])
	return b.String(), found
}

// Restore puts the values into a complete answer; see Restorer.
func (v *Vault) Restore(asker, text string) string { return v.Restorer(asker).Safe(text, true) }

// Restorer begins to put the values into a growing answer for one person. The
// values of others, as in a group, are shown masked; a placeholder that was
// never given out stays as it is.
func (v *Vault) Restorer(asker string) *Stream {
	start := func() *scanner {
		return newScanner(nil, func(s *scanner, k int) move { return v.at(s, k, asker) })
	}
	return &Stream{start: start, s: start()}
}

// String implements fmt.Stringer.
func (v *Vault) String() string { return fmt.Sprintf("vault of %d values", v.Len()) }

// Format implements fmt.Formatter, for every verb.
func (v *Vault) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(v.String())) }

// LogValue implements slog.LogValuer.
func (v *Vault) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalJSON refuses: a vault inside something that is encoded would give its
// values away unseen, or lose them. Store the result of Export.
func (*Vault) MarshalJSON() ([]byte, error) {
	return nil, errors.New("privacy: a vault is stored with Export")
}

// put returns the placeholder of a value.
func (v *Vault) put(span Span, owner, value string) string {
	kind, same := kindOf(span.Rule), canonical(span.Rule, value)
	n := 1
	for _, k := range *v.values {
		if k.Kind != kind {
			continue
		}
		if k.Owner == owner && canonical(span.Rule, k.Value) == same {
			return ref{kind, k.N}.String()
		}
		n = k.N + 1
	}
	if v.Len() >= maxValues {
		return span.Shown
	}
	*v.values = append(*v.values, kept{kind, n, value, span.Shown, owner})
	return ref{kind, n}.String()
}

// at looks for a placeholder at a cell.
func (v *Vault) at(s *scanner, k int, asker string) move {
	switch r := s.cells[k].r; {
	case strings.ContainsRune(`\[【〔`, r):
	case isLetter(r) && !isAlnum(s.back(k, 1)) && s.back(k, 1) != '_':
	default:
		return move{}
	}
	var text [maxPlaceholder]rune
	n := 0
	for n < maxPlaceholder && k+n < len(s.cells) {
		text[n] = s.cells[k+n].r
		n++
	}
	found, end := readPlaceholder(text[:n], 0, s.final || n == maxPlaceholder)
	if end < 0 {
		return move{verdict: wait}
	}
	if end == 0 {
		return move{}
	}
	i := slices.IndexFunc(*v.values, func(k kept) bool { return k.Kind == found.kind && k.N == found.n })
	if i < 0 {
		return move{}
	}
	value := (*v.values)[i]
	if value.Owner != asker {
		return move{verdict: hit, end: k + end, text: value.Shown}
	}
	return move{verdict: hit, end: k + end, text: value.Value}
}

// maxPlaceholder is how long a placeholder can be as an agent writes it.
const maxPlaceholder = 32

// canonical maps the ways to write one value to one.
func canonical(rule Rule, value string) string {
	switch rule { //nolint:exhaustive // all others are written in one way
	case Mobile, ResidentID, BankCard, Plate, Passport:
		var b strings.Builder
		for _, r := range value {
			if r = upper(fold(r)); isAlnum(r) || isHan(r) {
				b.WriteRune(r)
			}
		}
		return b.String()
	case Email:
		return strings.ToLower(value)
	default:
		return value
	}
}
