package hunts

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// checkFile makes the checks that need more than one value: within sections, between sections, and between files.
func (p *parsed) checkFile(names names) {
	p.checkSpec(p.file.Defaults, "defaults", names)
	for i, h := range p.file.Hunts {
		at := element("hunts", i)
		if p.values[at] == nil || p.values[at].Kind != yaml.MappingNode {
			continue
		}
		if h.Name == SweepName {
			p.fault(p.node(at+".name"), `the hunt name "sweep" is taken`, "it is the name of ad hoc sweeps; choose another one")
		}
		p.checkSpec(h.Spec, at, names)
		p.checkSeeded(h, at)
		p.checkMerged(mergeSpec(h.Spec, p.file.Defaults), at, names)
	}
}

// checkSpec checks what a hunt or the defaults say themselves.
func (p *parsed) checkSpec(s Spec, at string, names names) {
	p.checkSeed(s.Seed, at+".seed", names)
	p.checkSchedule(s, at)
	for i, name := range s.Pivot.Providers {
		p.checkProvider(name, element(at+".pivot.providers", i), names)
	}
	for i, name := range s.Targets.Tools {
		if name != "" && names.whole && !names.tools[name] {
			p.fault(p.node(element(at+".targets.tools", i)), "unknown tool "+quote(name), suggestDefined(name, keysOfMap(names.tools), "tools"))
		}
	}
	for i, o := range s.Report {
		p.checkOutput(o, element(at+".report", i))
	}
	for i, t := range s.Tests {
		p.checkTest(t, element(at+".tests", i))
	}
	p.checkDurations(s, at)
	p.checkGlobs(at+".targets.hosts", s.Targets.Hosts)
	p.checkGlobs(at+".targets.exclude", s.Targets.Exclude)
}

func (p *parsed) checkProvider(name, at string, names names) {
	if name == "" || !names.whole {
		return
	}
	if _, ok := names.providers[name]; !ok {
		p.fault(p.node(at), "unknown provider "+quote(name), suggestDefined(name, keysOfMap(names.providers), "providers"))
	}
}

// suggestDefined says what would be right instead of a name that no file defines.
func suggestDefined(name string, defined []string, section string) string {
	if len(defined) == 0 {
		return "define it under " + section
	}
	if hint := suggest(name, defined); strings.HasPrefix(hint, "did you mean") {
		return hint
	}
	return "defined are: " + listed(defined)
}

func keysOfMap[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		if k != "" {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// checkSeed checks one seed section; whether there is any is checkSeeded's.
func (p *parsed) checkSeed(s Seed, at string, names names) {
	n := p.values[at]
	if n == nil || n.Kind != yaml.MappingNode {
		return
	}
	if len(n.Content) == 0 {
		p.fault(n, "the seed is empty", "give one of alert, hashes, report or on")
	}
	first := ""
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key := n.Content[i].Value; key {
		case "alert", "hashes", "report":
			if first != "" && first != key {
				p.fault(n.Content[i], fmt.Sprintf("the seed has both %s and %s", first, key), "keep one; a second hunt can have the other")
				continue
			}
			first = key
		}
	}
	if on := p.values[at+".on"]; on != nil && on.Kind == yaml.MappingNode && len(on.Content) == 0 {
		p.fault(on, "on would match every alert", "give at least one of alert_rule, source, severity, tags")
	}
	p.checkGlobs(at+".on", []string{s.On.AlertRule}, "alert_rule")
	p.checkGlobs(at+".on", []string{s.On.Source}, "source")
	p.checkHashes(s.Hashes, at+".hashes")
	p.checkReportID(s.Report, at+".report", names)
}

func (p *parsed) checkHashes(hashes []indicator.Indicator, at string) {
	seen := map[indicator.Indicator]bool{}
	for i, h := range hashes {
		if h.IsZero() {
			continue
		}
		n := p.node(element(at, i))
		if seen[h] {
			p.warn(n, "this hash is given twice", "delete one")
		}
		seen[h] = true
		if reason, junk := indicator.Junk(h); junk {
			p.warn(n, "this hash is never hunted: "+reason, "delete it")
		}
	}
}

var reportID = regexp.MustCompile(`^[\x21-\x7e]{1,200}$`)

func (p *parsed) checkReportID(id, at string, names names) {
	if id == "" {
		return
	}
	if !reportID.MatchString(id) {
		p.fault(p.node(at), "not the id of a report", "ids have no spaces; such as 15-00008884 or threatscape:15-00008884")
		return
	}
	provider, _, prefixed := strings.Cut(id, ":")
	if _, known := names.providers[provider]; prefixed && !known && names.whole {
		p.fault(p.node(at), fmt.Sprintf("unknown provider %s in the report's id", quote(provider)), suggestDefined(provider, keysOfMap(names.providers), "providers"))
	}
}

func (p *parsed) checkSchedule(s Spec, at string) {
	if s.Schedule == "" {
		return
	}
	n := p.node(at + ".schedule")
	if _, err := ParseSchedule(s.Schedule); err != nil {
		message, hint, _ := strings.Cut(err.Error(), "; ")
		p.fault(n, fmt.Sprintf("bad schedule %s: %s", quote(s.Schedule), message), hint)
	}
}

// checkGlobs checks patterns in which * and ? match; key names the single value that globs holds, none is a list.
func (p *parsed) checkGlobs(at string, globs []string, key ...string) {
	for i, g := range globs {
		if _, err := path.Match(g, ""); err != nil {
			where := element(at, i)
			if len(key) > 0 {
				where = at + "." + key[0]
			}
			p.fault(p.node(where), "bad pattern "+quote(g), "* matches any text, ? one character; close brackets")
		}
	}
}

func (p *parsed) checkTest(t Test, at string) {
	if p.values[at] == nil || p.values[at].Kind != yaml.MappingNode {
		return
	}
	if n := p.values[at+".expect"]; n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		p.fault(n, "expect is empty", "give hits, verified or both")
	}
	if t.Fleet.IsZero() && !p.given(at+".fleet") {
		p.fault(p.values[at], "the test has no fleet", "name a file of endpoints: fleet: testdata/fleet.yaml")
	}
}

