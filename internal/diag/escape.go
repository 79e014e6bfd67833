package diag

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Escape makes foreign text safe for a terminal: control characters (C0, DEL, C1), bidirectional and other invisible
// format controls, line separators and bytes that are no UTF-8 become \xNN (a byte) or \u{…} (a character).
func Escape(s string) string {
	if isPlain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		b.WriteString(escapeRune(r, s[:size]))
		s = s[size:]
	}
	return b.String()
}

// escapeRune gives the safe form of one rune, whose bytes are raw.
func escapeRune(r rune, raw string) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1, r < 0x20, r == 0x7f:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case isHostile(r):
		return fmt.Sprintf(`\u{%x}`, r)
	default:
		return raw
	}
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// isHostile reports whether a character above ASCII can move, hide or reorder what a terminal shows. Joiners, which
// scripts and emoji need, are left alone.
func isHostile(r rune) bool {
	switch {
	case r < 0x80, r == 0x200c, r == 0x200d:
		return false
	case r == 0x2028, r == 0x2029:
		return true
	default:
		return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r)
	}
}
