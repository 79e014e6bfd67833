package osquery_test

import (
	"crypto/md5"  //nolint:gosec // a kind of digest under test
	"crypto/sha1" //nolint:gosec // a kind of digest under test
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// sums gives the file object of a content.
func sums(content []byte) indicator.File {
	m, s1, s2 := md5.Sum(content), sha1.Sum(content), sha256.Sum256(content) //nolint:gosec // under test
	return indicator.File{MD5: hex.EncodeToString(m[:]), SHA1: hex.EncodeToString(s1[:]), SHA256: hex.EncodeToString(s2[:]), Size: int64(len(content))}
}

// asking puts questions to an engine, with what is asked again and what is split, and gives all hits and the coverage.
func asking(t testing.TB, engine *embedded.Engine, planned []ledger.Query) (hits []ledger.HitRow, cov ledger.Coverage) {
	t.Helper()
	ask := func(q ledger.Query) ledger.Answer {
		res, err := engine.Query(t.Context(), q.Text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", q.ID, err, q.Text)
		}
		return ledger.Answer{Rows: res.Rows, Unread: res.Unread, UnreadTotal: res.UnreadTotal}
	}
	verdicts := map[string][]ledger.Verdict{}
	for i := 0; i < len(planned); i++ {
		q := planned[i]
		a := ask(q)
		v := ledger.Judge(q, a)
		if again, ok := osquery.Recheck(q, v.Recheck); ok {
			v = ledger.Rejudge(q, a, again, ask(again))
		}
		verdicts[q.ID] = append(verdicts[q.ID], v)
		hits = append(hits, v.Hits...)
		parts, err := osquery.Split(q, v.Subs, ledger.PartsLeft(planned, q))
		if err != nil {
			t.Fatal(err)
		}
		planned = append(planned, parts...)
	}
	for _, q := range planned {
		for _, h := range q.Hashes {
			if q.Blind && strings.Contains(strings.ToLower(q.Text), h.Value) {
				t.Fatalf("%s tells %s:\n%s", q.ID, h, q.Text)
			}
		}
	}
	return hits, ledger.Cover(planned, verdicts, "not asked")
}

// A blind question finds what an open one does, word for word, of trees and of what runs.
func TestBlindFindsTheSame(t *testing.T) {
	t.Parallel()
	engine, err := embedded.Open(embedded.Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		n++
		root := filepath.Join(dir, fmt.Sprint(n))
		targets := plant(r, root)
		s := search("linux", root, ledger.Files)
		s.Unsized = rapid.SampledFrom([]edr.Unsized{edr.UnsizedPlaces, edr.UnsizedFull}).Draw(r, "unsized")
		flavor := osquery.Osqueryd()
		flavor.Budget.Files = rapid.Int64Range(2, 30).Draw(r, "budget") // so that walks are split
		if rapid.Bool().Draw(r, "embedded") {
			flavor = osquery.Embedded("")
		}
		if len(targets) == 0 {
			return
		}
		worded := rapid.Bool().Draw(r, "worded anew")
		standing := map[bool]ledger.Coverage{}
		found := map[bool][]ledger.HitRow{}
		for _, hidden := range []bool{false, true} {
			qs, err := osquery.Compile(flavor, edr.Endpoint{ID: "e", Platform: "linux"}, edr.Work{Targets: targets, Search: s, Blind: hidden && !worded})
			for i := range qs {
				if hidden && err == nil {
					qs[i], err = osquery.Blind(qs[i])
				}
			}
			if err != nil {
				r.Fatal(err)
			}
			found[hidden], standing[hidden] = asking(t, engine, qs)
		}
		if diff := cmp.Diff(found[false], found[true]); diff != "" {
			r.Fatalf("hits of an open and of a blind question (-open +blind):\n%s", diff)
		}
		if standing[true].State == ledger.Unverified || standing[false].Proven != standing[true].Proven || standing[false].State != standing[true].State || standing[false].Counts != standing[true].Counts {
			r.Fatalf("open %+v, blind %+v", standing[false], standing[true])
		}
	})
}

