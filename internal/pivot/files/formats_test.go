package files_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/pivot/files"
	"github.com/hunter-project/hunter/internal/results"
)

const (
	sha256A = "3b7606979f3b55bcc110b8ccadb78597bd949534a4a61017e0e95a8541ae0561"
	sha1A   = "ddfccb8f030fcd4f79333764fad3298260db118d"
	md5A    = "03b86596559fe700bc4246bc4995ffd9"
	sha256B = "7da1c40cc73581c4031530f4abb7dc6149fcaf782f5a8fecbbe9af33a68e680f"
	md5B    = "5c2bf212d57a6db9a6ba73e8fef4ed77"
	imphash = "f34d5f2d4577ed6d9ceec516c1f5a744"
	eventID = "5be1e65d-8198-497b-bdf5-5ec20a016219"
)

// newIntel makes an empty intelligence store in a results database, and a way to copy kept bodies from it.
func newIntel(t testing.TB) (*files.Store, *results.Store) {
	t.Helper()
	s, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"), results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	w, r := s.DB()
	return files.NewStore(files.DB{W: w, R: r}, time.Now), s
}

func importText(t testing.TB, s *files.Store, text string) files.FileResult {
	t.Helper()
	sum, err := s.ImportPaths(t.Context(), []string{"-"}, strings.NewReader(text), files.ImportOptions{})
	if err != nil || len(sum.Files) != 1 {
		t.Fatalf("%v, %v", sum, err)
	}
	return sum.Files[0]
}

// members lists what one hash leads to, as "kind:value confidence".
func members(t testing.TB, s *files.Store, value string) []string {
	t.Helper()
	ind, err := indicator.Detect(value)
	if err != nil {
		t.Fatal(err)
	}
	res, err := files.NewProvider("files", s, files.ProviderOptions{}).Related(t.Context(), ind, pivot.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range res.Edges {
		out = append(out, string(e.Relation)+" "+e.To.String())
	}
	slices.Sort(out)
	return out
}

const mispEvent = `{"Event":{"info":"invoice lure","uuid":"` + eventID + `","date":"2026-01-02","Tag":[{"name":"tlp:green"}],
 "Attribute":[
  {"type":"sha256","value":"` + sha256A + `","to_ids":true,"timestamp":"1769000000"},
  {"type":"filename|md5","value":"x.exe|` + md5B + `","to_ids":false},
  {"type":"imphash","value":"` + imphash + `","to_ids":true},
  {"type":"sha256","value":"1234","to_ids":true},
  {"type":"domain","value":"Evil.Example","to_ids":true},
  {"type":"sha1","value":"` + sha1A + `","deleted":true}],
 "Object":[{"name":"file","uuid":"11111111-1111-4111-8111-111111111111","Attribute":[
  {"type":"sha256","object_relation":"sha256","value":"` + sha256B + `","to_ids":true},
  {"type":"md5","object_relation":"md5","value":"` + md5A + `","to_ids":true},
  {"type":"size-in-bytes","object_relation":"size-in-bytes","value":"24"}]}],
 "Galaxy":[{"any":["thing"]}]}}`

func TestMISP(t *testing.T) {
	t.Parallel()
	want := []string{"same_report domain:evil.example", "same_report filename:x.exe", "same_report md5:" + md5A, "same_report md5:" + md5B, "same_report sha256:" + sha256B}
	for name, text := range map[string]string{
		"one event": mispEvent, "response": `{"response":[` + mispEvent + `]}`, "array": `[` + mispEvent + `]`, "BOM": "\ufeff" + mispEvent,
		"many lines": strings.ReplaceAll(mispEvent, ",", ",\r\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newIntel(t)
			res := importText(t, s, text)
			if res.Error != "" || res.Format != "misp" || res.Reports != 1 || res.Refused != 2 {
				t.Fatalf("%+v", res)
			}
			if diff := cmp.Diff(want, members(t, s, sha256A)); diff != "" {
				t.Error(diff)
			}
			p := files.NewProvider("files", s, files.ProviderOptions{})
			got, err := p.Resolve(t.Context(), []indicator.Indicator{{Kind: indicator.MD5, Value: md5A}})
			if err != nil || len(got.Files) != 1 || got.Files[0].SHA256 != sha256B || got.Files[0].Size != 24 {
				t.Errorf("siblings: %+v, %v", got.Files, err)
			}
			rep, err := p.FromReport(t.Context(), eventID, pivot.DefaultLimits())
			if err != nil || len(rep.Reports) != 1 || rep.Reports[0].TLP != indicator.TLPGreen || len(rep.Edges) != len(want)+1 {
				t.Errorf("report: %+v, %v", rep, err)
			}
			for _, e := range rep.Edges {
				trust := map[string]int{md5B: 30, "x.exe": 30}[e.To.Value]
				if trust == 0 {
					trust = 70
				}
				if e.Confidence != trust || e.Raw == "" {
					t.Errorf("%v: confidence %d instead of %d, answer %q", e.To, e.Confidence, trust, e.Raw)
				}
			}
		})
	}
}

