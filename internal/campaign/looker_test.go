package campaign_test

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// lookWords asks two things; what is answered decides what is read.
type lookWords struct{}

func (lookWords) Queries(n ledger.Node) []ledger.Query {
	return []ledger.Query{{ID: "look", Text: "look at " + n.Platform}, {ID: "labels", Text: "labels"}}
}

func (lookWords) Read(_ ledger.Node, q ledger.Query, d ledger.Delivery) ledger.Look {
	switch {
	case q.ID == "look":
		return ledger.Look{Able: true, Version: d.Rows[0]["name"]}
	case d.Status != 0:
		return ledger.Look{Again: []ledger.Query{{ID: "label:a", Text: "label a"}, {ID: "label:b", Text: "label b"}}}
	default:
		return ledger.Look{Labels: map[string]bool{strings.TrimPrefix(q.ID, "label:"): true}}
	}
}

type lookFleet struct {
	*campaign.Looker
	s        *results.Store
	receiver *campaign.Receiver
	at       time.Time
}

func lookKey(id string) ledger.KeyHash { return sha256.Sum256([]byte(id)) }

func newLookFleet(t *testing.T, nodes ...string) *lookFleet {
	t.Helper()
	s, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "hunter.db"), results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f := &lookFleet{s: s, at: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)}
	w, _ := s.DB()
	for _, id := range nodes {
		key := lookKey(id)
		if _, err := w.ExecContext(t.Context(), `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved, enrolled_at, last_seen)
			VALUES (?1, ?2, ?1, ?1, 'linux', '{}', 'osquery', '', '', 'main', '', 0, ?3, ?3)`, id, key[:], f.at.Format("2006-01-02T15:04:05.000Z")); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	f.Looker = &campaign.Looker{
		Store: s, Words: lookWords{}, PerMinute: 2, Now: func() time.Time { return f.at },
		NewID: func() string { n++; return fmt.Sprintf("0193a000-0000-7000-8000-%012d", n) },
	}
	f.receiver = campaign.NewReceiver(s, campaign.ReceiverOptions{Own: f.Looker.Take})
	return f
}

func (f *lookFleet) post(t *testing.T, want int) {
	t.Helper()
	if n, err := f.Post(t.Context()); err != nil || n != want {
		t.Errorf("%d nodes are asked instead of %d, %v", n, want, err)
	}
}

// poll gives what a node is handed, "" when nothing is due.
func (f *lookFleet) poll(t *testing.T, id string) (name, text string) {
	t.Helper()
	f.at = f.at.Add(10 * time.Second)
	p, known, err := f.s.Poll(t.Context(), lookKey(id), f.at)
	if err != nil || !known {
		t.Fatalf("%v %v", known, err)
	}
	if p.Handout == nil {
		return "", ""
	}
	return p.Handout.Name, p.Handout.Text
}

func (f *lookFleet) take(t *testing.T, n ledger.Node, d ledger.Delivery) {
	t.Helper()
	d.ReceivedAt = f.at
	if err := f.receiver.Deliver(t.Context(), n, []ledger.Delivery{d}); err != nil {
		t.Errorf("%s: %v", d.Name, err)
	}
}

func (f *lookFleet) inventory(t *testing.T, id string) results.NodeRow {
	t.Helper()
	all, err := f.s.Inventory(t.Context(), results.NodeFilter{Host: id})
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	return all[0]
}

// Nodes are asked a few at a time, one question a poll; what they say is known then, and they are not asked again that day.
func TestNodesAreLookedAt(t *testing.T) {
	t.Parallel()
	f := newLookFleet(t, "h1", "h2", "h3")
	f.post(t, 2)
	f.post(t, 1)
	f.post(t, 0)
	n := ledger.Node{ID: "h1"}
	name, text := f.poll(t, "h1")
	if text != "look at linux" || !strings.HasPrefix(name, "hunter-node-look-") {
		t.Fatalf("%q %q", name, text)
	}
	for range 2 { // an answer may come twice
		f.take(t, n, ledger.Delivery{Name: name, Rows: []ledger.Row{{"name": "5.23.0"}}})
	}
	labels, text := f.poll(t, "h1")
	if text != "labels" {
		t.Fatalf("%q", text)
	}
	for range 2 {
		f.take(t, n, ledger.Delivery{Name: labels, Status: 1, Message: "no such table: x"})
	}
	for range 2 {
		one, text := f.poll(t, "h1")
		if !strings.HasPrefix(text, "label ") {
			t.Fatalf("%q", text)
		}
		f.take(t, n, ledger.Delivery{Name: one})
	}
	if name, text := f.poll(t, "h1"); name != "" {
		t.Errorf("%s is asked too: %s", name, text)
	}
	got := f.inventory(t, "h1")
	if got.Version != "5.23.0" || cmp.Diff([]string{"a", "b"}, got.Labels) != "" || got.LookedAt.IsZero() {
		t.Errorf("%+v", got)
	}
	f.post(t, 0)
}

// What was never asked, or asked of another node, is refused; of two machines with one identity neither is believed.
func TestLooksOfOthersAreRefused(t *testing.T) {
	t.Parallel()
	f := newLookFleet(t, "h1", "h2")
	f.post(t, 2)
	name, _ := f.poll(t, "h1")
	for id, d := range map[string]ledger.Delivery{"h1": {Name: "hunter-node-look-x"}, "h2": {Name: name, Rows: []ledger.Row{{"name": "6.6.6"}}}} {
		f.take(t, ledger.Node{ID: id}, d)
		if got := f.inventory(t, id); got.Version != "" || !got.LookedAt.IsZero() {
			t.Errorf("%s, %s: %+v", id, d.Name, got)
		}
	}
	f.take(t, ledger.Node{ID: "h1", Twin: "two machines"}, ledger.Delivery{Name: name, Rows: []ledger.Row{{"name": "6.6.6"}}})
	if got := f.inventory(t, "h1"); got.Version != "" || !strings.HasPrefix(got.LookNote, "not taken: two machines") {
		t.Errorf("%+v", got)
	}
}