// plant writes a random tree, and draws what of it is hunted.
func plant(r *rapid.T, root string) (targets []edr.Target) {
	names := rapid.SampledFrom([]string{"a", "o'dd", "ü", ".d", "sub dir"})
	for i := range rapid.IntRange(0, 25).Draw(r, "files") {
		path := filepath.Join(append([]string{root}, rapid.SliceOfN(names, 0, 3).Draw(r, "folders")...)...)
		if err := os.MkdirAll(path, 0o755); err != nil {
			r.Fatal(err)
		}
		content := rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(r, "content")
		if err := os.WriteFile(filepath.Join(path, fmt.Sprintf("f%d\n", i)), content, 0o600); err != nil {
			r.Fatal(err)
		}
		f := sums(content)
		if f.Best(); rapid.Bool().Draw(r, "hunted") {
			if _, junk := indicator.Junk(f.Best()); junk {
				continue
			}
			kind := rapid.SampledFrom(indicator.DigestKinds()).Draw(r, "kind")
			known := indicator.File{}
			known.SetDigest(kind, f.Digest(kind))
			if rapid.Bool().Draw(r, "sized") {
				known.Size = f.Size
			}
			targets = append(targets, edr.Target{Ask: indicator.Indicator{Kind: kind, Value: f.Digest(kind)}, File: known})
		}
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		r.Fatal(err)
	}
	return targets
}

// What runs is found blind, with its process.
func TestBlindFindsWhatRuns(t *testing.T) {
	t.Parallel()
	engine, err := embedded.Open(embedded.Options{NoCache: true, ReadMax: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	f := sums(content)
	ask := edr.Target{Ask: indicator.Indicator{Kind: indicator.MD5, Value: f.MD5}, File: indicator.File{MD5: f.MD5, SHA256: f.SHA256}}
	s := edr.DefaultSearch()
	s.Where = []ledger.Stage{ledger.Running, ledger.Autoruns}
	for _, flavor := range []osquery.Flavor{osquery.Osqueryd(), osquery.Embedded("")} {
		qs, err := osquery.Compile(flavor, edr.Endpoint{Platform: "linux", Blind: "not approved"}, edr.Work{Targets: []edr.Target{ask}, Search: s})
		if err != nil {
			t.Fatal(err)
		}
		hits, cov := asking(t, engine, qs)
		i := slices.IndexFunc(hits, func(h ledger.HitRow) bool { return h.PID == int64(os.Getpid()) })
		if i < 0 || cov.State != ledger.Hit {
			t.Fatalf("%+v, %+v", hits, cov)
		}
		h := hits[i]
		if h.Path != self || h.SHA256 != f.SHA256 || h.SHA1 != f.SHA1 || h.Matched != ask.Ask || h.Cmdline == "" || h.StartedAt.IsZero() || h.Size != f.Size || h.FoundIn != ledger.Running || h.Conflict {
			t.Errorf("%+v", h)
		}
	}
}

// A place that is named by a digest is not told; the folder that it is in is looked at, the file is found all the same.
func TestBlindPlacesDoNotTell(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := []byte("a sample")
	f := sums(content)
	path := filepath.Join(dir, strings.ToUpper(f.SHA256)+".bin")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s := edr.DefaultSearch()
	s.Where, s.First, s.Unsized = []ledger.Stage{ledger.Files}, []edr.Place{{Host: "h", Path: path}}, edr.UnsizedSkip
	ep := edr.Endpoint{Hostname: "h", Platform: "linux", Blind: "not approved"}
	w := edr.Work{Targets: []edr.Target{{Ask: f.Best(), File: indicator.File{SHA256: f.SHA256}}}, Search: s}
	qs, err := osquery.Compile(osquery.Osqueryd(), ep, w)
	if err != nil || len(qs) != 1 || qs[0].Root != dir {
		t.Fatalf("%+v, %v", qs, err)
	}
	engine, err := embedded.Open(embedded.Options{NoCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = engine.Close() })
	if hits, _ := asking(t, engine, qs); len(hits) != 1 || hits[0].Path != path {
		t.Errorf("%+v", hits)
	}
	w.Search.Paths, w.Search.Unsized = map[string][]string{"": {path}}, edr.UnsizedPlaces
	if _, err := osquery.Compile(osquery.Osqueryd(), ep, w); err == nil || !strings.Contains(err.Error(), "names a digest") {
		t.Errorf("a place that a person named by a digest: %v", err)
	}
}
