package results_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
	"github.com/hunter-project/hunter/internal/results/resultstest"
)

// What the remote API needs to know of nodes.
var _ remote.Nodes = (*results.Store)(nil)

func keyNo(n int) ledger.KeyHash { return sha256.Sum256(fmt.Append(nil, "key ", n)) }

func enrolment(key int, identifier, instance string, at time.Time) ledger.Enrolment {
	return ledger.Enrolment{
		Key: keyNo(key), At: at, Approved: true, Agent: ledger.AgentOsquery, Version: "5.23.0", Instance: instance, Secret: "first", Address: "192.0.2.7",
		Host: ledger.Host{
			Identifier: identifier, Hostname: "web-01.example", Computer: "WEB-01", UUID: "u-1", Serial: "S1", Platform: "linux",
			OS: "Debian GNU/Linux 12 (bookworm)", Arch: "x86_64", CPUs: 4, Memory: 8 << 30,
		},
	}
}

func enroll(t testing.TB, s *results.Store, e ledger.Enrolment) ledger.Node {
	t.Helper()
	n, err := s.Enroll(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func nodesStore(t testing.TB) *results.Store {
	return open(t, filepath.Join(t.TempDir(), "hunter.db"), results.Options{})
}

func seenAt(t testing.TB, s *results.Store, at time.Time, nodes ...string) {
	t.Helper()
	seen := map[string]time.Time{}
	for _, n := range nodes {
		seen[n] = at
	}
	if err := s.Seen(t.Context(), seen); err != nil {
		t.Fatal(err)
	}
}

func byKey(t testing.TB, s *results.Store, key int) (ledger.Node, bool) {
	t.Helper()
	n, known, err := s.NodeByKey(t.Context(), keyNo(key))
	if err != nil {
		t.Fatal(err)
	}
	return n, known
}

// A node comes back as it enrolled, bytes that are no UTF-8 too.
func TestNodeRoundTrip(t *testing.T) {
	t.Parallel()
	s := nodesStore(t)
	e := enrolment(1, "id-\xff-1", "i1", resultstest.At(0))
	e.Host.Hostname = "caf\xe9"
	got := enroll(t, s, e)
	want := ledger.Node{
		ID: got.ID, Host: e.Host, Agent: e.Agent, Version: e.Version, Instance: "i1", Approved: true, EnrolledAt: e.At, LastSeen: e.At,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	w, _ := s.DB()
	execAll(t, w, `INSERT INTO node_label (node, label, since) VALUES ('`+got.ID+`', 'web', 'x'), ('`+got.ID+`', 'dmz', 'x')`)
	want.Labels = []string{"dmz", "web"}
	found, known := byKey(t, s, 1)
	if diff := cmp.Diff(want, found); diff != "" || !known {
		t.Error(known, diff)
	}
	all, err := s.Nodes(t.Context())
	if diff := cmp.Diff([]ledger.Node{want}, all); diff != "" || err != nil {
		t.Error(err, diff)
	}
	if _, known := byKey(t, s, 2); known {
		t.Error("a key that nobody was given is known")
	}
	if text := fmt.Sprint(resultstest.Table(t, s, `SELECT * FROM node`)); strings.Contains(text, "key 1") {
		t.Error("the key itself is stored")
	}
}

// Who enrols again: one whose key fell silent is the same node; one whose key lives gets a second one.
func TestEnrollAgain(t *testing.T) {
	t.Parallel()
	const used, unused = true, false
	for name, tc := range map[string]struct {
		used     bool // the first key polled, a second after it was given
		after    time.Duration
		silent   time.Duration
		instance string
		same     bool
	}{
		"silent":                                 {used, 10 * time.Minute, 0, "other", true},
		"silent for less than three minutes":     {used, 2 * time.Minute, time.Second, "i1", false},
		"live":                                   {used, 30 * time.Second, 0, "other", false},
		"live, long intervals":                   {used, 10 * time.Minute, 30 * time.Minute, "i1", false},
		"silent, long intervals":                 {used, 31 * time.Minute, 30 * time.Minute, "i1", true},
		"the answer was lost":                    {unused, time.Second, 0, "i1", true},
		"another installation, the first sleeps": {unused, time.Second, 0, "i2", false},
		"no installation is no proof":            {unused, time.Second, 0, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := nodesStore(t)
			at := resultstest.At(0)
			first := enrolment(1, "one", "i1", at)
			if tc.instance == "" {
				first.Instance = ""
			}
			a := enroll(t, s, first)
			if tc.used {
				seenAt(t, s, at.Add(time.Second), a.ID)
			}
			e := enrolment(2, "one", tc.instance, at.Add(time.Second+tc.after))
			e.Silent, e.Host.Hostname, e.Address, e.Approved = tc.silent, "renamed", "192.0.2.8", false
			b := enroll(t, s, e)
			if (a.ID == b.ID) != tc.same {
				t.Fatalf("%s and %s", a.ID, b.ID)
			}
			if _, known := byKey(t, s, 1); known == tc.same {
				t.Error("the first key:", known)
			}
			if n, known := byKey(t, s, 2); !known || n.ID != b.ID || n.Hostname != "renamed" {
				t.Errorf("%+v %t", n, known)
			}
			if b.Approved != (tc.same && tc.instance == "i1") {
				t.Error("approved:", b.Approved)
			}
			_, rows := resultstest.Table(t, s, `SELECT value FROM node_name WHERE node = '`+b.ID+`' AND kind IN ('hostname', 'address') ORDER BY value`)
			if want := map[bool]int{true: 4, false: 2}[tc.same]; len(rows) != want {
				t.Errorf("%d names instead of %d: %v", len(rows), want, rows)
			}
		})
	}
}

// An identifier whose key was live when it enrolled again may be two machines: both are doubted, after three minutes only if both
// were seen since.
func TestTwins(t *testing.T) {
	t.Parallel()
	s := nodesStore(t)
	at := resultstest.At(0)
	a := enroll(t, s, enrolment(1, "clone\x1b[31m", "i1", at))
	seenAt(t, s, at.Add(time.Second), a.ID)
	b := enroll(t, s, enrolment(2, "clone\x1b[31m", "i1", at.Add(time.Minute)))
	if a.ID == b.ID || !strings.Contains(b.Twin, a.ID) {
		t.Fatalf("%+v", b)
	}
	if n, _ := byKey(t, s, 1); !strings.Contains(n.Twin, b.ID) {
		t.Errorf("the first may be another machine: %q", n.Twin)
	}
	seenAt(t, s, at.Add(4*time.Minute), b.ID)
	for key := range 2 {
		if n, _ := byKey(t, s, key+1); n.Twin != "" {
			t.Errorf("the first was not seen since: %q", n.Twin)
		}
	}
	seenAt(t, s, at.Add(5*time.Minute), a.ID)
	for key, other := range map[int]string{1: b.ID, 2: a.ID} {
		n, _ := byKey(t, s, key)
		if !strings.Contains(n.Twin, other) || !strings.Contains(n.Twin, `clone\x1b[31m`) {
			t.Errorf("key %d: %q", key, n.Twin)
		}
	}
	seenAt(t, s, at, a.ID) // an older time changes nothing
	if n, _ := byKey(t, s, 1); !n.LastSeen.Equal(at.Add(5 * time.Minute)) {
		t.Error(n.LastSeen)
	}
	for after, twins := range map[time.Duration]bool{3 * time.Hour: true, 3*time.Hour + time.Millisecond: false} { // the first falls silent
		s := nodesStore(t)
		a := enroll(t, s, enrolment(1, "clone", "i1", at))
		seenAt(t, s, at.Add(time.Second), a.ID)
		b := enroll(t, s, enrolment(2, "clone", "i1", at.Add(time.Minute)))
		seenAt(t, s, at.Add(2*time.Minute), a.ID)
		seenAt(t, s, at.Add(2*time.Minute+after), b.ID)
		if n, _ := byKey(t, s, 2); (n.Twin != "") != twins {
			t.Errorf("%s after the other was seen last: %q", after, n.Twin)
		}
		if n, _ := byKey(t, s, 1); n.Twin == "" {
			t.Error("what the silent one said last may be of either")
		}
		seenAt(t, s, at.Add(3*time.Minute+after), a.ID)
		if n, _ := byKey(t, s, 2); n.Twin == "" {
			t.Error("the other one is back")
		}
	}
}

// After the clock was set back nothing that is open has a moment in the future; what is past stays.
func TestSetBack(t *testing.T) {
	t.Parallel()
	s, nodes := fleetOf(t, 2, results.Options{})
	if _, _, err := s.Poll(t.Context(), resultstest.KeyOf(nodes[0]), resultstest.At(100)); err != nil {
		t.Fatal(err)
	}
	seenAt(t, s, resultstest.At(100), nodes[0])
	seenAt(t, s, resultstest.At(3), nodes[1])
	if err := s.SetBack(t.Context(), resultstest.At(5)); err != nil {
		t.Fatal(err)
	}
	open, err := s.Unsettled(t.Context(), resultstest.RunOne)
	if err != nil || len(open) != 2 || !open[0].LastSeen.Equal(resultstest.At(5)) || !open[0].HandedAt.Equal(resultstest.At(5)) ||
		!open[1].LastSeen.Equal(resultstest.At(3)) || !open[1].ReleasedAt.Equal(resultstest.At(0)) {
		t.Errorf("%+v, %v", open, err)
	}
	if _, err := s.Forget(t.Context(), nodes[:1]); err != nil {
		t.Fatal(err)
	}
	open, err = s.Unsettled(t.Context(), resultstest.RunOne)
	if err != nil || len(open) != 2 || !open[0].Forgotten || open[1].Forgotten {
		t.Errorf("%+v, %v", open, err)
	}
}

// machine is an installation that enrols and polls.
type machine struct {
	identifier, instance string
	key                  int // 0: none
}

// In any order of events: a key that was used lately is never replaced; a node has one key, the last that was given for
// it; nodes and names are never lost; two nodes are twins exactly when both were seen since the later got its key, or when the first's
// key was live then and the later has not been there for three minutes.
func TestEnrollAnyOrder(t *testing.T) {
	t.Parallel()
	s, checks, keys := nodesStore(t), 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		checks++
		of := func(name string) string { return fmt.Sprint(checks, name) }
		now := resultstest.At(0)
		machines := []*machine{{of("one"), "a", 0}, {of("one"), "b", 0}, {of("one"), "a", 0}, {of("two"), "c", 0}, {of("two"), "", 0}}
		model := map[string]*ledger.Node{}       // by id
		holder, before := map[int]string{}, keys // key -> node, while it holds
		for range rapid.IntRange(1, 25).Draw(rt, "events") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 1000, 60_000, 170_000, 200_000}).Draw(rt, "ms")) * time.Millisecond)
			m := rapid.SampledFrom(machines).Draw(rt, "machine")
			id, known := holder[m.key]
			if known && rapid.Bool().Draw(rt, "polls") {
				if err := s.Seen(t.Context(), map[string]time.Time{id: now, "nobody": now}); err != nil {
					rt.Fatal(err)
				}
				model[id].LastSeen = now
				continue
			}
			keys++
			m.key = keys
			n, err := s.Enroll(t.Context(), enrolment(keys, m.identifier, m.instance, now))
			if err != nil {
				rt.Fatal(err)
			}
			if old, ok := model[n.ID]; ok {
				live := now.Sub(old.LastSeen) <= 3*time.Minute
				unused := old.LastSeen.Equal(old.EnrolledAt) && old.Instance == m.instance && m.instance != ""
				if old.Identifier != m.identifier || (live && !unused) {
					rt.Fatalf("the place of %+v is taken at %s", old, now)
				}
				for k, id := range holder {
					if id == n.ID {
						delete(holder, k)
					}
				}
			}
			model[n.ID], holder[keys] = &n, n.ID
		}
		all, err := s.Nodes(t.Context())
		all = slices.DeleteFunc(all, func(n ledger.Node) bool { return model[n.ID] == nil })
		if err != nil || len(all) != len(model) {
			rt.Fatalf("%d nodes instead of %d: %v", len(all), len(model), err)
		}
		for key := before + 1; key <= keys; key++ {
			n, known, err := s.NodeByKey(t.Context(), keyNo(key))
			if err != nil || known != (holder[key] != "") || (known && n.ID != holder[key]) {
				rt.Fatalf("key %d: %s %t %v", key, n.ID, known, err)
			}
		}
		for _, n := range all {
			twin := false
			for _, o := range model {
				if o.ID != n.ID && o.Identifier == n.Identifier {
					first, second := *o, n
					if !n.EnrolledAt.After(o.EnrolledAt) {
						first, second = n, *o
					}
					later := second.EnrolledAt
					both := !o.LastSeen.Before(later) && !n.LastSeen.Before(later)
					young := !first.LastSeen.Before(later.Add(-3*time.Minute)) && second.LastSeen.Before(later.Add(3*time.Minute))
					twin = twin || both || young
				}
			}
			if !n.LastSeen.Equal(model[n.ID].LastSeen) || (n.Twin != "") != twin {
				rt.Fatalf("%+v, want twin %t, last seen %s", n, twin, model[n.ID].LastSeen)
			}
		}
	})
}

