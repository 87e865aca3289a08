package bridge

import (
	"fmt"
	"log/slog"
)

const hidden = "•••"

// Secret is a password, key or token. However it is printed, logged or encoded
// it shows as dots; only Reveal gives it away, so every use can be found. The
// zero Secret is empty.
type Secret struct{ value *string } // a pointer: fmt cannot follow it inside unexported fields

// NewSecret wraps a value.
func NewSecret(value string) Secret { return Secret{&value} }

// Reveal returns the value itself. Use it only where it leaves for its owner.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty says that there is no value.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal says that two secrets hold the same value.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, and so covers JSON, XML and YAML.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