const stixBundle = `{"type":"bundle","id":"bundle--1","objects":[
 {"type":"relationship","id":"relationship--1","relationship_type":"drops","source_ref":"file--1","target_ref":"file--2","confidence":80},
 {"type":"report","id":"report--` + eventID + `","name":"R","published":"2026-01-02T03:04:05Z","object_refs":["file--1","file--2","indicator--1"],"object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]},
 {"type":"file","id":"file--1","hashes":{"SHA-256":"` + "3B7606979F3B55BCC110B8CCADB78597BD949534A4A61017E0E95A8541AE0561" + `","MD5":"` + md5A + `"},"size":24,"name":"a.exe"},
 {"type":"file","id":"file--2","hashes":{"SHA-256":"` + sha256B + `"}},
 {"type":"indicator","id":"indicator--1","pattern_type":"stix","confidence":60,"valid_from":"2026-01-01T00:00:00Z",
  "pattern":"[file:hashes.'SHA-1' = '` + sha1A + `' OR domain-name:value = 'it\\'s.example'] OR [file:hashes.MD5 = '` + md5B + `']"}]}`

func TestSTIX(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	if res := importText(t, s, stixBundle); res.Error != "" || res.Format != "stix" {
		t.Fatalf("%+v", res)
	}
	got := members(t, s, sha256A)
	for _, want := range []string{"drops sha256:" + sha256B, "same_report sha1:" + sha1A, "same_report md5:" + md5B, "same_report sha256:" + sha256B} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %v", want, got)
		}
	}
	if back := members(t, s, sha256B); !slices.Contains(back, "dropped_by sha256:"+sha256A) {
		t.Errorf("from the other end: %v", back)
	}
	p := files.NewProvider("files", s, files.ProviderOptions{})
	res, err := p.Resolve(t.Context(), []indicator.Indicator{{Kind: indicator.MD5, Value: md5A}})
	if err != nil || len(res.Files) != 1 || res.Files[0].SHA256 != sha256A || res.Files[0].Size != 24 {
		t.Errorf("%+v, %v", res.Files, err)
	}
}

func TestListsAndTables(t *testing.T) {
	t.Parallel()
	utf16, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(md5A + "\r\n" + md5B + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text             string
		format           string
		members, refused int
	}{
		"plain":            {"# list\n" + md5A + "\n\n" + strings.ToUpper(sha256B) + "\n", "list", 2, 0},
		"prefix":           {"sha256:" + sha256A + "\nMD5=" + md5B + "\n", "list", 2, 0},
		"sha256sum":        {sha256A + "  a.exe\n" + sha256B + " *b.exe\n", "list", 2, 0},
		"BOM":              {"\ufeff" + md5A + "\n", "list", 1, 0},
		"UTF-16":           {utf16, "list", 2, 0},
		"wrong length":     {md5A[:30] + "\n" + md5A + "\n", "list", 1, 1},
		"table":            {"sha256,md5,size,filename\n" + sha256A + "," + md5A + ",24,\"a,\nb.exe\"\n", "csv", 2, 1},
		"semicolons":       {"md5;comment\n" + md5A + ";x\n", "csv", 1, 0},
		"formulas":         {"sha256,comment\n" + sha256A + ",\"=cmd|' /C calc'!A0\"\n", "csv", 1, 0},
		"bytes, not UTF-8": {md5A + "\n\xff\xfe\xfd\n", "list", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newIntel(t)
			res := importText(t, s, tt.text)
			if res.Error != "" || res.Format != tt.format || res.Indicators != tt.members || res.Refused != tt.refused {
				t.Errorf("%+v", res)
			}
		})
	}
}

