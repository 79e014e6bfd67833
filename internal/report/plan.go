package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
)

// Plan is everything that is known before anything is asked.
type Plan struct {
	Hunt       string
	Alerts     []alert.Taken // that the seed is from
	MoreAlerts int           // and are not listed
	Graph      *pivot.Graph
	Files      []indicator.File
	Refused    []pivot.Refused
	Plan       edr.Plan
	Cost       *edr.Cost     // what it would read, where that is known
	Takes      time.Duration // about how long that takes; 0 is not known
}

// PlanText writes a plan for people: hashes by kind and source, what is not asked and why, and the text of every query.
// A text that many endpoints are asked stands once.
func PlanText(w io.Writer, p Plan) error {
	b := &bytes.Buffer{}
	line := func(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }
	line("plan of %s: nothing is asked", diag.Escape(p.Hunt))
	for _, text := range AlertLines(p.Alerts, p.MoreAlerts) {
		line("%s", text)
	}
	seedLines(line, p.Graph.Seeds)
	line("pivot     %s, %s; %s", count(len(p.Graph.Reports), "report", "reports"), count(len(p.Files), "file hunted", "files hunted"), graphState(p.Graph))
	line("scope     %s", diag.Escape(orNone(p.Plan.Scope)))
	if p.Cost != nil {
		line("cost      to read: %s", CostText(*p.Cost, p.Takes))
	}
	for _, n := range p.Plan.Notes {
		line("note      %s", diag.Escape(n))
	}
	line("")
	best := bestEdges(p.Graph)
	for _, f := range p.Files {
		line("hash      %s%s", fileText(f), sourceText(best, f))
	}
	for _, r := range p.Refused {
		line("refused   %s %s: %s", r.Kind, diag.Escape(r.Value), diag.Escape(r.Reason))
	}
	Graph{Graph: p.Graph}.lost(b)
	for _, t := range p.Plan.Tools {
		toolText(line, t)
	}
	return flush(w, b)
}

// CostText says what a search reads, and about how long that takes where it is known.
func CostText(c edr.Cost, takes time.Duration) string {
	noun := "files"
	if c.Files == 1 {
		noun = "file"
	}
	text := fmt.Sprintf("%s %s, %s", Thousands(c.Files), noun, ledger.Size(c.Bytes))
	switch {
	case c.Least && c.Files == 0:
		return "more than could be counted in a moment"
	case c.Least:
		return "at least " + text + ", not counted to the end"
	case takes > 0:
		return text + ", about " + Long(takes)
	default:
		return text
	}
}

// Thousands writes a number with its digits in groups.
func Thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// Long writes a length of time for people, in its biggest units.
func Long(d time.Duration) string {
	switch s := int64(math.Ceil(d.Seconds())); {
	case s < 120:
		return fmt.Sprintf("%d s", max(s, 1))
	case s < 2*60*60:
		return fmt.Sprintf("%d min", (s+59)/60)
	default:
		return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
	}
}

// fileText is a file object on one line.
func fileText(f indicator.File) string {
	var parts []string
	for _, d := range f.Digests() {
		parts = append(parts, d.String())
	}
	if f.Size > 0 {
		parts = append(parts, fmt.Sprintf("%d bytes", f.Size))
	} else {
		parts = append(parts, "size unknown")
	}
	return strings.Join(parts, "  ")
}

// sourceText says who brought a file object.
func sourceText(best map[indicator.Ref]indicator.Edge, f indicator.File) string {
	for _, d := range f.Digests() {
		if e, ok := best[indicator.RefOf(d)]; ok && e.Relation != indicator.RelSibling {
			out := "  " + string(e.Relation)
			if e.Provider != "" {
				out += ", " + diag.Escape(e.Provider)
			}
			if e.Report != "" {
				out += ", report " + diag.Escape(e.Report)
			}
			return out + fmt.Sprintf(", confidence %d", e.Confidence)
		}
	}
	return "  seed"
}

func toolText(line func(string, ...any), t edr.ToolPlan) {
	line("")
	byKind := map[indicator.Kind]int{}
	for _, x := range t.Targets {
		byKind[x.Ask.Kind]++
	}
	var kinds []string
	for _, k := range indicator.DigestKinds() {
		if byKind[k] > 0 {
			kinds = append(kinds, fmt.Sprintf("%d by %s", byKind[k], k))
		}
	}
	line("tool      %s (%s, %s): %s", diag.Escape(t.Tool.Name), t.Tool.Type, t.Tool.Mode, orNone(strings.Join(kinds, ", ")))
	for _, u := range t.Unaskable {
		line("unaskable %s %s: %s", u.Kind, u.Value, diag.Escape(u.Reason))
	}
	for _, n := range t.Narrowed {
		line("narrowed  %s: no size is known; running and autoruns alone", n.Ask)
	}
	seen := map[string]bool{}
	for _, q := range t.Searches {
		queryText(line, "search", q)
	}
	for _, ep := range t.Endpoints {
		state := cmp.Or(ep.Failed, ep.Excluded, cannot(ep.Cannot), ep.Carried, ep.Asleep, count(len(ep.Queries), "query", "queries"))
		line("endpoint  %s (%s, %s): %s", diag.Escape(ep.Endpoint.Hostname), diag.Escape(ep.Endpoint.ID), ep.Endpoint.Platform, diag.Escape(state))
		if b := ep.Endpoint.Blind; b != "" {
			line("          asked without telling it a digest: %s", diag.Escape(b))
		}
		for _, n := range ep.Endpoint.Notes {
			line("          %s", diag.Escape(n))
		}
		for _, q := range ep.Queries {
			if !seen[q.Text] {
				seen[q.Text] = true
				queryText(line, "query", q)
			}
		}
	}
	if len(t.Endpoints) == 0 {
		line("endpoint  none is selected")
	}
}

