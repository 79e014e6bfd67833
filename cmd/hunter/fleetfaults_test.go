//go:build !windows

package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/diag"
)

// Garbage and slow clients by the hundred lie on a server in the middle of a run: the run ends with all proven, and the server in order.
func TestNoiseInMidRun(t *testing.T) {
	t.Parallel()
	const hosts, each = 4, 60
	s := serving(t, t.TempDir())
	f := newFleet(t, hosts)
	f.plant(t, 1, "evil.bin", evil)
	f.run(t, s)
	name, _, err := net.SplitHostPort(s.address)
	if err != nil {
		t.Fatal(err)
	}
	send := map[string]string{
		"plain http":   "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"tls garbage":  "\x16\x03\x01\xff\xff" + strings.Repeat("\x00\xff", 100),
		"silence":      "",
		"half a hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
	}
	secured := map[string]string{
		"half a head":    "POST /api/osquery/distributed/read HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"half a body":    "POST /api/osquery/distributed/write HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{\"queries\":{",
		"half an enroll": "POST /api/osquery/enroll HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"enroll_secret\":\"",
	}
	var held []net.Conn
	hold := func(conn net.Conn, err error, text string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, text); err == nil {
			held = append(held, conn)
		}
	}
	for range each {
		for _, text := range send {
			conn, err := net.Dial("tcp", s.address)
			hold(conn, err, text)
		}
		for _, text := range secured {
			conn, err := tls.Dial("tcp", s.address, &tls.Config{RootCAs: s.roots, ServerName: name})
			hold(conn, err, text)
		}
	}
	code, out, errs := hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--wait", "60s", "--json")
	got := decode[fleetRun](t, out)
	if c := got.Coverage; code != 1 || got.State != "finished" || c.Endpoints != hosts || c.Hit != 1 || c.Proven != hosts {
		t.Errorf("exit code %d\n%s\n%s\n%s", code, out, errs, s.said())
	}
	f.stop()
	for _, conn := range held {
		_ = conn.Close()
	}
	open := len(held)
	if code := s.stop(t); code != 0 {
		t.Errorf("the server ends with %d:\n%s", code, s.said())
	}
	lines := 0
	for line := range strings.SplitSeq(strings.TrimSpace(s.said()), "\n") {
		if strings.Contains(line, "a connection failed") {
			lines++
		}
	}
	if lines == 0 || lines > open/2 {
		t.Errorf("%d log lines for %d bad connections", lines, open)
	}
	t.Logf("%d bad connections (%d kinds) beside %d agents: the run finished, %d proven, %d log lines", open, len(send)+len(secured), hosts, got.Coverage.Proven, lines)
}

// hostileNames are host names as no machine has them.
func hostileNames() []string {
	return []string{
		`<script>alert(1)</script><img src=x onerror=alert(1)>`, "=HYPERLINK(\"http://evil.invalid\")", "\x1b[31mred\x1b]0;title\a", "a\r\nb,\"c\"\n# d | e\n{\"run\":1}",
		"\u202egpj.exe\u2066", "`x`[l](javascript:alert(1))", "\xff\xfe\x80", "{{.}}' OR 1=1 --",
	}
}

// Host names that attack whoever reads them do nothing in any form that hunter has: lists, reports, the watch, the log.
func TestHostileHostNames(t *testing.T) {
	t.Parallel()
	names := hostileNames()
	s := serving(t, t.TempDir())
	f := newFleet(t, len(names))
	for i, name := range names {
		f.hosts[i] = name
		if i%2 == 0 {
			f.plant(t, i, "evil.bin", evil)
		}
	}
	f.run(t, s)
	code, out, errs := hunterDoes(t, s.db, "sweep", evilDigest(), "--tool", "fleet", "--path", f.folder(0), "--wait", "60s")
	if code != 1 || !strings.Contains(out, `\x1b[31mred`) {
		t.Fatalf("exit code %d\n%s\n%s", code, out, errs)
	}
	_, out, errs = hunterDoes(t, s.db, "sweep", shaOf("nobody has it"), "--tool", "fleet", "--path", f.folder(0), "--rate", "1/min", "--detach")
	second := strings.TrimSpace(out)
	if len(second) != 36 {
		t.Fatal(out, errs)
	}
	hunterDoes(t, s.db, "runs", "stop", second)
	f.stop()
	if code := s.stop(t); code != 0 {
		t.Errorf("the server ends with %d", code)
	}
	checks := 0
	check := func(what, out string) {
		t.Helper()
		checks++
		if !utf8.ValidString(out) {
			t.Errorf("%s: no UTF-8", what)
		}
		for line := range strings.SplitSeq(out, "\n") {
			if safe := diag.Escape(strings.ReplaceAll(line, "\t", " ")); safe != strings.ReplaceAll(line, "\t", " ") {
				t.Errorf("%s: a line is not safe: %.200q", what, line)
			}
		}
	}
	check("the server's log", s.said())
	first := []string{"runs", "--json", "--limit", "2"}
	_, out, _ = hunterDoes(t, s.db, first...)
	var run string
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		if r := decode[fleetRun](t, line); r.Run != second {
			run = r.Run
		}
	}
	for _, args := range [][]string{
		{"report", run}, {"report", run, "--format", "html"}, {"report", run, "--format", "md"}, {"report", run, "--format", "csv"}, {"report", run, "--format", "json"},
		{"report", second, "--format", "html"}, {"report", second}, {"say", run}, {"say", second}, {"why", evilDigest()}, {"hits"}, {"hits", "--csv"}, {"hits", "--json"},
		{"findings"}, {"findings", "--csv"}, {"hosts"}, {"hosts", "--csv"}, {"hosts", "--json"}, {"runs"}, {"runs", "--csv"}, {"runs", "--json"},
		{"runs", "watch", run, "--json"}, {"runs", "watch", second}, {"plan", evilDigest(), "--tool", "fleet"}, {"hosts", "approve", names[2]}, {"hosts", "forget", names[3]},
	} {
		what := strings.Join(args, " ")
		code, out, errs := hunterDoes(t, s.db, args...)
		if code == 2 {
			t.Errorf("%s: %s", what, errs)
			continue
		}
		check(what, out)
		check(what+", standard error", errs)
		switch {
		case strings.Contains(what, "html"):
			wellFormed(t, what, out)
		case strings.Contains(what, "csv"):
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") {
						t.Errorf("%s: a spreadsheet would run %q", what, cell)
					}
				}
			}
		case strings.Contains(what, "json"):
			for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
				if !json.Valid([]byte(line)) && !json.Valid([]byte(out)) {
					t.Errorf("%s: no JSON: %.200s", what, line)
				}
			}
		}
	}
	t.Logf("%d host names in %d outputs: 0 obeyed", len(names), checks)
}

// wellFormed checks that a page has no mark that is not ours.
func wellFormed(t *testing.T, what, page string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(page)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if e, ok := token.(xml.StartElement); ok {
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || (a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#")) || a.Name.Local == "src" {
					t.Errorf("%s: %s has %s", what, e.Name.Local, fmt.Sprint(a))
				}
			}
			if e.Name.Local == "script" || e.Name.Local == "img" {
				t.Errorf("%s: an element %s", what, e.Name.Local)
			}
		}
	}
}

func shaOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
