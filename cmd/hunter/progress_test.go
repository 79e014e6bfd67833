package main

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/ledger"
)

// screen is a progress on a writer, with a clock of the test.
type screen struct {
	*progress
	buf  *bytes.Buffer
	time time.Time
}

func newScreen(live, quiet bool) *screen {
	s := &screen{buf: &bytes.Buffer{}, time: time.Unix(1_764_000_000, 0)}
	g := &globals{quiet: quiet}
	g.err = s.buf
	s.progress = &progress{g: g, live: live, width: 120, now: func() time.Time { return s.time }}
	return s
}

func (s *screen) pass(d time.Duration) { s.time = s.time.Add(d) }

// lines gives what was written since the last call: of a terminal each text that stood there.
func (s *screen) lines() []string {
	var out []string
	for _, l := range strings.FieldsFunc(s.buf.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if strings.TrimSpace(l) != "" {
			out = append(out, l)
		}
	}
	s.buf.Reset()
	return out
}

const (
	onePiece = 1 << 20
	rootOne  = "00-files-any-00"
	rootTwo  = "00-files-any-01"
)

// foretold is a forecast of two questions: 300 files in 300 MiB, 100 files in 100 MiB.
func foretold() campaign.Forecast {
	return campaign.Forecast{
		Cost: edr.Cost{Files: 400, Bytes: 400 * onePiece}, Takes: 40 * time.Second,
		Each: map[campaign.Pair]map[string]edr.Cost{{Endpoint: "e", Tool: "t"}: {
			rootOne: {Files: 300, Bytes: 300 * onePiece}, rootTwo: {Files: 100, Bytes: 100 * onePiece},
		}},
	}
}

func at(kind campaign.EventKind, id, root string, done int) campaign.Event {
	return campaign.Event{Kind: kind, Endpoint: "e", Tool: "t", Done: done, Total: 2, Query: ledger.Query{ID: id, Stage: ledger.Files, Root: root}}
}

// read tells the meter of so many files of one MiB.
func (s *screen) reads(files int) {
	for range files {
		s.meter(embedded.Work{Bytes: onePiece})
		s.meter(embedded.Work{Files: 1})
	}
}

