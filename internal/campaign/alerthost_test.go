package campaign_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// An alert's host is asked for the alert's own file first; its size makes the question to the others a cheap one.
func TestAlertHostTellsTheSize(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 4)
	s := f.spec(f.digest)
	s.Search.First = []edr.Place{{Host: "WS-002.example", Path: f.root + "/deep/evil.bin"}}
	run := f.request(s)
	f.turn(time.Second)
	if h := f.poll(0); h != nil {
		t.Fatalf("another host is asked at once: %s", h.Name)
	}
	h := f.poll(2)
	if h == nil || !strings.Contains(h.Name, "files-alert") {
		t.Fatalf("the alert's host is asked %+v", h)
	}
	f.turn(time.Second)
	if h := f.poll(1); h != nil {
		t.Fatalf("another host is asked while the first one works: %s", h.Name)
	}
	f.deliver(2, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
	f.turn(time.Second)
	for _, i := range []int{0, 1, 3} {
		h := f.poll(i)
		if h == nil || !strings.Contains(h.Name, "files-sized") {
			t.Fatalf("node %d is asked %+v", i, h)
		}
		f.deliver(i, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, i == 3)})
	}
	f.work(2, true)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 2, ledger.Absent: 2})
	if e := f.events(run, results.EventReplanned); len(e) != 1 || !strings.Contains(e[0].Detail, `"targets":3`) {
		t.Errorf("%+v", e)
	}
}

// A host that says nothing of the file's size, in time or at all, keeps nobody: the others are asked for files of any size.
func TestAlertHostIsSilent(t *testing.T) {
	t.Parallel()
	for name, answers := range map[string]bool{"no answer": false, "the file is gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 2)
			s := f.spec(f.digest)
			s.Search.First = []edr.Place{{Host: "ws-001", Path: f.root + "/deep/evil.bin"}}
			run := f.request(s)
			f.turn(time.Second)
			if answers {
				f.work(1, false)
			} else {
				f.turn(time.Minute)
				if h := f.poll(0); h != nil {
					t.Fatalf("node 0 is asked %s", h.Name)
				}
				f.turn(time.Minute)
			}
			f.turn(time.Second)
			if h := f.poll(0); h == nil || !strings.Contains(h.Name, "files-any") {
				t.Fatalf("node 0 is asked %+v", h)
			}
			if e := f.events(run, results.EventReplanned); len(e) != 1 || !strings.Contains(e[0].Detail, "of any size") {
				t.Errorf("%+v", e)
			}
		})
	}
}