// Many enrol at once, of one identifier and of many, while others poll: every key that was given and not replaced holds.
func TestEnrollAtOnce(t *testing.T) {
	t.Parallel()
	s := nodesStore(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for i := range 40 {
		all.Go(func() {
			e := enrolment(i, fmt.Sprint("m", i%20), fmt.Sprint("i", i), resultstest.At(0).Add(time.Duration(i)*time.Second))
			n, err := s.Enroll(context.Background(), e)
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Seen(context.Background(), map[string]time.Time{n.ID: e.At.Add(time.Minute)}); err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			ids[n.ID] = true
		})
	}
	all.Wait()
	nodes, err := s.Nodes(t.Context())
	if err != nil || len(nodes) != 40 || len(ids) != 40 {
		t.Errorf("%d nodes, %d ids: %v", len(nodes), len(ids), err)
	}
	for i := range 40 {
		if _, known := byKey(t, s, i); !known {
			t.Error("key", i)
		}
	}
}

func TestNodesWithoutDatabase(t *testing.T) {
	t.Parallel()
	s := nodesStore(t)
	ctx, cancel := cancelled(t)
	defer cancel()
	if _, _, err := s.NodeByKey(ctx, keyNo(1)); err == nil {
		t.Error("a failure reads as an unknown key")
	}
	if _, err := s.Enroll(ctx, enrolment(1, "x", "i", resultstest.At(0))); err == nil {
		t.Error("enrolled for a caller who has gone")
	}
	if _, err := s.Nodes(ctx); err == nil {
		t.Error("a failure reads as no nodes")
	}
}
