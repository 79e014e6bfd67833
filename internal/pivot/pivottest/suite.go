// Package pivottest is the suite that every provider of intelligence passes. It makes the provider anew for each case,
// against a service that it plays itself and whose requests it counts, or over a local store that it fills.
//
// A case that does not apply to a provider is skipped by name and with the reason; nothing passes in silence.
package pivottest

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// Subject is a provider under test.
type Subject struct {
	Name string // what the made provider calls itself
	// New makes the provider. What must be closed goes to t.Cleanup. A provider of a service asks setup.URL with
	// setup.HTTP, to which it adds its name and its secrets; a local one is filled with setup.World.
	New func(t testing.TB, setup Setup) pivot.Provider
	// Serve words a world as the service would: it answers every request that the provider makes. nil: a local provider.
	Serve func(w World) http.Handler
	// Stored gives the body of an answer that a local store keeps by its digest. nil: bodies come in Result.Raw.
	Stored func(p pivot.Provider, digest string) ([]byte, error)

	Kinds    []indicator.Kind   // what it can be asked, as Describe must say
	ReportID func(n int) string // the nth id in the form of the provider's own; nil is "report-N"

	Unknown       []Reply // each form of "nothing known", for any question
	UnknownReport []Reply // further forms, for a report alone
	Refusals      []Reply // each form of an answer that is an error though its status is 200
	// Endless is a service whose answer has no last page; nil: the provider does not page, and is sent round in redirects.
	Endless func(w World) http.Handler

	Secrets       []string // in full, as New gives them to the provider
	SecretHeaders []string // headers whose values no one may see, beside Authorization
	KeySettings   []string // settings one of which an error about the key must name; nil: not checked
	Config        any      // the configuration, printed to see that it shows no secret

	Recorded []Recorded // answers as they were recorded from the service or from its documentation

	Lacks map[Case]string // cases that do not apply, each with the reason

	Patience time.Duration // how long a question may hang; 30 seconds
}

// Setup is what a case makes a provider from.
type Setup struct {
	URL    string // of the service, without a slash at the end; "" for local providers
	World  World  // what a local provider knows
	MaxTLP indicator.TLP
	HTTP   httpx.Options // small waits, a memory and a clock, to be taken as they are
	Log    *slog.Logger  // for a provider that logs
}

// Reply is one answer of a service.
type Reply struct {
	Name   string
	Status int    // 0 is 200
	Type   string // "" is application/json
	Body   string
}

// Recorded is a recorded service and what must come of one question to it.
type Recorded struct {
	Name    string
	Service http.Handler
	Ask     indicator.Indicator   // what the pivot starts from, or
	Report  string                // the report that it starts from
	Depth   int                   // 0 is 1
	Files   []indicator.File      // must be known with all that is given here
	Reached []indicator.Indicator // must be in the graph
	Refused []indicator.Indicator // must not be hunted
}

// Case names a case of the suite.
type Case string

// The cases. Some are features that a source may lack.
const (
	CaseDescribe    Case = "describe"
	CaseEmpty       Case = "empty set"
	CaseOne         Case = "one known hash"
	CaseSizes       Case = "sizes"
	CaseNames       Case = "names"
	CaseMany        Case = "500 indicators"
	CaseMixed       Case = "mixed kinds"
	CaseEveryKind   Case = "every kind it takes"
	CaseUnsupported Case = "unsupported kind"
	CaseUnknown     Case = "unknown hash"
	CaseReport      Case = "report"
	CaseNoReport    Case = "unknown report"
	CaseRelated     Case = "related reports"
	CaseRecorded    Case = "recorded answers"

	CaseBadKey     Case = "bad key"
	CaseForbidden  Case = "forbidden"
	CaseNotFound   Case = "404 that is no answer"
	CaseRefused    Case = "refused requests"
	CaseQuota      Case = "quota"
	CaseQuotaTold  Case = "quota with Retry-After"
	CaseSecondPage Case = "quota at the second request"
	CaseDown       Case = "service down"
	CaseTimeout    Case = "timeout"
	CaseCut        Case = "cut body"
	CaseGarbage    Case = "garbage"
	CaseOtherJSON  Case = "JSON of another form"
	CaseHuge       Case = "huge body"
	CaseBomb       Case = "gzip bomb"
	CaseEndless    Case = "endless pages"
	CaseRedirect   Case = "redirect"
	CaseCancel     Case = "cancel"

	CaseReplay       Case = "replay"
	CaseMemory       Case = "memory"
	CasePerReport    Case = "a report of 10,000"
	CaseTrusted      Case = "the most trusted are kept"
	CasePerIndicator Case = "too many reports"
	CaseJunk         Case = "junk"
	CaseVictims      Case = "victims"
	CaseCollision    Case = "siblings in conflict"
	CaseTLP          Case = "TLP"
	CaseRaw          Case = "raw answers"
	CaseSecrets      Case = "secrets"
)