func queryText(line func(string, ...any), what string, q ledger.Query) {
	line("%-9s %s (%s)", what, q.ID, q.Stage)
	for part := range strings.SplitSeq(q.Text, "\n") {
		line("          %s", diag.Escape(part))
	}
}

// planJSON is what plan --json prints; docs/json.md describes it.
type planJSON struct {
	Schema     string            `json:"schema"`
	Hunt       string            `json:"hunt"`
	Alerts     []alert.Taken     `json:"alerts"`
	MoreAlerts int               `json:"more_alerts,omitempty"`
	Seed       []indicator.Ref   `json:"seed"`
	Pivot      planPivotJSON     `json:"pivot"`
	Scope      string            `json:"scope"`
	Cost       *costJSON         `json:"cost"`
	Notes      []string          `json:"notes"`
	Hunted     []indicator.File  `json:"hunted"`
	Refused    []refusedJSON     `json:"refused"`
	Collisions []pivot.Collision `json:"collisions"`
	Tools      []planToolJSON    `json:"tools"`
}

type costJSON struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
	Least bool  `json:"at_least"`
}

type planPivotJSON struct {
	Complete bool         `json:"complete"`
	Reports  []reportJSON `json:"reports"`
	Cut      []pivot.Cut  `json:"cut"`
	Skipped  []pivot.Skip `json:"skipped"`
}

type planToolJSON struct {
	Tool      string                `json:"tool"`
	Type      string                `json:"type"`
	Mode      ledger.Mode           `json:"mode"`
	Asks      []indicator.Indicator `json:"asks"`
	Unaskable []edr.Unaskable       `json:"unaskable"`
	Narrowed  []indicator.Indicator `json:"narrowed"`
	Searches  []planQueryJSON       `json:"searches"` // over all endpoints of a recorded tool
	Endpoints []planEndpointJSON    `json:"endpoints"`
}

type planEndpointJSON struct {
	Endpoint string          `json:"endpoint"`
	Hostname string          `json:"hostname"`
	Platform string          `json:"platform"`
	Excluded *string         `json:"excluded"`
	Cannot   *string         `json:"cannot"`
	Blind    *string         `json:"blind"`
	Asleep   *string         `json:"asleep"`
	Carried  *string         `json:"carried"`
	Failed   *string         `json:"failed"`
	Scope    string          `json:"scope"`
	Queries  []planQueryJSON `json:"queries"`
}

type planQueryJSON struct {
	Query string       `json:"query"`
	Stage ledger.Stage `json:"stage"`
	Root  string       `json:"root,omitempty"`
	Text  string       `json:"text"`
}

// cannot says that an endpoint can't be asked, with the reason.
func cannot(reason string) string {
	if reason == "" {
		return ""
	}
	return "can't be asked: " + reason
}

// PlanJSON writes a plan as one object on one line.
func PlanJSON(w io.Writer, p Plan) error {
	out := planJSON{
		Schema: "hunter.plan/1", Hunt: p.Hunt, Alerts: orEmpty(p.Alerts), MoreAlerts: p.MoreAlerts, Seed: orEmpty(p.Graph.Seeds), Scope: p.Plan.Scope, Notes: orEmpty(p.Plan.Notes),
		Pivot:  planPivotJSON{Complete: p.Graph.Complete, Reports: reportsOf(p.Graph.Reports), Cut: orEmpty(p.Graph.Cut), Skipped: orEmpty(p.Graph.Skipped)},
		Hunted: orEmpty(p.Files), Refused: refusedOf(p.Refused), Collisions: orEmpty(p.Graph.Collisions), Tools: []planToolJSON{},
	}
	if p.Cost != nil {
		out.Cost = &costJSON{Files: p.Cost.Files, Bytes: p.Cost.Bytes, Least: p.Cost.Least}
	}
	for _, t := range p.Plan.Tools {
		out.Tools = append(out.Tools, planTool(t))
	}
	return WriteJSON(w, out)
}

func planTool(t edr.ToolPlan) planToolJSON {
	out := planToolJSON{
		Tool: t.Tool.Name, Type: t.Tool.Type, Mode: t.Tool.Mode, Unaskable: orEmpty(t.Unaskable),
		Asks: []indicator.Indicator{}, Narrowed: []indicator.Indicator{}, Endpoints: []planEndpointJSON{},
		Searches: planQueries(t.Searches),
	}
	for _, x := range t.Targets {
		out.Asks = append(out.Asks, x.Ask)
	}
	for _, x := range t.Narrowed {
		out.Narrowed = append(out.Narrowed, x.Ask)
	}
	for _, ep := range t.Endpoints {
		e := planEndpointJSON{
			Endpoint: ep.Endpoint.ID, Hostname: ep.Endpoint.Hostname, Platform: ep.Endpoint.Platform, Excluded: optional(ep.Excluded),
			Cannot: optional(ep.Cannot), Blind: optional(ep.Endpoint.Blind), Asleep: optional(ep.Asleep), Carried: optional(ep.Carried), Failed: optional(ep.Failed), Scope: ep.Scope, Queries: []planQueryJSON{},
		}
		e.Queries = append(e.Queries, planQueries(ep.Queries)...)
		out.Endpoints = append(out.Endpoints, e)
	}
	return out
}

func planQueries(queries []ledger.Query) []planQueryJSON {
	out := []planQueryJSON{}
	for _, q := range queries {
		out = append(out, planQueryJSON{Query: q.ID, Stage: q.Stage, Root: q.Root, Text: q.Text})
	}
	return out
}
