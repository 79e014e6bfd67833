// Package hunts is a hunt as people write it: the types of a hunts file, a strict YAML reader whose errors name file, line
// and column, the checks of lint, and the JSON Schema of the format.
package hunts

import (
	"fmt"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Version is the version of the file format.
const Version = 1

// SweepName is the hunt that ad hoc sweeps run as; no file may define it.
const SweepName = "sweep"

// Set is all that the given files say, merged and checked.
type Set struct {
	Files     []string      `json:"files"` // as shown, in the order read
	Providers []ProviderDef `json:"providers"`
	Tools     []ToolDef     `json:"tools"`
	Never     []NeverList   `json:"never,omitempty"` // the known-good lists that hold for every run
	Hunts     []Hunt        `json:"hunts"`           // their file's defaults already merged in
}

// Hunt gives the hunt of that name.
func (s *Set) Hunt(name string) (Hunt, bool) {
	for _, h := range s.Hunts {
		if h.Name == name {
			return h, true
		}
	}
	return Hunt{}, false
}

// Names lists the names of the hunts, in the order of the files.
func (s *Set) Names() []string {
	names := make([]string, len(s.Hunts))
	for i, h := range s.Hunts {
		names[i] = h.Name
	}
	return names
}

// Position is a place in a file; Line and Column are 1-based, Column counts characters.
type Position struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String gives "file:line:column".
func (p Position) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Path is a path as written and as resolved against the folder of its file.
type Path struct {
	Given string `json:"given"`
	Abs   string `json:"abs"` // absolute; empty when Given is
}

// IsZero reports whether no path was given.
func (p Path) IsZero() bool { return p.Given == "" }

// File is one hunts file. It exists for the reader and the schema; callers get a Set.
type File struct {
	Version   int           `yaml:"version" json:"version" required:"true" enum:"1" doc:"Version of the file format: always 1."`
	Providers []ProviderDef `yaml:"providers" json:"providers,omitempty" doc:"Sources of intelligence. Omitted: the local intelligence store alone."`
	Tools     []ToolDef     `yaml:"tools" json:"tools,omitempty" doc:"What can ask endpoints. Omitted: this machine."`
	Defaults  Spec          `yaml:"defaults" json:"defaults,omitzero" doc:"Anything a hunt may say but its name, said once for every hunt of this file. What a hunt says itself goes first; sections are merged key by key, lists are replaced, except never, which adds up."`
	Never     []NeverList   `yaml:"never" json:"never,omitempty" doc:"Known-good lists whose hashes are never hunted, by any hunt."`
	Hunts     []Hunt        `yaml:"hunts" json:"hunts,omitempty" doc:"The hunts."`
}

// ProviderDef is one source of intelligence of the set.
type ProviderDef struct {
	Name   string        `yaml:"name" json:"name" required:"true" pattern:"^[a-z0-9][a-z0-9-]{0,62}$" doc:"Unique name: lower case, digits, '-'."`
	Type   string        `yaml:"type" json:"type" required:"true" doc:"Which provider it is."`
	MaxTLP indicator.TLP `yaml:"max_tlp" json:"max_tlp,omitempty" doc:"It is never asked about anything above this label." default:"no limit"`
	Config any           `yaml:"-" json:"-"` // the plug-in's own struct, as made by Plugin.New
	Pos    Position      `yaml:"-" json:"-"`
	Dir    string        `yaml:"-" json:"-"` // what relative paths in Config are relative to
}

// ToolDef is one tool of the set.
type ToolDef struct {
	Name      string           `yaml:"name" json:"name" required:"true" pattern:"^[a-z0-9][a-z0-9-]{0,62}$" doc:"Unique name: lower case, digits, '-'."`
	Type      string           `yaml:"type" json:"type" required:"true" doc:"Which tool it is."`
	HashTypes []indicator.Kind `yaml:"hash_types" json:"hash_types,omitempty" enum:"sha256,sha1,md5" doc:"The digests that the tool is asked for, in order of preference." default:"what the tool takes"`
	Config    any              `yaml:"-" json:"-"`
	Pos       Position         `yaml:"-" json:"-"`
	Dir       string           `yaml:"-" json:"-"`
}

// Hunt is one hunt with the defaults of its file merged in. Fields that were not set are nil or zero, so that flags can
// be told from defaults; Settled gives the values in effect.
type Hunt struct {
	Name string `yaml:"name" json:"name" required:"true" pattern:"^[a-z0-9][a-z0-9-]{0,62}$" doc:"Unique name: lower case, digits, '-'."`
	Spec `yaml:",inline"`
	Pos  Position `yaml:"-" json:"pos,omitzero"`
	Dir  string   `yaml:"-" json:"dir,omitempty"` // absolute folder of the file
}

// Spec is what a hunt says besides its name, and what defaults may say.
type Spec struct {
	Title      string        `yaml:"title" json:"title,omitempty" doc:"One line for people."`
	Hypothesis string        `yaml:"hypothesis" json:"hypothesis,omitempty" doc:"What the hunt would show if it finds something."`
	Status     Status        `yaml:"status" json:"status,omitempty" doc:"How far the hunt can be relied on." default:"experimental"`
	Tags       []string      `yaml:"tags" json:"tags,omitempty" doc:"Free labels; ATT&CK techniques as attack.t1486."`
	TLP        indicator.TLP `yaml:"tlp" json:"tlp,omitempty" doc:"Traffic Light Protocol label of the hunt and its findings. Providers below it are not asked." default:"none"`
	Schedule   string        `yaml:"schedule" json:"schedule,omitempty" doc:"When it runs: five cron fields, @hourly and the like, or @every 6h; CRON_TZ=Zone in front sets the time zone." default:"on demand"`
	Seed       Seed          `yaml:"seed" json:"seed,omitzero" doc:"What a run starts from: one of alert, hashes, report; or on, for webhooks."`
	Pivot      Pivot         `yaml:"pivot" json:"pivot,omitzero" doc:"How intelligence is asked."`
	Search     Search        `yaml:"search" json:"search,omitzero" doc:"What to look at on an endpoint, cheapest first."`
	Targets    Targets       `yaml:"targets" json:"targets,omitzero" doc:"Which endpoints are asked. Omitted: all tools, all hosts."`
	Run        RunRules      `yaml:"run" json:"run,omitzero" doc:"How fast, how long, and when to stop."`
	DoneWhen   DoneWhen      `yaml:"done_when" json:"done_when,omitzero" doc:"When a run without hits counts as proven (exit code 0)."`
	Report     []Output      `yaml:"report" json:"report,omitempty" doc:"Where the report of each run goes."`
	Tests      []Test        `yaml:"tests" json:"tests,omitempty" doc:"Planted positives, without network, for hunter test."`
	Never      []NeverList   `yaml:"never" json:"never,omitempty" doc:"Known-good lists whose hashes this hunt never hunts, besides those of the file."`
	Delta      Delta         `yaml:"delta" json:"delta,omitzero" doc:"Leave out hosts that were proven for the same hash set lately; they are shown as carried."`
	Case       string        `yaml:"case" json:"case,omitempty" doc:"Id of the case that runs belong to."`
}
