// Package pivot takes a seed through threat intelligence: indicator to reports to related indicators, report to related
// reports, breadth first and within limits, and keeps for every step who said so.
package pivot

import (
	"context"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Provider is a source of intelligence that can pivot. Partial success is normal: what came is in the Result, what did
// not is in its Skipped; the error is for a provider that can't go on at all. A provider does not retry, cache or limit
// rates: that is put around it in one place.
type Provider interface {
	// Describe says what the provider is; it does no input or output.
	Describe() Description
	// Resolve asks for the file objects of digests: siblings, sizes, names. This is depth 0 and always done. Only Files
	// that share a digest with what was asked are taken.
	Resolve(ctx context.Context, digests []indicator.Indicator) (Result, error)
	// Related is the indicator pivot: what the reports that name ind name beside it, and direct relations such as drops
	// or contains. How to word the answer:
	//
	//   - For indicator X in report R with member Y: one Edge{From: X, To: Y, Relation: same_report, Report: "provider:R",
	//     Confidence: Y's own value there}, and R in Reports. There are no separate edges X to R or R to Y.
	//   - At most lim.PerReport members of each report, most trusted first, then by value, and at most lim.PerIndicator
	//     reports, newest first; what a limit left out is a Cut with the total, At "report:provider:R" for max_per_report and
	//     "kind:value" of X for max_reports.
	//   - A direct relation is an Edge from X with that Relation; Report may be empty.
	//   - Confidence is the source's own value of Y, not yet multiplied by the relation's trust (see RuleOf): Expand does
	//     that. For a direct relation 0 says that the source has none.
	//   - Members of a report in lim.Known may be left out: they have been told already.
	Related(ctx context.Context, ind indicator.Indicator, lim Limits) (Result, error)
}

// ReportPivoter is the report pivot, found by type assertion.
type ReportPivoter interface {
	// FromReport gives a report (in Reports), its indicators and its related reports: edges from ReportRef("provider:id")
	// to the indicators (reports_on, at most lim.PerReport, Report set) and to reports (related_report). id is without
	// provider. A report that is unknown is an empty Result.
	FromReport(ctx context.Context, id string, lim Limits) (Result, error)
}

// Description says what a provider can be asked.
type Description struct {
	Name   string           // unique in the set
	Type   string           // files, threatscape, …
	Kinds  []indicator.Kind // what Related and Resolve take; nil is every kind
	MaxTLP indicator.TLP    // it is never asked about anything above; "" is no limit
	Local  bool             // nothing leaves this machine
}

// Limits bound a pivot.
type Limits struct {
	Depth         int // 1 = indicator to its reports to their indicators; 0 = siblings alone
	MaxIndicators int // indicators kept, seed included; siblings ride free, at most two a digest
	PerReport     int // indicators taken from one report
	PerIndicator  int // reports followed from one indicator, and related reports from one report

	// Known names reports ("provider:id") whose members were told in full; Expand sets it, nobody else writes to it.
	Known map[string]bool `json:"-"`
}

// Result is what one question brought.
type Result struct {
	Files   []indicator.File   // file objects as the provider states them
	Reports []indicator.Report // reports named by edges
	Edges   []Edge
	Cut     []Cut
	Skipped []Skip
	Raw     []Raw // answers as received, named by Edge.Raw

	Remembered int           // how many of the answers were remembered from before this process
	Oldest     time.Duration // how old the oldest of those is
}

// Raw is an answer or alert as received. Body may be nil when the store already holds it (local intelligence); its JSON
// form is the digest alone.
type Raw struct {
	Digest string `json:"digest"` // sha256 of Body, lower-case hex
	Body   []byte `json:"-"`
}

// Ref names a node of the graph.
type Ref = indicator.Ref

// Edge says how one node led to another, and who said so.
type Edge = indicator.Edge

// IndicatorRef gives the Ref of an indicator.
func IndicatorRef(i indicator.Indicator) Ref { return indicator.RefOf(i) }

// ReportRef gives the Ref of a report by its public form, "provider:id".
func ReportRef(ref string) Ref { return indicator.ReportRef(ref) }

// Cut says that a limit left something out.
type Cut struct {
	Provider string `json:"provider,omitempty"`
	At       string `json:"at"`    // the node where it was cut, as "kind:value"
	Limit    string `json:"limit"` // max_indicators, max_per_report, max_reports
	Kept     int    `json:"kept"`
	Total    int    `json:"total"` // 0 when unknown
}

// Skip is a question that was not asked or not answered.
type Skip struct {
	Provider  string `json:"provider"`
	Indicator string `json:"indicator"` // "kind:value" or "report:provider:id"
	Reason    string `json:"reason"`
}

// Node is one member of the graph.
type Node struct {
	Ref        Ref           `json:"ref"`
	Depth      int           `json:"depth"`      // hops from the seed; siblings have their file's depth, a seed report's members 1
	Confidence int           `json:"confidence"` // best over the edges that lead here; seed 100
	TLP        indicator.TLP `json:"tlp,omitempty"`
	Seed       bool          `json:"seed,omitempty"`
}

// Graph is what a pivot found: deterministic for the same seed, providers and store.
type Graph struct {
	Seeds      []Ref              `json:"seeds"`
	Nodes      []Node             `json:"nodes"` // in order of discovery
	Edges      []Edge             `json:"edges"`
	Files      []indicator.File   `json:"files"`
	Reports    []indicator.Report `json:"reports"`
	Collisions []Collision        `json:"collisions,omitempty"`
	Cut        []Cut              `json:"cut,omitempty"`
	Skipped    []Skip             `json:"skipped,omitempty"`
	Remembered []Remembered       `json:"remembered,omitempty"`
	Raw        []Raw              `json:"-"`
	Complete   bool               `json:"complete"` // nothing cut, nothing skipped
}

// Collision is a digest that two different files claim; neither is taken as the other's sibling.
type Collision struct {
	Digest indicator.Indicator `json:"digest"`
	Files  []indicator.File    `json:"files"`
}
