package diag_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/diag"
)

func TestString(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		d    diag.Diagnostic
		want string
	}{
		{"all", diag.Diagnostic{File: "a.yaml", Line: 14, Column: 7, Severity: diag.Error, Message: "what", Hint: "hint"}, "a.yaml:14:7: error: what; hint"},
		{"no hint", diag.Diagnostic{File: "a.yaml", Line: 14, Column: 7, Message: "what"}, "a.yaml:14:7: error: what"},
		{"no column", diag.Diagnostic{File: "a.yaml", Line: 14, Message: "what", Severity: diag.Warning}, "a.yaml:14: warning: what"},
		{"column without line", diag.Diagnostic{File: "a.yaml", Column: 3, Message: "what"}, "a.yaml: error: what"},
		{"message alone", diag.Diagnostic{Message: "what"}, "error: what"},
		{"hostile", diag.Diagnostic{File: "a\x1b[2J\n.yaml", Line: 1, Message: "x\u202ey", Hint: "\x9b\xff"},
			`a\x1b[2J\x0a.yaml:1: error: x\u{202e}y; \x9b\xff`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.d.String()); diff != "" {
				t.Errorf("String (-want +got):\n%s", diff)
			}
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	l := diag.List{
		{File: "b", Line: 1, Message: "4"},
		{File: "a", Line: 10, Column: 1, Message: "3"},
		{File: "a", Line: 2, Column: 9, Message: "2"},
		{File: "a", Line: 2, Column: 1, Severity: diag.Warning, Message: "1"},
	}
	l.Sort()
	want := "a:2:1: warning: 1\na:2:9: error: 2\na:10:1: error: 3\nb:1: error: 4"
	if diff := cmp.Diff(want, l.Error()); diff != "" {
		t.Errorf("Error (-want +got):\n%s", diff)
	}
	if !l.HasErrors() || l.Count(diag.Error) != 3 || l.Count(diag.Warning) != 1 || l.Err() == nil {
		t.Errorf("counts: errors %d, warnings %d", l.Count(diag.Error), l.Count(diag.Warning))
	}
	if err := l[:1].Err(); err != nil {
		t.Errorf("a warning alone is no error: %v", err)
	}
	got, err := json.Marshal(l[:2])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`[{"file":"a","line":2,"column":1,"severity":"warning","message":"1"},{"file":"a","line":2,"column":9,"severity":"error","message":"2"}]`, string(got)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if got, _ := json.Marshal(diag.List(nil)); string(got) != "[]" {
		t.Errorf("an empty list is %s", got)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 500) + "X" + strings.Repeat("b", 500)
	tests := []struct {
		name string
		d    diag.Diagnostic
		want string
	}{
		{"plain", diag.Diagnostic{File: "f", Line: 14, Column: 7, Message: "m", SourceLine: "      hashs: [x]"},
			"f:14:7: error: m\n   14 |       hashs: [x]\n      |       ^\n"},
		{"tab", diag.Diagnostic{File: "f", Line: 2, Column: 2, Message: "m", SourceLine: "\tname: x"},
			"f:2:2: error: m\n    2 |     name: x\n      |     ^\n"},
		{"wide", diag.Diagnostic{File: "f", Line: 2, Column: 3, Message: "m", SourceLine: "日本x"},
			"f:2:3: error: m\n    2 | 日本x\n      |     ^\n"},
		{"escape", diag.Diagnostic{File: "f", Line: 2, Column: 2, Message: "m", SourceLine: "\x1bx"},
			"f:2:2: error: m\n    2 | \\x1bx\n      |     ^\n"},
		{"no column", diag.Diagnostic{File: "f", Line: 2, Message: "m", SourceLine: "x"}, "f:2: error: m\n    2 | x\n"},
		{"no source", diag.Diagnostic{File: "f", Line: 2, Column: 1, Message: "m"}, "f:2:1: error: m\n"},
		{"column past the end", diag.Diagnostic{File: "f", Line: 2, Column: 50, Message: "m", SourceLine: "ab"},
			"f:2:50: error: m\n    2 | ab\n      |   ^\n"},
		{"cut", diag.Diagnostic{File: "f", Line: 2, Column: 501, Message: "m", SourceLine: long},
			"f:2:501: error: m\n    2 | …" + strings.Repeat("a", 60) + "X" + strings.Repeat("b", 38) + "…\n      | " + strings.Repeat(" ", 61) + "^\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			if err := diag.Render(&b, diag.List{tt.d}, false); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, b.String()); diff != "" {
				t.Errorf("Render (-want +got):\n%s", diff)
			}
		})
	}
	var b strings.Builder
	if err := diag.Render(&b, diag.List{{File: "f", Line: 1, Column: 1, Message: "m", SourceLine: "x"}}, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[1;31merror\x1b[0m") {
		t.Errorf("no colour in %q", b.String())
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	keys := []string{"alert", "hashes", "report", "on", "max_size", "providers", "tools"}
	for word, want := range map[string]string{
		"hashs": "hashes", "Hashes": "hashes", "hahses": "hashes", "max-size": "max_size", "maxsize": "max_size",
		"provider": "providers", "no": "on", "x": "", "": "", "banana": "", "reprot": "report",
		strings.Repeat("hashes", 1000): "",
	} {
		if got := diag.Nearest(word, keys); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// Whatever comes in, nothing that a terminal obeys comes out.
func TestEscapeIsSafe(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := string(rapid.SliceOf(rapid.Byte()).Draw(t, "in")) + rapid.String().Draw(t, "text")
		out := diag.Escape(in)
		if !utf8.ValidString(out) {
			t.Fatalf("not UTF-8: %q", out)
		}
		for _, r := range out {
			if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Fatalf("%U passed in %q", r, out)
			}
		}
		if diag.Escape(out) != out {
			t.Fatalf("not idempotent: %q", out)
		}
	})
}

func FuzzRender(f *testing.F) {
	f.Add("a.yaml", "m\x1b[0m", "line \xff\t日本", 3)
	f.Add("", "", "", -1)
	f.Fuzz(func(t *testing.T, file, msg, line string, col int) {
		var b strings.Builder
		if err := diag.Render(&b, diag.List{{File: file, Line: 1, Column: col, Message: msg, SourceLine: line}}, false); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("an escape passed: %q", b.String())
		}
	})
}
