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
		if h := f.poll(i); h == nil || !strings.Contains(h.Name, "files-any") { // the host may have lied
			t.Fatalf("then node %d is asked %+v", i, h)
		} else {
			f.deliver(i, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, i == 3)})
		}
	}
	f.work(2, true)
	f.turn(time.Second)
	f.wants(run, results.RunFinished, campaign.ExitHits, map[ledger.State]int{ledger.Hit: 2, ledger.Absent: 2})
	if e := f.events(run, results.EventReplanned); len(e) != 1 || !strings.Contains(e[0].Detail, `"targets":3`) {
		t.Errorf("%+v", e)
	}
	if s := f.target(run, 0).Scope; !strings.Contains(s, "ws-002 tells that") {
		t.Errorf("scope %q", s)
	}
}

// The alert's host is in an attacker's hands, and tells a wrong size: the file is found elsewhere all the same. A size that can not have
// been read raises no limit.
func TestAlertHostLies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ size, want string }{
		"another size": {"7", "files-sized"}, "more than is read": {"99999999999", "files-any"}, "none": {"-1", "files-any"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, 2)
			s := f.spec(f.digest)
			s.Search.First = []edr.Place{{Host: "ws-001", Path: f.root + "/deep/evil.bin"}}
			run := f.request(s)
			f.turn(time.Second)
			h := f.poll(1)
			rows := copied(f.run(h.Text, true))
			for _, r := range rows {
				if r["kind"] == "hit" {
					r["size"] = c.size
				}
			}
			f.deliver(1, ledger.Delivery{Name: h.Name, Rows: rows})
			f.turn(time.Second)
			if h := f.poll(0); h == nil || !strings.Contains(h.Name, c.want) || strings.Contains(h.Text, "99999999999") {
				t.Fatalf("node 0 is asked %+v", h)
			} else {
				f.deliver(0, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
			}
			f.work(0, true)
			if c := f.target(run, 0).Coverage; c.State != ledger.Hit {
				t.Errorf("%+v", c)
			}
		})
	}
}

// The run is on another tool as well, and a host is named that only this one knows: the size is used, and keeps nobody.
func TestAlertHostBesideAnotherTool(t *testing.T) {
	t.Parallel()
	f := newFleet(t, 2)
	local := newSpy(t)
	eps, err := local.Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.serveTool(f.tool, local)
	s := f.spec(f.digest)
	s.Tools = []string{"fleet", "this-machine"}
	s.Select.Hosts = []string{"ws-000", "ws-001", eps[0].ID}
	s.Search.First = []edr.Place{{Host: "ws-001", Path: f.root + "/deep/evil.bin"}}
	run := f.request(s)
	f.turn(time.Second)
	h := f.poll(1)
	f.deliver(1, ledger.Delivery{Name: h.Name, Rows: f.run(h.Text, true)})
	f.turn(time.Second)
	if h := f.poll(0); h == nil || !strings.Contains(h.Name, "files-sized") {
		t.Errorf("node 0 is asked %+v; %+v", h, f.events(run, results.EventReplanned))
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
