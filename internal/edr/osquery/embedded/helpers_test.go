//go:build sqlite_vtable

package embedded_test

import (
	"context"
	"crypto/md5"  //nolint:gosec // a kind of digest under test
	"crypto/sha1" //nolint:gosec // a kind of digest under test
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// open gives an engine that the test closes.
func open(t testing.TB, opt embedded.Options) *embedded.Engine {
	t.Helper()
	e, err := embedded.Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// ask gives the result of a query that must work.
func ask(t testing.TB, e *embedded.Engine, text string) *embedded.Result {
	t.Helper()
	res, err := e.Query(context.Background(), text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return res
}

// rows gives each row's cells joined by a bar, in the order of the answer.
func rows(t testing.TB, e *embedded.Engine, text string) []string {
	t.Helper()
	return flat(ask(t, e, text))
}

func flat(res *embedded.Result) []string {
	out := []string{}
	for _, row := range res.Rows {
		var cells []string
		for _, c := range res.Columns {
			cells = append(cells, row[c])
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

// sorted is rows without their order.
func sorted(t testing.TB, e *embedded.Engine, text string) []string {
	t.Helper()
	out := rows(t, e, text)
	slices.Sort(out)
	return out
}

// expect compares the rows of a query, without their order.
func expect(t testing.TB, e *embedded.Engine, text string, want ...string) {
	t.Helper()
	want = append([]string{}, want...)
	slices.Sort(want)
	if diff := cmp.Diff(want, sorted(t, e, text)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", text, diff)
	}
}

// refused checks that a query fails with words in its error.
func refused(t testing.TB, e *embedded.Engine, text, words string) {
	t.Helper()
	res, err := e.Query(context.Background(), text)
	if err == nil {
		t.Errorf("%s: gave %d rows instead of an error", text, len(res.Rows))
	} else if !strings.Contains(err.Error(), words) {
		t.Errorf("%s: error %q does not say %q", text, err, words)
	}
}

// unread lists what a result says could not be read: op, path and reason.
func unread(res *embedded.Result) []string {
	out := []string{}
	for _, u := range res.Unread {
		out = append(out, u.Op+"|"+u.Path+"|"+u.Reason)
	}
	return out
}

// quote writes a text literal of SQL.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// write makes a file and the folders above it.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// sums gives the three digests of a text as a row of the table hash has them.
func sums(text string) string {
	m, s1, s2 := md5.Sum([]byte(text)), sha1.Sum([]byte(text)), sha256.Sum256([]byte(text)) //nolint:gosec // under test
	return hex.EncodeToString(m[:]) + "|" + hex.EncodeToString(s1[:]) + "|" + hex.EncodeToString(s2[:])
}