func packed(t testing.TB, write func(io.Writer)) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	write(z)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A damaged file is refused whole, with its place; nothing of it stays.
func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"trailing comma":        {"{\"Event\":{\"info\":\"x\",\"Attribute\":[\n {\"type\":\"md5\",\"value\":\"" + md5A + "\"},\n]}}", ":3:1: error: damaged JSON: a comma before ]; delete it"},
		"comma in an attribute": {"{\"Event\":{\"info\":\"x\",\"Attribute\":[\n {\"type\":\"md5\",\"value\":\"" + md5A + "\", }]}}", ":2:60: error: damaged JSON: a comma before }; delete it"},
		"comma in the event":    {"{\"Event\":{\"info\":\"x\",\n}}", ":2:1: error: damaged JSON: a comma before }; delete it"},
		"cut":                   {mispEvent[:len(mispEvent)/2], "the file ends in the middle"},
		"more behind":           {mispEvent + "{}", "follows after the end"},
		"deep":                  {`{"Event":{"x":` + strings.Repeat("[", 100_000), "nested over 64 levels"},
		"long text":             {`{"Event":{"info":"` + strings.Repeat("a", 2<<20), "a text of over 1 MiB"},
		"other JSON":            {`{"a":1}`, "no MISP event"},
		"UTF-16 JSON":           {"\xff\xfe{\x00", "UTF-16"},
		"HTML":                  {"<!DOCTYPE html><html></html>", "HTML page"},
		"NUL":                   {"abc\x00def", "zero byte"},
		"empty":                 {"", "empty"},
		"feed index":            {md5A + "," + eventID + "\n", "md5 of values"},
		"NSRL":                  {"\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\",\"FileSize\",\"ProductCode\"\n\"" + sha1A + "\",\"" + md5A + "\",\"0\",\"a\",1,2\n", "NSRL"},
		"warninglist":           {`{"list":["` + md5A + `"],"type":"string","name":"x"}`, "name it under never"},
		"long line":             {strings.Repeat("a", 3<<20), "line of over 1 MiB"},
		"bomb": {packed(t, func(w io.Writer) {
			for range 200 {
				_, _ = w.Write(append([]byte("# "), append(bytes.Repeat([]byte("a"), 1<<19), '\n')...))
			}
		}), "decompression bomb"},
		"damaged gzip": {packed(t, func(w io.Writer) { _, _ = io.WriteString(w, strings.Repeat(md5A+"\n", 50_000)) })[:100], "the compressed file is cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newIntel(t)
			res := importText(t, s, tt.text)
			if res.Error == "" || !strings.Contains(res.Error, tt.want) || len(res.Error) > 1000 {
				t.Errorf("%.300q instead of %q", res.Error, tt.want)
			}
			st, err := s.Stats(t.Context())
			if err != nil || st.Reports != 0 || len(st.Sources) != 0 || len(st.Indicators) != 0 {
				t.Errorf("something stays: %+v, %v", st, err)
			}
		})
	}
}

type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), e.left)
	for i := range p[:n] {
		p[i] = 'a'
	}
	if e.left -= n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Two gigabytes without a newline are refused after the first megabytes.
