// Package edrtest is the suite that every tool passes, live or recorded. Each case makes the tool anew over a small world
// of endpoints, in which one thing is wrong, and hunts as a campaign does. What it holds a tool to: what was not looked at
// never looks like a "no", hits are never lost, nothing is asked that a tool does not take, no secret shows.
//
// A case that does not apply to a tool is skipped by name and with the reason; nothing passes in silence.
package edrtest

import (
	"context"
	"crypto/md5"  //nolint:gosec // an identifier
	"crypto/sha1" //nolint:gosec // an identifier
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
)

// Subject is a tool under test.
type Subject struct {
	// Make makes the tool over a world. What must be closed besides the tool goes to t.Cleanup.
	Make func(t testing.TB, w World) Made
	// LooksEmpty names the answers of this tool that hold nothing and are no "no"; Make gets the name as World.Variant.
	LooksEmpty []string
	Secrets    []string // as the tool has them; none: it has none
	MaxText    int      // the longest text of a query that the other side takes; 0: no limit
	// Lacks lists the faults that this tool can not have, each with the reason.
	Lacks map[Fault]string
}

// World is what there is, and what is wrong with it. There are at least two endpoints, or this machine alone.
type World struct {
	// Planted are the contents of files that the first endpoint has; other endpoints have none of them.
	Planted []string
	Fault   Fault
	Variant string // of LooksEmpty
	// Reached is to be called when a question hangs (Hang).
	Reached func()
}

// Made is a tool over its world.
type Made struct {
	Tool   edr.Tool
	Search edr.Search // where the planted files are looked for; zero is the default
	First  string     // id of the endpoint that has the planted files
	// Vanish takes the first endpoint away, with all that is known of it (Vanished).
	Vanish func()
}

// Fault is what is wrong with a world.
type Fault string

// The faults. None is a sound world.
const (
	None          Fault = ""
	Auth          Fault = "credentials refused"          // everything is refused
	Throttled     Fault = "throttled for good"           // every question is answered with "later"
	ThrottledOnce Fault = "throttled once"               // the first of all questions, with the time to wait
	LooksEmpty    Fault = "looks empty"                  // Variant says how
	CutInventory  Fault = "list of endpoints breaks off" // its second part fails
	CutAnswer     Fault = "answer breaks off"            // after the planted hit came
	Garbage       Fault = "garbage"                      // every answer to a question
	HTML          Fault = "HTML"                         // every answer to a question
	Hang          Fault = "no answer"                    // every question hangs until its context ends
	NoControl     Fault = "control missing"              // what must always be found is not
	Vanished      Fault = "endpoint vanishes"            // between plan and question, by Made.Vanish
	UpperCase     Fault = "digests in upper case"        // in every answer
	Strangers     Fault = "hits that nobody asked for"   // beside the good answer
)

// Faults lists all that can be wrong.
func Faults() []Fault {
	return []Fault{Auth, Throttled, ThrottledOnce, LooksEmpty, CutInventory, CutAnswer, Garbage, HTML, Hang, NoControl, Vanished, UpperCase, Strangers}
}

// FileOf gives the digests and the size of a file with this content.
func FileOf(content string) indicator.File {
	a, b, c := md5.Sum([]byte(content)), sha1.Sum([]byte(content)), sha256.Sum256([]byte(content)) //nolint:gosec // identifiers
	return indicator.File{MD5: hex.EncodeToString(a[:]), SHA1: hex.EncodeToString(b[:]), SHA256: hex.EncodeToString(c[:]), Size: int64(len(content))}
}

// testCase is one case of the suite.
type testCase struct {
	name  string
	fault Fault // skipped when the subject lacks it
	run   func(c *check)
}

func cases(s Subject) []testCase {
	out := []testCase{
		{"describe", None, describe},
		{"no hash", None, noHash},
		{"1 hash", None, func(c *check) { c.sizes(1) }},
		{"500 hashes", None, func(c *check) { c.sizes(500) }},
		{"10,000 hashes", None, func(c *check) { c.sizes(10_000) }},
		{"nothing found", None, nothingFound},
		{"stable texts", None, stableTexts},
		{"asked at the same time", None, atTheSameTime},
		{"secrets", None, secrets},
		{"closed twice", None, closedTwice},
		{"cancel", Hang, cancel},
		{string(CutInventory), CutInventory, cutInventory},
		{string(CutAnswer), CutAnswer, cutAnswer},
		{string(Vanished), Vanished, vanished},
	}
	for _, k := range indicator.DigestKinds() {
		out = append(out, testCase{"only " + string(k), None, func(c *check) { c.kind(k) }})
	}
	for _, f := range []Fault{ThrottledOnce, UpperCase, Strangers} {
		out = append(out, testCase{string(f), f, func(c *check) {
			c.found(World{Planted: []string{Hunted}, Fault: f}, []indicator.File{FileOf(Hunted), sample(1)})
		}})
	}
	for _, f := range []Fault{Auth, Throttled, Garbage, HTML, NoControl} {
		out = append(out, testCase{string(f), f, func(c *check) { c.neverNo(World{Fault: f}) }})
	}
	for _, v := range s.LooksEmpty {
		out = append(out, testCase{string(LooksEmpty) + ": " + v, LooksEmpty, func(c *check) { c.neverNo(World{Fault: LooksEmpty, Variant: v}) }})
	}
	return out
}

// Run runs the suite. It is not for parallel tests: it looks for goroutines that are left behind.
func Run(t *testing.T, s Subject) {
	t.Helper()
	for _, f := range Faults() {
		if f == LooksEmpty && len(s.LooksEmpty) == 0 && s.Lacks[f] == "" {
			t.Errorf("no answers that look empty are named, and no reason why there are none")
		}
	}
	for _, tc := range cases(s) {
		t.Run(tc.name, func(t *testing.T) {
			if why := s.Lacks[tc.fault]; why != "" {
				t.Skip("does not apply: " + why)
			}
			tc.run(&check{t: t, subject: s, ctx: t.Context(), problem: t.Error})
		})
	}
}

// Problems runs the named cases over a tool that is broken on purpose, and gives what each found, without failing t for
// it. A case that the suite does not have fails t.
func Problems(t *testing.T, s Subject, names ...string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	all := cases(s)
	for _, name := range names {
		i := slices.IndexFunc(all, func(tc testCase) bool { return tc.name == name })
		if i < 0 || s.Lacks[all[i].fault] != "" {
			t.Errorf("no case %q applies", name)
			continue
		}
		tc := all[i]
		t.Run(tc.name, func(t *testing.T) {
			tc.run(&check{t: t, subject: s, ctx: t.Context(), problem: func(args ...any) { out[tc.name] = append(out[tc.name], fmt.Sprint(args...)) }})
		})
	}
	return out
}

// check is one case under way.
type check struct {
	t       testing.TB
	subject Subject
	ctx     context.Context
	problem func(args ...any)
}

func (c *check) errorf(format string, args ...any) { c.problem(fmt.Sprintf(format, args...)) }

// make makes the tool, and closes it with the case.
func (c *check) make(w World) Made {
	if w.Reached == nil {
		w.Reached = func() {}
	}
	m := c.subject.Make(c.t, w)
	c.t.Cleanup(func() { _ = m.Tool.Close() }) // closedTwice looks at the error
	return m
}
