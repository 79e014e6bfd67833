package report

import (
	"io"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/pivot"
	"github.com/hunter-project/hunter/internal/results"
)

// Schema names the shape of a run's JSON.
const Schema = "hunter.run/1"

// stamp is RFC 3339 in UTC with milliseconds.
const stamp = "2006-01-02T15:04:05.000Z"

// Stamp writes a time as everywhere in hunter; nil for the zero time.
func Stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	s := t.UTC().Format(stamp)
	return &s
}

// runJSON is one run as `--json` prints it; docs/json.md describes it.
type runJSON struct {
	Schema     string                `json:"schema"`
	Run        string                `json:"run"`
	Hunt       string                `json:"hunt"`
	State      results.RunState      `json:"state"`
	StartedAt  *string               `json:"started_at"`
	FinishedAt *string               `json:"finished_at"`
	ExitCode   *int                  `json:"exit_code"`
	TLP        *string               `json:"tlp"`
	Case       *string               `json:"case"`
	Error      *string               `json:"error,omitempty"`
	Seed       []indicator.Indicator `json:"seed"`
	Pivot      pivotJSON             `json:"pivot"`
	Reports    []indicator.Report    `json:"reports"` // at most Cap
	Indicators indicatorsJSON        `json:"indicators"`
	Scope      string                `json:"scope"`
	Notes      []string              `json:"notes"`
	SetAside   []results.Aside       `json:"set_aside,omitempty"`
	Coverage   coverageJSON          `json:"coverage"`
	GapsTotal  int                   `json:"gaps_total"`
	Gaps       []gapJSON             `json:"gaps"`
	HitsTotal  int                   `json:"hits_total"`
	Hits       []HitJSON             `json:"hits"`
}

type pivotJSON struct {
	Complete bool              `json:"complete"`
	Skipped  []results.Skipped `json:"skipped"`
	Cut      []results.Cut     `json:"cut"`
}

type indicatorsJSON struct {
	Hunted    int             `json:"hunted"`
	Refused   int             `json:"refused"`
	Narrowed  int             `json:"narrowed"`
	Unaskable []unaskableJSON `json:"unaskable"`
	Refusals  []unaskableJSON `json:"refusals"` // at most Cap
}

type unaskableJSON struct {
	Value  string         `json:"value"`
	Kind   indicator.Kind `json:"kind"`
	Tool   string         `json:"tool,omitempty"`
	Reason string         `json:"reason"`
}

type coverageJSON struct {
	Endpoints   int            `json:"endpoints"`
	Hit         int            `json:"hit"`
	Absent      int            `json:"absent"`
	Partial     int            `json:"partial"`
	Unverified  int            `json:"unverified"`
	Error       int            `json:"error"`
	Denylisted  int            `json:"denylisted"`
	Unsupported int            `json:"unsupported"`
	Timeout     int            `json:"timeout"`
	Unasked     int            `json:"unasked"`
	Asleep      int            `json:"asleep"`
	Excluded    int            `json:"excluded"`
	Proven      int            `json:"proven"`
	Carried     int            `json:"carried"`
	Ratio       float64        `json:"verified_ratio"`
	Tools       []recordedJSON `json:"tools"`
}

// recordedJSON is what one recorded tool saw; live and recorded are never summed.
type recordedJSON struct {
	Tool       string      `json:"tool"`
	Mode       ledger.Mode `json:"mode"`
	WindowFrom *string     `json:"window_from"`
	WindowTo   *string     `json:"window_to"`
	Endpoints  int         `json:"endpoints"`
	Hit        int         `json:"hit"`
	NotSeen    int         `json:"not_seen"`
	Partial    int         `json:"partial"`
	Unverified int         `json:"unverified"`
	Unasked    int         `json:"unasked"`
	Error      int         `json:"error"`
	Asleep     int         `json:"asleep"`
	Excluded   int         `json:"excluded"`
}

type gapJSON struct {
	Endpoint string       `json:"endpoint"`
	Hostname string       `json:"hostname"`
	Tool     string       `json:"tool"`
	State    ledger.State `json:"state"`
	Reason   string       `json:"reason"`
}

