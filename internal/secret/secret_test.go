package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/secret"
)

const value = `hunter2/+"ä`

// No way of printing shows a secret, not even as an unexported field of another struct.
func TestNeverPrints(t *testing.T) {
	t.Parallel()
	s := secret.New(value)
	nested := struct {
		Public secret.String
		hidden secret.String
		deep   map[string][]secret.String
	}{s, s, map[string][]secret.String{"k": {s}}}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "s", s, "n", nested)
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "s", s, "n", nested)
	js, err := json.Marshal(map[string]any{"s": s, "n": nested, "p": &s})
	if err != nil {
		t.Fatal(err)
	}
	outs := []string{log.String(), string(js), s.String(), s.GoString(), fmt.Errorf("x: %w", fmt.Errorf("%v", s)).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%10s", "%T"} {
		outs = append(outs, fmt.Sprintf(verb, s), fmt.Sprintf(verb, &s), fmt.Sprintf(verb, nested), fmt.Sprintf(verb, &nested))
	}
	for _, out := range outs {
		if strings.Contains(out, "hunter2") || strings.Contains(out, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("the secret got out: %s", out)
		}
	}
	if got := fmt.Sprintf("%s|%v|%q|%x", s, s, s, s); got != strings.Repeat("<redacted>|", 3)+"<redacted>" {
		t.Errorf("got %s", got)
	}
	if s.Reveal() != value || s.IsZero() || !(secret.String{}).IsZero() {
		t.Error("Reveal or IsZero is wrong")
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	s, longer := secret.New(value), secret.New(value+"-and-more")
	quoted, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join([]string{
		value, value + "-and-more", url.QueryEscape(value), url.PathEscape(value),
		base64.StdEncoding.EncodeToString([]byte(value)), string(quoted),
	}, " ")
	got := secret.Redact(text, s, longer, secret.String{})
	if strings.Contains(got, "hunter2") || strings.Contains(got, "and-more") || strings.Contains(got, "aHVudGVy") {
		t.Errorf("left in: %s", got)
	}
	if got := secret.Redact("nothing here", secret.String{}); got != "nothing here" {
		t.Errorf("an empty secret changed the text: %s", got)
	}
}

func TestParseRef(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{"env:CB_TOKEN", "env:_x1", "file:/run/secrets/x", "file:token.txt", `file:C:\x`} {
		ref, err := secret.ParseRef(ok)
		if err != nil || ref.String() != ok {
			t.Errorf("ParseRef(%q) = %v, %v", ok, ref, err)
		}
	}
	for _, bad := range []string{"", "sekret-literal", "env:sekret literal", "env:", "file:", "https://sekret:x@host", "ENV:X", "sekret:x"} {
		_, err := secret.ParseRef(bad)
		if err == nil {
			t.Errorf("ParseRef(%q) took it", bad)
			continue
		}
		if strings.Contains(err.Error(), "sekret") {
			t.Errorf("the error repeats it: %v", err)
		}
	}
	if _, err := secret.ParseRef("sekret-literal"); !errors.Is(err, secret.ErrLiteral) {
		t.Errorf("got %v", err)
	}
}

func TestResolve(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("sekret\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "big"), bytes.Repeat([]byte("sekret"), 20000), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HUNTER_TEST_TOKEN", "sekret")
	t.Setenv("HUNTER_TEST_EMPTY", "")
	tests := []struct{ ref, wantErr string }{
		{"env:HUNTER_TEST_TOKEN", ""},
		{"file:token", ""},
		{"file:" + filepath.Join(dir, "token"), ""},
		{"env:HUNTER_TEST_NONE", `token of tool "cb": environment variable HUNTER_TEST_NONE is not set`},
		{"env:HUNTER_TEST_EMPTY", `token of tool "cb": env:HUNTER_TEST_EMPTY is empty`},
		{"file:none", "no such file"},
		{"file:big", "larger than 64 KiB"},
		{"file:/dev/zero", "not a regular file"},
		{"file:.", "not a regular file"},
	}
	for _, tt := range tests {
		ref, err := secret.ParseRef(tt.ref)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ref.For(`token of tool "cb"`).In(dir).Resolve()
		if tt.wantErr == "" {
			if err != nil || got.Reveal() != "sekret" {
				t.Errorf("%s: %q, %v", tt.ref, got.Reveal(), err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tt.wantErr) || !strings.Contains(err.Error(), `token of tool "cb"`) {
			t.Errorf("%s: error %v, want %q", tt.ref, err, tt.wantErr)
		}
		if err != nil && strings.Contains(err.Error(), "sekret") {
			t.Errorf("%s: the error has the value: %v", tt.ref, err)
		}
	}
	if _, err := (secret.Ref{}).Resolve(); err == nil {
		t.Error("the zero reference resolved")
	}
}