// test is one entry of the suite.
type test struct {
	name    Case
	service bool // for providers of a service alone
	reports bool // for providers that can be asked for reports
	run     func(p *probe)
}

func tests() []test {
	return slices.Concat(answerTests(), faultTests(), graphTests())
}

// Cases lists the suite in order.
func Cases() []Case {
	var out []Case
	for _, t := range tests() {
		out = append(out, t.name)
	}
	return out
}

// maxTold is how many faults of one case are printed.
const maxTold = 25

// Run runs the suite. It looks for goroutines that are left over, so the calling test must not be parallel.
func Run(t *testing.T, s Subject) {
	for _, err := range s.Faults() {
		t.Fatal(err)
	}
	for _, c := range tests() {
		t.Run(string(c.name), func(t *testing.T) {
			faults, skipped := check(t, s, c)
			if skipped != "" {
				t.Skipf("%s: %q does not apply: %s", s.Name, c.name, skipped)
			}
			for _, err := range faults[:min(len(faults), maxTold)] {
				t.Error(err)
			}
			if n := len(faults); n > maxTold {
				t.Errorf("and %d faults more", n-maxTold)
			}
		})
	}
}

// Check runs one case and gives what is wrong, and why it was skipped if it was. t is for what the provider needs.
func Check(t testing.TB, s Subject, name Case) (faults []error, skipped string) {
	t.Helper()
	for _, c := range tests() {
		if c.name == name {
			return check(t, s, c)
		}
	}
	t.Fatalf("the suite has no case %q", name)
	return nil, ""
}

func check(t testing.TB, s Subject, c test) (faults []error, skipped string) {
	t.Helper()
	if skipped = s.skips(t, c); skipped != "" {
		return nil, skipped
	}
	before := goleak.IgnoreCurrent()
	p := &probe{t: t, s: s}
	c.run(p)
	p.close()
	p.leaks()
	if err := goleak.Find(before); err != nil {
		p.faultf("goroutines are left over: %.2000s", err)
	}
	return p.faults, p.skipped
}

func (s Subject) patience() time.Duration {
	if s.Patience == 0 {
		return 30 * time.Second
	}
	return s.Patience
}

// local reports whether the subject asks no service.
func (s Subject) local() bool { return s.Serve == nil }

// skips says why a case does not apply to a subject, "" when it does.
func (s Subject) skips(t testing.TB, c test) string {
	t.Helper()
	if reason := s.Lacks[c.name]; reason != "" {
		return reason
	}
	if c.service && s.local() {
		return "the provider is local, it asks no service"
	}
	if c.reports && !s.asksReports(t) {
		return "the provider can not be asked for reports"
	}
	return ""
}

func (s Subject) asksReports(t testing.TB) bool {
	t.Helper()
	p := &probe{t: t, s: s}
	defer p.close()
	_, ok := p.with(p.world()).provider.(pivot.ReportPivoter)
	return ok
}

// Faults gives what is wrong with a subject's own description: it must not be able to leave out cases without a word.
func (s Subject) Faults() []error {
	p := &probe{}
	if s.Name == "" || s.New == nil {
		p.faultf("the subject has no Name or no New")
	}
	for c, reason := range s.Lacks {
		if !slices.Contains(Cases(), c) {
			p.faultf("Lacks names the case %q, which the suite does not have", c)
		}
		if strings.TrimSpace(reason) == "" {
			p.faultf("Lacks gives no reason for %q", c)
		}
	}
	if !s.local() && len(s.Unknown) == 0 {
		p.faultf("the subject has no form of \"nothing known\" (Unknown)")
	}
	if !s.local() && len(s.Secrets) == 0 && s.Lacks[CaseSecrets] == "" {
		p.faultf("the subject has no Secrets; if its service takes none, say so in Lacks of %q", CaseSecrets)
	}
	return p.faults
}

func (s Subject) reportID(n int) string {
	if s.ReportID == nil {
		return "report-" + itoa(n)
	}
	return s.ReportID(n)
}
