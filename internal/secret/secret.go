// Package secret holds credentials so that they can not be printed by accident, and the references (env:NAME, file:/path)
// by which files and flags name them.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted is what every way of printing a secret gives.
const Redacted = "<redacted>"

// String is a credential that never prints: fmt, JSON, text and slog all give Redacted. Only Reveal gives the value. The
// zero String is no credential.
type String struct {
	// A pointer, since fmt reads unexported fields of other structs by reflection and never calls their methods: it then
	// shows an address.
	value *string
}

// New wraps a credential.
func New(value string) String { return String{value: &value} }

// Reveal gives the credential itself, "" for the zero String. Pass it on to the one call that needs it, nowhere else.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether there is no credential.
func (s String) IsZero() bool { return s.Reveal() == "" }

// String gives Redacted.
func (String) String() string { return Redacted }

// GoString gives Redacted.
func (String) GoString() string { return Redacted }

// Format writes Redacted for every verb.
func (String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Redacted) }

// MarshalJSON gives Redacted as a JSON string.
func (String) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// MarshalText gives Redacted.
func (String) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalBinary gives Redacted.
func (String) MarshalBinary() ([]byte, error) { return []byte(Redacted), nil }

// LogValue gives Redacted.
func (String) LogValue() slog.Value { return slog.StringValue(Redacted) }