func TestEndlessLine(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	in := &endless{left: 2 << 30}
	sum, err := s.ImportPaths(t.Context(), []string{"-"}, in, files.ImportOptions{})
	if err != nil || sum.Failed() != 1 || in.left < 1<<30 {
		t.Errorf("%+v, %v, %d bytes unread", sum, err, in.left)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	s, store := newIntel(t)
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	event := put("a.json", mispEvent)
	put("b.txt.gz", packed(t, func(w io.Writer) { _, _ = io.WriteString(w, md5B+"\n") }))
	put("bad.json", `{"Event":{"Attribute":[,]}}`)
	put("README.md", "not intelligence")
	put("manifest.json", "{}")
	load := func(opt files.ImportOptions) map[string]files.FileResult {
		sum, err := s.ImportPaths(t.Context(), []string{dir}, nil, opt)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]files.FileResult{}
		for _, f := range sum.Files {
			out[filepath.Base(f.Name)] = f
		}
		return out
	}
	first := load(files.ImportOptions{})
	if len(first) != 3 || first["bad.json"].Error == "" || first["a.json"].Error != "" || first["b.txt.gz"].Indicators != 1 {
		t.Fatalf("%+v", first)
	}
	sum := sha256.Sum256([]byte(mispEvent))
	var kept bytes.Buffer
	if err := store.CopyRaw(t.Context(), &kept, hex.EncodeToString(sum[:])); err != nil || kept.String() != mispEvent {
		t.Errorf("the file is not kept as received: %v", err)
	}
	if again := load(files.ImportOptions{}); !again["a.json"].Unchanged || again["a.json"].Indicators != first["a.json"].Indicators {
		t.Errorf("%+v", again)
	}
	if forced := load(files.ImportOptions{Force: true}); forced["a.json"].Unchanged {
		t.Errorf("%+v", forced)
	}
	put("a.json", `{"Event":{"uuid":"`+eventID+`","info":"new","Attribute":[{"type":"sha256","value":"`+sha256A+`"}]}}`)
	if err := os.Chtimes(event, time.Now(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	load(files.ImportOptions{})
	if got := members(t, s, sha256A); len(got) != 0 {
		t.Errorf("what the file said before is still there: %v", got)
	}
	linked := filepath.Join(t.TempDir(), "linked")
	if err := errors.Join(os.Symlink(dir, linked), os.Symlink(event, filepath.Join(dir, "z.json"))); err != nil {
		t.Fatal(err)
	}
	if res, err := s.ImportPaths(t.Context(), []string{linked}, nil, files.ImportOptions{}); err != nil || len(res.Files) != 4 {
		t.Errorf("through a link: %+v, %v", res, err)
	}
	empty := t.TempDir()
	if res, err := s.ImportPaths(t.Context(), []string{empty}, nil, files.ImportOptions{}); err != nil || res.Failed() != 1 || !strings.Contains(res.Files[0].Error, "no file of intelligence") {
		t.Errorf("an empty folder passes for imported: %+v, %v", res, err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	res, err := s.ImportPaths(t.Context(), []string{loop, filepath.Join(dir, "missing")}, nil, files.ImportOptions{})
	if err != nil || res.Failed() != 2 {
		t.Errorf("%+v, %v", res, err)
	}
}

// Providers with paths answer from those alone.
func TestScope(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"one/a.txt": md5A + "\n" + md5B + "\n", "one-more/b.txt": md5A + "\n" + sha256B + "\n"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	one := files.NewProvider("one", s, files.ProviderOptions{Paths: []string{filepath.Join(dir, "one")}})
	if _, err := one.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ImportPaths(t.Context(), []string{dir}, nil, files.ImportOptions{}); err != nil {
		t.Fatal(err)
	}
	ask := indicator.Indicator{Kind: indicator.MD5, Value: md5A}
	res, err := one.Related(t.Context(), ask, pivot.DefaultLimits())
	if err != nil || len(res.Edges) != 1 || res.Edges[0].To.Value != md5B || res.Edges[0].Report != "one:"+res.Reports[0].ID {
		t.Errorf("%+v, %v", res, err)
	}
	all, err := files.NewProvider("all", s, files.ProviderOptions{}).Related(t.Context(), ask, pivot.DefaultLimits())
	if err != nil || len(all.Edges) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}

// What a provider's file said is forgotten with the file; what it says after a change is what counts.
func TestFileTakenAway(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "a.txt")
	if err := errors.Join(os.WriteFile(path, []byte(md5A+"\n"+md5B+"\n"), 0o644), os.WriteFile(filepath.Join(dir, "b.txt"), []byte(sha256B+"\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		p := files.NewProvider("p", s, files.ProviderOptions{Paths: []string{dir}})
		if _, err := p.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		res, err := p.Related(t.Context(), indicator.Indicator{Kind: indicator.MD5, Value: md5A}, pivot.DefaultLimits())
		if err != nil || len(res.Edges) != want {
			t.Errorf("%d edges instead of %d, %v", len(res.Edges), want, err)
		}
		if err := os.Remove(path); err != nil && want > 0 {
			t.Fatal(err)
		}
	}
}

// A report of many members is cut, with its true size.
func TestHub(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	var b strings.Builder
	b.WriteString(md5A + "\n")
	for i := range 5000 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		b.WriteString(hex.EncodeToString(sum[:]) + "\n")
	}
	importText(t, s, b.String())
	lim := pivot.DefaultLimits()
	res, err := files.NewProvider("files", s, files.ProviderOptions{}).Related(t.Context(), indicator.Indicator{Kind: indicator.MD5, Value: md5A}, lim)
	if err != nil || len(res.Edges) != lim.PerReport || len(res.Cut) != 1 || res.Cut[0].Total != 5001 || res.Cut[0].Kept != lim.PerReport {
		t.Errorf("%d edges, cut %+v, %v", len(res.Edges), res.Cut, err)
	}
}

// A disk that is full in mid-import: the file leaves no trace and no line, what came before stays, and with room it is read.
func TestImportOnAFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, big := filepath.Join(dir, "h.db"), filepath.Join(dir, "big.txt")
	var list strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&list, "%x\n", sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
	}
	if err := os.WriteFile(big, []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, pages := range []int{200, 0} {
		store, err := results.Open(t.Context(), path, results.Options{MaxPages: pages})
		if err != nil {
			t.Fatal(err)
		}
		w, r := store.DB()
		s := files.NewStore(files.DB{W: w, R: r}, time.Now)
		sum, err := s.ImportPaths(t.Context(), []string{"-", big}, strings.NewReader(md5A+"\n"), files.ImportOptions{})
		st, statsErr := s.Stats(t.Context())
		if closed := errors.Join(statsErr, store.Close()); closed != nil {
			t.Fatal(closed)
		}
		if pages == 0 {
			if err != nil || len(sum.Files) != 2 || sum.Files[1].Indicators != 5000 {
				t.Errorf("%+v, %v", sum, err)
			}
			return
		}
		if !errors.Is(results.Explain(err), results.ErrFull) || !strings.Contains(err.Error(), big) || len(sum.Files) != 1 || st.Reports != 1 {
			t.Errorf("%+v, %v, %+v", sum, err, st)
		}
	}
}

func TestImportIsCancelled(t *testing.T) {
	t.Parallel()
	s, _ := newIntel(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.ImportPaths(ctx, []string{"-"}, strings.NewReader(mispEvent), files.ImportOptions{}); err == nil {
		t.Error("a cancelled import goes through")
	}
	if st, err := s.Stats(t.Context()); err != nil || st.Reports != 0 {
		t.Errorf("%+v, %v", st, err)
	}
}

// An event that a file holds twice is one report: with the members of both, the later words and the stricter label.
func TestEventTwice(t *testing.T) {
	t.Parallel()
	const second = `{"Event":{"uuid":"` + eventID + `","info":"second version","Tag":[{"name":"tlp:red"}],"Attribute":[{"type":"sha1","to_ids":true,"value":"` + sha1Z + `"}]}}`
	for name, text := range map[string]string{"later is stricter": mispEvent + "," + second, "earlier is stricter": second + "," + mispEvent} {
		s, _ := newIntel(t)
		res := importText(t, s, "["+text+"]")
		if res.Error != "" || res.Reports != 1 {
			t.Fatalf("%s: %+v", name, res)
		}
		rep, err := files.NewProvider("files", s, files.ProviderOptions{}).FromReport(t.Context(), eventID, pivot.DefaultLimits())
		if err != nil || len(rep.Reports) != 1 || rep.Reports[0].TLP != indicator.TLPRed || (rep.Reports[0].Title == "second version") != strings.HasSuffix(text, second) {
			t.Errorf("%s: %+v, %v", name, rep.Reports, err)
		}
		all := map[string]bool{}
		for _, e := range rep.Edges {
			all[e.To.Value] = true
		}
		if len(rep.Edges) != 7 || !all[sha1Z] || !all[sha256A] || !all[md5B] {
			t.Errorf("%s: %d members: %v", name, len(rep.Edges), all)
		}
	}
}

const sha1Z = "0123456789012345678901234567890123456789"
