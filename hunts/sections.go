package hunts

import (
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

// Seed is what a run starts from: exactly one of Alert, Hashes and Report, or On alone.
type Seed struct {
	Alert  Path                  `yaml:"alert" json:"alert,omitzero" path:"file" doc:"An alert file (JSON), relative to this file."`
	Hashes []indicator.Indicator `yaml:"hashes" json:"hashes,omitempty" nonempty:"true" doc:"Digests: md5, sha1 or sha256, with or without a prefix such as sha256:."`
	Report string                `yaml:"report" json:"report,omitempty" doc:"Id of an intelligence report: bare, or PROVIDER:ID."`
	On     On                    `yaml:"on" json:"on,omitzero" doc:"Which alerts that arrive by webhook start a run; every key given must match."`
}

// Fixed reports whether the seed is given in the file, not only by a webhook.
func (s Seed) Fixed() bool { return !s.Alert.IsZero() || len(s.Hashes) > 0 || s.Report != "" }

// On says which alerts that arrive by webhook start a run.
type On struct {
	AlertRule string   `yaml:"alert_rule" json:"alert_rule,omitempty" doc:"Name of the rule; * and ? match as in file names."`
	Source    string   `yaml:"source" json:"source,omitempty" doc:"System the alert comes from; * and ? match as in file names."`
	Severity  Words    `yaml:"severity" json:"severity,omitempty" nonempty:"true" enum:"informational,low,medium,high,critical" doc:"One or more severities."`
	Tags      []string `yaml:"tags" json:"tags,omitempty" doc:"Tags that the alert must all have."`
}

// IsZero reports whether nothing is said.
func (o On) IsZero() bool {
	return o.AlertRule == "" && o.Source == "" && o.Severity == nil && o.Tags == nil
}

// Pivot says how intelligence is asked.
type Pivot struct {
	Providers     []string             `yaml:"providers" json:"providers,omitzero" doc:"Names of the providers that are asked; [] asks none." default:"all"`
	Depth         *int                 `yaml:"depth" json:"depth,omitempty" min:"0" max:"10" doc:"1 is indicator, its reports, their indicators; siblings and sizes are depth 0 and always resolved." default:"1"`
	Kinds         []indicator.Kind     `yaml:"kinds" json:"kinds,omitzero" nonempty:"true" enum:"sha256,sha1,md5" doc:"The kinds that are hunted; it never limits what is kept." default:"all digests"`
	MinConfidence *int                 `yaml:"min_confidence" json:"min_confidence,omitempty" min:"0" max:"100" doc:"Indicators below this confidence are not hunted." default:"0"`
	Follow        []indicator.Relation `yaml:"follow" json:"follow,omitzero" doc:"Relations that are followed besides the usual ones, e.g. related_report." default:"[]"`
	Refresh       *Duration            `yaml:"refresh" json:"refresh,omitempty" doc:"Answers of providers older than this are asked again." default:"the provider's cache"`
	MaxIndicators *int                 `yaml:"max_indicators" json:"max_indicators,omitempty" min:"1" max:"1000000" doc:"Most indicators kept, seed included; what was cut is said." default:"5000"`
	MaxPerReport  *int                 `yaml:"max_per_report" json:"max_per_report,omitempty" min:"1" max:"1000000" doc:"Most indicators taken from one report." default:"1000"`
	MaxReports    *int                 `yaml:"max_reports" json:"max_reports,omitempty" min:"1" max:"1000000" doc:"Most reports followed from one indicator." default:"100"`
}

// Search says what to look at on an endpoint.
type Search struct {
	Where   []ledger.Stage        `yaml:"where" json:"where,omitzero" nonempty:"true" enum:"running,autoruns,files" doc:"The stages." default:"[running, autoruns, files]"`
	Paths   map[Platform][]string `yaml:"paths" json:"paths,omitempty" doc:"Root folders by platform. Absolute, or ./x for a folder beside this file." default:"the platform's usual places"`
	Unsized Unsized               `yaml:"unsized" json:"unsized,omitempty" doc:"What to do in files for a hash whose size nobody knows." default:"places"`
	MaxSize *ByteSize             `yaml:"max_size" json:"max_size,omitempty" doc:"Bigger files are out of scope, and every sentence about the run says so." default:"50MiB"`
}

// Targets says which endpoints are asked. Empty lists do not limit.
type Targets struct {
	Tools     []string   `yaml:"tools" json:"tools,omitempty" doc:"Names of the tools." default:"all"`
	Hosts     []string   `yaml:"hosts" json:"hosts,omitempty" doc:"Host names or endpoint ids; * and ? match." default:"all"`
	Platforms []Platform `yaml:"platforms" json:"platforms,omitempty" doc:"Platforms." default:"all"`
	Labels    []string   `yaml:"labels" json:"labels,omitempty" doc:"Endpoints that have at least one of these labels." default:"all"`
	Exclude   []string   `yaml:"exclude" json:"exclude,omitempty" doc:"Host names, endpoint ids or labels that are left out; they are counted as excluded. * and ? match." default:"[]"`
}

// RunRules says how fast a run goes, how long it waits and when it stops.
type RunRules struct {
	Canary  *int      `yaml:"canary" json:"canary,omitempty" min:"0" max:"1000000" doc:"How many endpoints are asked first; 0 is no canary." default:"the smaller of 25 and 5 %, above 200 hosts"`
	Rate    *Rate     `yaml:"rate" json:"rate,omitempty" doc:"Most endpoints asked in a time." default:"3000/min"`
	Timeout *Duration `yaml:"timeout" json:"timeout,omitempty" doc:"How long one endpoint has for one query." default:"15m"`
	Late    *Duration `yaml:"late" json:"late,omitempty" doc:"How long answers that come late are still taken." default:"14d"`
	Gentle  *bool     `yaml:"gentle" json:"gentle,omitempty" doc:"Search this machine so that nobody feels it: at a low priority, with a cap on reading and on the processor." default:"false"`
	StopIf  StopIf    `yaml:"stop_if" json:"stop_if,omitzero" doc:"Shares at which the run stops, or asks a person."`
}

// StopIf holds shares of the answers that came so far.
type StopIf struct {
	Errors     *Percent `yaml:"errors" json:"errors,omitempty" doc:"Share of errors that stops the run." default:"20%"`
	Denylisted *Percent `yaml:"denylisted" json:"denylisted,omitempty" doc:"Share of denylisted queries that stops the run." default:"5%"`
	Timeout    *Percent `yaml:"timeout" json:"timeout,omitempty" doc:"Share of endpoints without an answer in time that stops the run." default:"none"`
	Prevalence *Percent `yaml:"prevalence" json:"prevalence,omitempty" doc:"A hash found on a larger share of hosts is set aside and asked about." default:"10%"`
}

// DoneWhen says when a run without hits counts as proven.
type DoneWhen struct {
	Verified  *Percent  `yaml:"verified" json:"verified,omitempty" doc:"Share of endpoints that must be proven." default:"100%"`
	Pivot     PivotRule `yaml:"pivot" json:"pivot,omitempty" doc:"complete: an incomplete pivot is not proven; any: it does not matter." default:"complete"`
	Unaskable AskRule   `yaml:"unaskable" json:"unaskable,omitempty" doc:"none: a hash that a tool can not be asked is not proven; any: it does not matter." default:"none"`
	NotSeen   SeenRule  `yaml:"not_seen" json:"not_seen,omitempty" doc:"accept: recorded tools that saw nothing are enough; refuse: they never are." default:"refuse"`
}

// Output is one place where a report goes: a file with Format and Path, or a Webhook.
type Output struct {
	Format  Format     `yaml:"format" json:"format,omitempty" doc:"Format of the file."`
	Path    Path       `yaml:"path" json:"path,omitzero" doc:"File to write, relative to this file; {hunt}, {run} and {date} are filled in."`
	Webhook secret.Ref `yaml:"webhook" json:"webhook,omitzero" doc:"Address to post a summary to, as env:NAME or file:/path."`
}

// Test is a planted positive: fixed intelligence, a fixed fleet, and what must come out.
type Test struct {
	Name     string `yaml:"name" json:"name" required:"true" doc:"What is tested."`
	Provider Path   `yaml:"provider" json:"provider,omitzero" path:"any" doc:"Recorded answers of a provider, relative to this file."`
	Fleet    Path   `yaml:"fleet" json:"fleet,omitzero" path:"any" doc:"Endpoints and their files, relative to this file."`
	Expect   Expect `yaml:"expect" json:"expect,omitzero" required:"true" doc:"What must come out."`
}

// Expect is what a test must bring.
type Expect struct {
	Hits     *int     `yaml:"hits" json:"hits,omitempty" min:"0" max:"1000000000" doc:"Number of hits."`
	Verified *Percent `yaml:"verified" json:"verified,omitempty" doc:"Share of endpoints proven."`
}

// NeverList is a file of known-good hashes. In YAML it may be the path alone.
type NeverList struct {
	Path Path `yaml:"path" json:"path" required:"true" path:"file" short:"true" doc:"The list, relative to this file: a hash a line, with reason and expiry."`
}

// Delta lets a run leave out hosts that were proven for the same hash set lately.
type Delta struct {
	MaxAge *Duration `yaml:"max_age" json:"max_age,omitempty" doc:"How old a proof may be and still be carried." default:"never carried"`
}