func TestBarTellsWhatIsLeft(t *testing.T) {
	t.Parallel()
	s := newScreen(true, false)
	s.event(campaign.Event{Kind: campaign.EventEstimated, Forecast: foretold()})
	s.event(at(campaign.EventAsking, rootOne, "/home", 0))
	s.pass(10 * time.Second)
	s.reads(100)
	s.pass(time.Second)
	s.reads(0)
	s.meter(embedded.Work{})
	s.event(at(campaign.EventAnswered, rootOne, "/home", 1))
	s.meter(embedded.Work{Files: 1}) // after the answer there is nothing to tell
	s.pass(19 * time.Second)
	s.event(at(campaign.EventAsking, rootTwo, "/o\x1bpt", 1))
	s.pass(time.Second)
	s.reads(200) // more than was foretold: others write too
	s.pass(time.Second)
	s.meter(embedded.Work{})
	s.end()
	want := []string{
		"to read: 400 files, 400 MiB, about 40 s",
		"[                    ] 0%, 0 of 400 files, 0 bytes of 400 MiB, about 40 s left; files /home",
		"[                    ] 0%, 0 of 400 files, 1 MiB of 400 MiB, about 40 s left; files /home",
		"[#####               ] 25%, 100 of 400 files, 100 MiB of 400 MiB, about 33 s left; files /home",
		`[###############     ] 75%, 300 of 400 files, 300 MiB of 400 MiB, about 10 s left; files /o\x1bpt`,
		`[###############     ] 75%, 300 of 400 files, 301 MiB of 400 MiB, about 11 s left; files /o\x1bpt`,
		`[####################] 100%, 400 of 400 files, 400 MiB of 400 MiB; files /o\x1bpt`,
	}
	raw := s.buf.String()
	if diff := cmp.Diff(want, s.lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.HasSuffix(raw, "\r") || strings.Contains(raw, "\x1b") {
		t.Errorf("a line is left, or there are colours: %q", raw)
	}
	s.pass(time.Hour)
	s.meter(embedded.Work{Files: 1})
	if got := s.lines(); got != nil {
		t.Errorf("after the end: %q", got)
	}
}

func TestPlainLinesNowAndThen(t *testing.T) {
	t.Parallel()
	s := newScreen(false, false)
	s.event(campaign.Event{Kind: campaign.EventEstimated, Forecast: foretold()})
	s.lines()
	s.event(at(campaign.EventAsking, rootOne, "/home", 0))
	for range 25 {
		s.pass(time.Second)
		s.reads(8)
	}
	want := []string{
		"progress: 18%, 72 of 400 files, 73 MiB of 400 MiB, about 45 s left; files /home",
		"progress: 38%, 152 of 400 files, 153 MiB of 400 MiB, about 33 s left; files /home",
	}
	if diff := cmp.Diff(want, s.lines()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	quiet := newScreen(false, true)
	quiet.event(campaign.Event{Kind: campaign.EventEstimated, Forecast: foretold()})
	quiet.event(at(campaign.EventAsking, rootOne, "/home", 0))
	quiet.pass(time.Hour)
	quiet.reads(9)
	if got := quiet.lines(); got != nil {
		t.Errorf("quiet, yet %q", got)
	}
}

// What was not counted, or not to the end, has no share of what was read: the questions are counted.
func TestBarWithoutForecast(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]campaign.Forecast{"none": {}, "not to the end": {Cost: edr.Cost{Files: 5, Bytes: 5, Least: true}}} {
		s := newScreen(true, false)
		s.read.foretold(f)
		s.event(at(campaign.EventAsking, rootOne, "/home", 1))
		s.pass(time.Second)
		s.reads(1234)
		s.pass(time.Second)
		s.meter(embedded.Work{})
		got := s.lines()
		if want := "[##########          ] 1/2 questions; files /home"; got[0] != want {
			t.Errorf("%s: %q instead of %q", name, got[0], want)
		}
		if want := "[##########          ] 1/2 questions, 1,234 files, 1.2 GiB read; files /home"; got[len(got)-1] != want {
			t.Errorf("%s: %q instead of %q", name, got[len(got)-1], want)
		}
		s.width = 20
		s.pass(time.Second)
		s.meter(embedded.Work{})
		if got := s.lines(); len([]rune(got[0])) > 20 {
			t.Errorf("%q is wider than the terminal", got)
		}
	}
}

// In a narrow terminal the line says what matters most.
func TestBarFits(t *testing.T) {
	t.Parallel()
	parts := []string{"14%", "3,358 of 66,693 files, 1.1 GiB of 4.9 GiB", "about 21 s left"}
	for width, want := range map[int]string{
		120: "[##  ] 14%, 3,358 of 66,693 files, 1.1 GiB of 4.9 GiB, about 21 s left; files /home/änna",
		87:  "[##  ] 14%, 3,358 of 66,693 files, 1.1 GiB of 4.9 GiB, about 21 s left; files /home/än…",
		80:  "[##  ] 14%, 3,358 of 66,693 files, 1.1 GiB of 4.9 GiB, about 21 s left",
		60:  "[##  ] 14%, about 21 s left; files /home/änna",
		40:  "[##  ] 14%, about 21 s left",
		28:  "[##  ] 14%, about 21 s left",
		20:  "[##  ] 14%, about 2…",
		1:   "…",
	} {
		got := fitting(width, "[##  ] ", parts, "files /home/änna")
		if got != want || utf8.RuneCountInString(got) > width {
			t.Errorf("%d: %q instead of %q", width, got, want)
		}
	}
	if got := fitting(40, "[##  ] ", parts[:1], "running"); got != "[##  ] 14%; running" {
		t.Errorf("%q", got)
	}
}

// The engine's goroutines and the run tell at the same time.
func TestProgressIsShared(t *testing.T) {
	t.Parallel()
	s := newScreen(true, false)
	s.event(at(campaign.EventAsking, rootOne, "/home", 0))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { s.reads(100) })
	}
	s.event(at(campaign.EventAnswered, rootOne, "/home", 1))
	all.Wait()
	if s.read.total.Files != 400 || s.read.total.Bytes != 400*onePiece {
		t.Errorf("%+v", s.read.total)
	}
}
