//go:build sqlite_vtable

package embedded

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestLikeIsSQLites compares our LIKE with SQLite's own: SQLite does not test again what the table has matched.
func TestLikeIsSQLites(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	letters := []string{"a", "A", "b", "/", ".", "%", "_", "ü", "Ü", "\u212a", "k", "日", "\xff", "\xfe", "\xc3", "\x80", "\ufffd", "'"}
	draw := func(t *rapid.T, name string) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 8).Draw(t, name), "")
	}
	rapid.Check(t, func(t *rapid.T) {
		pattern, text := draw(t, "pattern"), draw(t, "text")
		if rapid.Bool().Draw(t, "near") { // a pattern that nearly says the text
			pattern = strings.NewReplacer("a", rapid.SampledFrom([]string{"A", "_", "%", "a%"}).Draw(t, "a"), "ü", "_", "b", "%").Replace(text)
		}
		literal := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
		res, err := e.Query(context.Background(), "SELECT "+literal(text)+" LIKE "+literal(pattern)+" AS v")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := matchesLike(pattern, text), res.Rows[0]["v"] == "1"; got != want {
			t.Fatalf("%q LIKE %q: %t, SQLite says %t", text, pattern, got, want)
		}
		// What a name must match in one level is never more than what LIKE says, in the same case.
		if !strings.Contains(pattern, "_") && utf8.ValidString(pattern+text) && wildcard(pattern, text) && !matchesLike(pattern, text) {
			t.Fatalf("wildcard(%q, %q) matches what LIKE does not", pattern, text)
		}
	})
}