// HitJSON is one hit as `--json` prints it.
type HitJSON struct {
	ID         int64               `json:"id"`
	Run        string              `json:"run,omitempty"`
	Hunt       string              `json:"hunt,omitempty"`
	Endpoint   string              `json:"endpoint"`
	Hostname   string              `json:"hostname"`
	Tool       string              `json:"tool"`
	FoundIn    ledger.Stage        `json:"found_in"`
	Path       string              `json:"path"`
	Size       *int64              `json:"size"`
	MD5        *string             `json:"md5"`
	SHA1       *string             `json:"sha1"`
	SHA256     *string             `json:"sha256"`
	Matched    indicator.Indicator `json:"matched"`
	Owner      *string             `json:"owner"`
	MTime      *string             `json:"mtime"`
	PID        *int64              `json:"pid"`
	Cmdline    *string             `json:"cmdline"`
	StartedAt  *string             `json:"started_at"`
	Conflict   bool                `json:"conflict"`
	ObservedAt *string             `json:"observed_at"`
	Why        []WhyJSON           `json:"why"`
}

// WhyJSON is one edge of the chain from the seed to a hunted digest.
type WhyJSON struct {
	From       string             `json:"from"`
	To         string             `json:"to"`
	Relation   indicator.Relation `json:"relation"`
	Provider   string             `json:"provider"`
	Report     *string            `json:"report"`
	Title      string             `json:"title,omitempty"`
	About      string             `json:"about,omitempty"` // what the report's source says of the threat
	Confidence int                `json:"confidence"`
	Time       *string            `json:"time"`
	Raw        string             `json:"raw,omitempty"`
}

// JSON writes the run as one object on one line.
func JSON(w io.Writer, v View) error {
	return WriteJSON(w, toJSON(v))
}

func toJSON(v View) runJSON {
	r := v.Run
	out := runJSON{
		Schema: Schema, Run: r.ID, Hunt: r.Hunt, State: r.State, StartedAt: Stamp(r.StartedAt), FinishedAt: Stamp(r.FinishedAt),
		ExitCode: r.ExitCode, TLP: optional(string(r.TLP)), Case: optional(r.Case), Error: optional(r.Error),
		Seed:       []indicator.Indicator{},
		Pivot:      pivotJSON{Complete: r.PivotComplete, Skipped: orEmpty(v.Skipped), Cut: orEmpty(v.Cut)},
		Reports:    orEmpty(v.Reports[:min(len(v.Reports), Cap)]),
		Indicators: indicatorsJSON{Hunted: r.Hunted, Refused: r.Refused, Narrowed: r.Narrowed, Unaskable: listed(v, results.StatusUnaskable), Refusals: listed(v, results.StatusRefused)},
		Scope:      r.Scope, Notes: orEmpty(v.told()), SetAside: v.Aside, Coverage: coverageOf(v), HitsTotal: v.HitsTotal, Hits: []HitJSON{}, Gaps: []gapJSON{},
	}
	for _, s := range v.Seeds {
		if s.Kind != indicator.RefAlert {
			out.Seed = append(out.Seed, indicator.Indicator{Kind: indicator.Kind(s.Kind), Value: s.Value})
		}
	}
	gaps := v.Gaps()
	out.GapsTotal = len(gaps)
	for _, g := range gaps[:min(len(gaps), Cap)] {
		out.Gaps = append(out.Gaps, gapJSON{Endpoint: g.Endpoint, Hostname: g.Hostname, Tool: g.Tool, State: g.Coverage.State, Reason: g.Coverage.Reason})
	}
	why := v.Why()
	for _, h := range v.Hits {
		hit := HitOf(h)
		hit.Run, hit.Hunt = "", ""
		hit.Why = why.Chain(h.Row.Matched)
		out.Hits = append(out.Hits, hit)
	}
	return out
}

// HitOf gives the JSON form of a hit, without its chain.
func HitOf(h results.StoredHit) HitJSON {
	row := h.Row
	out := HitJSON{
		ID: h.ID, Run: h.Run, Hunt: h.Hunt, Endpoint: h.Endpoint, Hostname: h.Hostname, Tool: h.Tool, FoundIn: row.FoundIn,
		Path: h.PathText, MD5: optional(row.MD5), SHA1: optional(row.SHA1), SHA256: optional(row.SHA256), Matched: row.Matched,
		Owner: optional(row.Owner), MTime: Stamp(row.MTime), Conflict: row.Conflict, ObservedAt: Stamp(h.ObservedAt), Why: []WhyJSON{},
	}
	if row.Size >= 0 {
		out.Size = &row.Size
	}
	if row.PID > 0 {
		out.PID, out.Cmdline, out.StartedAt = &row.PID, optional(row.Cmdline), Stamp(row.StartedAt)
	}
	return out
}