// checkDurations reports lengths of time that make no sense.
func (p *parsed) checkDurations(s Spec, at string) {
	positive := []struct {
		key string
		d   *Duration
	}{{"run.timeout", s.Run.Timeout}, {"delta.max_age", s.Delta.MaxAge}}
	for _, x := range positive {
		if x.d != nil && *x.d <= 0 {
			p.fault(p.node(at+"."+x.key), x.key[strings.Index(x.key, ".")+1:]+": more than nothing is due", "such as 15m or 7d")
		}
	}
	if s.Search.MaxSize != nil && *s.Search.MaxSize < 1 {
		p.fault(p.node(at+".search.max_size"), "max_size: more than nothing is due", "such as 50MiB")
	}
}

// checkSeeded reports a hunt that has no seed, neither of its own nor by default.
func (p *parsed) checkSeeded(h Hunt, at string) {
	if p.given(at+".seed") || p.given("defaults.seed") {
		return
	}
	p.fault(p.node(at+".name"), "hunt "+quote(h.Name)+" has no seed", "give one: seed: {alert: …}, {hashes: […]}, {report: …} or {on: …}")
}

// checkMerged checks what only shows when the defaults are merged in.
func (p *parsed) checkMerged(s Spec, at string, names names) {
	p.checkLabels(s, at, names)
	if s.Schedule != "" && !s.Seed.On.IsZero() && !s.Seed.Fixed() {
		p.warn(p.either(at, "schedule"), "the schedule starts nothing: the seed only comes by webhook", "give the seed an alert, hashes or a report, or delete the schedule")
	}
	if len(s.Search.Where) > 0 && !slices.Contains(s.Search.Where, ledger.Files) {
		for _, key := range []string{"search.paths", "search.max_size", "search.unsized"} {
			if p.given(at + "." + key) {
				p.warn(p.keys[at+"."+key], key[len("search."):]+" has no effect: files is not in where", "add files to where, or delete this key")
			}
		}
	}
}

// checkLabels reports providers that are named and may not see a hunt of this label.
func (p *parsed) checkLabels(s Spec, at string, names names) {
	for i, name := range s.Pivot.Providers {
		def := names.providers[name]
		if def == nil || def.MaxTLP == "" || s.TLP.Rank() <= def.MaxTLP.Rank() {
			continue
		}
		n := p.either(at, element("pivot.providers", i))
		if p.given(at+".tlp") && !p.given(at+".pivot.providers") {
			n = p.node(at + ".tlp")
		}
		p.fault(n, fmt.Sprintf("provider %s may not see a hunt of TLP %s: its max_tlp is %s", quote(name), s.TLP, def.MaxTLP),
			"lower the hunt's tlp, or leave the provider out of pivot.providers")
	}
}

// either gives the node of a key in the hunt at, or else in the defaults.
func (p *parsed) either(at, key string) *yaml.Node {
	if n := p.values[at+"."+key]; n != nil {
		return n
	}
	return p.node("defaults." + key)
}
