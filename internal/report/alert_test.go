package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/report"
)

func TestAlertLines(t *testing.T) {
	t.Parallel()
	sha := strings.Repeat("a", 64)
	md5 := strings.Repeat("b", 32)
	taken := alert.Taken{
		ID: "2291", Format: alert.FormatGraph, Rule: "Known bad", Severity: "high", Host: "ws-1", User: "j.doe", Source: "edr",
		Time: time.Date(2026, 11, 20, 8, 14, 7, 0, time.UTC), More: 2,
		Files: []alert.TakenFile{
			{File: indicator.File{SHA256: sha, Size: 7, Names: []string{"a.exe"}}, Field: "evidence[0].fileDetails", Path: `C:\a.exe`, Host: "ws-1", Seed: true},
			{File: indicator.File{MD5: md5, Names: []string{"b.exe"}}, Field: "evidence[1].imageFile", Host: "ws-2", Note: "of a parent process: no seed"},
		},
	}
	want := []string{
		"alert     2291: format msgraph, 2026-11-20T08:14:07Z, rule Known bad, severity high, host ws-1, user j.doe, from edr",
		"taken     evidence[0].fileDetails: sha256:" + sha + `  7 bytes  C:\a.exe`,
		"not taken evidence[1].imageFile: md5:" + md5 + "  size unknown  b.exe  on ws-2  (of a parent process: no seed)",
		"          and 2 more files",
		"alert     and 1 more alert",
	}
	if d := cmp.Diff(want, report.AlertLines([]alert.Taken{taken}, 1)); d != "" {
		t.Error(d)
	}
	if lines := report.AlertLines(nil, 0); lines != nil {
		t.Errorf("%q", lines)
	}
}

// No text of an alert moves, hides or reorders what a terminal shows.
func TestAlertLinesAreSafe(t *testing.T) {
	t.Parallel()
	const hostile = "x\x1b[2J\x07\r\n\u202e\u0085<script>\xff"
	file := alert.TakenFile{File: indicator.File{MD5: strings.Repeat("b", 32)}, Field: hostile, Path: hostile, Host: hostile, Note: hostile}
	named := file
	named.Path, named.Names = "", []string{hostile}
	text := strings.Join(report.AlertLines([]alert.Taken{{
		ID: hostile, Format: alert.FormatGeneric, Rule: hostile, Source: hostile, Severity: hostile, Host: "h" + hostile, User: hostile,
		Files: []alert.TakenFile{file, named},
	}}, 0), "")
	for _, r := range text {
		if r < 0x20 || r == 0x7f || r == 0x85 || r == 0x202e || r == '\ufffd' {
			t.Errorf("%q is in %q", r, text)
		}
	}
	if n := strings.Count(text, `x\x1b[2J`); n != 14 {
		t.Errorf("%d of 14 texts are shown: %q", n, text)
	}
}