// Why answers for many digests of one run why they are hunted.
type Why struct {
	explain *pivot.Explainer
	reports map[string]indicator.Report
	seeds   map[indicator.Ref]bool
	since   *string
}

// Why indexes the pivot of the run once.
func (v View) Why() *Why {
	w := &Why{explain: pivot.NewExplainer(v.Graph()), reports: map[string]indicator.Report{}, seeds: map[indicator.Ref]bool{}, since: Stamp(v.Run.StartedAt)}
	for _, r := range v.Reports {
		w.reports[r.Ref()] = r
	}
	for _, s := range v.Seeds {
		w.seeds[s] = true
	}
	return w
}

// Chain gives the edges from the seed to ind. A digest that a person gave has one edge, from itself, that says so.
func (w *Why) Chain(ind indicator.Indicator) []WhyJSON {
	out := []WhyJSON{}
	for _, e := range w.explain.Explain(ind) {
		out = append(out, WhyJSON{
			From: refText(e.From), To: refText(e.To), Relation: e.Relation, Provider: e.Provider, Report: optional(e.Report),
			Title: w.reports[e.Report].Title, About: diag.Escape(w.reports[e.Report].About()), Confidence: e.Confidence, Time: Stamp(e.Time), Raw: e.Raw,
		})
	}
	if len(out) == 0 && w.seeds[indicator.RefOf(ind)] {
		out = append(out, WhyJSON{From: ind.Value, To: ind.Value, Relation: indicator.RelSeed, Confidence: 100, Time: w.since})
	}
	return out
}

// refText is the short public form of a node: the value of an indicator, "report:…" or "alert:…" otherwise.
func refText(r indicator.Ref) string {
	if _, ok := r.Indicator(); ok {
		return r.Value
	}
	return r.String()
}

func listed(v View, status results.IndicatorStatus) []unaskableJSON {
	out := []unaskableJSON{}
	for _, i := range v.withStatus(status) {
		if len(out) == Cap && status == results.StatusRefused {
			break
		}
		out = append(out, unaskableJSON{Value: i.Indicator.Value, Kind: i.Indicator.Kind, Tool: i.Tool, Reason: i.Reason})
	}
	return out
}

func coverageOf(v View) coverageJSON {
	s := v.Run.States
	out := coverageJSON{
		Endpoints: v.Run.Endpoints, Hit: s[ledger.Hit], Absent: s[ledger.Absent], Partial: s[ledger.Partial],
		Unverified: s[ledger.Unverified], Error: s[ledger.Error], Denylisted: s[ledger.Denylisted],
		Unsupported: s[ledger.Unsupported], Timeout: s[ledger.Timeout], Unasked: s[ledger.Unasked],
		Asleep: s[ledger.Asleep], Excluded: s[ledger.Excluded], Proven: v.Run.Proven, Carried: v.Run.Carried, Ratio: v.Run.VerifiedRatio,
		Tools: []recordedJSON{},
	}
	at := map[string]int{}
	for _, t := range v.Targets {
		if t.Mode != ledger.Recorded {
			continue
		}
		i, ok := at[t.Tool]
		if !ok {
			i = len(out.Tools)
			at[t.Tool] = i
			out.Tools = append(out.Tools, recordedJSON{Tool: t.Tool, Mode: t.Mode, WindowFrom: Stamp(t.WindowFrom), WindowTo: Stamp(t.WindowTo)})
		}
		out.Tools[i].count(t.Coverage.State)
	}
	return out
}

func (r *recordedJSON) count(s ledger.State) {
	r.Endpoints++
	switch s {
	case ledger.Hit:
		r.Hit++
	case ledger.NotSeen:
		r.NotSeen++
	case ledger.Partial:
		r.Partial++
	case ledger.Unverified:
		r.Unverified++
	case ledger.Unasked:
		r.Unasked++
	case ledger.Asleep:
		r.Asleep++
	case ledger.Excluded:
		r.Excluded++
	default:
		r.Error++
	}
}

// optional is nil for "", so that JSON says null; text is made safe for any terminal that prints it.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	s = diag.Escape(s)
	return &s
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
