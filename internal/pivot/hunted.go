package pivot

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Refused is a digest of the graph that is not hunted, why, and who brought it.
type Refused struct {
	Kind       indicator.Kind
	Value      string
	Reason     string
	Provider   string
	Relation   indicator.Relation
	Report     string
	Confidence int
}

// Hunted gives the file objects of a graph that are hunted, in order of discovery, and what is refused before dispatch:
// malformed digests, digests of files that say nothing, those on a never list, those of other kinds than the hunt's,
// those below its least confidence (which itself is enough), what only a relation leads to that is not hunted, and what
// any report calls a victim's own, whoever else names it.
//
// Junk and never lists refuse a file with all its digests; each is listed. Other refusals list a file by its strongest
// digest. The digests of the seed itself are refused for being malformed, junk or on a never list alone. Of a file that
// is hunted, digests of other kinds are left out.
func Hunted(g *Graph, opt Options, never *NeverList, now time.Time) (files []indicator.File, refused []Refused) {
	j := newJudge(g, opt, never, now)
	for _, f := range g.Files {
		if bad := j.junk(f); len(bad) > 0 {
			refused = append(refused, bad...)
			continue
		}
		if reason := j.unwanted(f); reason != "" {
			refused = append(refused, j.refuse(f, f.Best(), reason))
			continue
		}
		kept, gone := j.ofKinds(f)
		if kept.Best().IsZero() {
			refused = append(refused, j.refuse(f, f.Best(), fmt.Sprintf("its kind %s is not among the hunt's kinds", gone)))
			continue
		}
		kept.TLP = j.label(f)
		files = append(files, kept)
	}
	return files, refused
}

// judge decides what of a graph is hunted.
type judge struct {
	opt      Options
	never    *NeverList
	now      time.Time
	seeds    map[indicator.Indicator]bool // the digests that were given
	clash    map[indicator.Indicator]int  // collisions: how many files claim the digest
	into     map[indicator.Indicator]Edge // the best edge of a hunted relation, siblings apart
	unhunted map[indicator.Indicator]Edge // the best edge of any other relation, siblings apart
	victims  map[indicator.Indicator]Edge // an edge that says whose it is
	nodes    map[indicator.Indicator]Node
}

func newJudge(g *Graph, opt Options, never *NeverList, now time.Time) *judge {
	j := &judge{
		opt: opt, never: never, now: now, seeds: map[indicator.Indicator]bool{}, clash: map[indicator.Indicator]int{},
		into: map[indicator.Indicator]Edge{}, unhunted: map[indicator.Indicator]Edge{}, victims: map[indicator.Indicator]Edge{}, nodes: map[indicator.Indicator]Node{},
	}
	for _, s := range g.Seeds {
		if ind, ok := s.Indicator(); ok {
			j.seeds[ind] = true
		}
	}
	for _, c := range g.Collisions {
		j.clash[c.Digest] = len(c.Files)
	}
	for _, n := range g.Nodes {
		if ind, ok := n.Ref.Indicator(); ok {
			j.nodes[ind] = n
		}
	}
	for _, e := range g.Edges {
		ind, ok := e.To.Indicator()
		if !ok || e.Relation == indicator.RelSibling {
			continue
		}
		if RuleOf(e.Relation).Never {
			j.victims[ind] = e
			continue
		}
		best := j.unhunted
		if opt.hunts(e.Relation) {
			best = j.into
		}
		if old, seen := best[ind]; !seen || e.Confidence > old.Confidence {
			best[ind] = e
		}
	}
	return j
}

// junk refuses every digest of a file when one of them must never go out.
func (j *judge) junk(f indicator.File) []Refused {
	for _, d := range f.Digests() {
		reason := j.badDigest(d)
		if reason == "" {
			continue
		}
		out := []Refused{j.refuse(f, d, reason)}
		for _, other := range f.Digests() {
			if other == d {
				continue
			}
			own := j.badDigest(other)
			if own == "" {
				own = fmt.Sprintf("sibling of %s: %s", d, reason)
			}
			out = append(out, j.refuse(f, other, own))
		}
		return out
	}
	return nil
}

func (j *judge) badDigest(d indicator.Indicator) string {
	if n, err := indicator.Parse(d.Kind, d.Value); err != nil || n != d {
		return fmt.Sprintf("malformed: no %s of %d hex digits", d.Kind, d.Kind.HexLen())
	}
	if reason, junk := indicator.Junk(d); junk {
		return reason
	}
	if reason, listed := j.never.Find(d, j.now); listed {
		return reason
	}
	return ""
}

// unwanted tells why a sound file is not hunted, "" when it is.
func (j *judge) unwanted(f indicator.File) string {
	found, confidence := false, 0
	var other indicator.Relation
	for _, d := range f.Digests() {
		if j.seeds[d] || (j.nodes[d].Seed && j.clash[d] == 0) {
			return ""
		}
		if e, ok := j.into[d]; ok {
			found, confidence = true, max(confidence, e.Confidence)
		}
		if e, ok := j.unhunted[d]; ok {
			other = e.Relation
		}
	}
	for _, d := range f.Digests() {
		if e, ok := j.victims[d]; ok {
			return fmt.Sprintf("a victim's own file, says %s: never hunted unless it is the seed", cmp.Or(e.Report, e.Provider))
		}
	}
	switch {
	case !found && other != "":
		return fmt.Sprintf("known by the relation %s alone, which is not hunted; name it in pivot.follow to hunt it", other)
	case !found && j.clash[f.Best()] > 0:
		return fmt.Sprintf("collision: %d files that are not the same claim it, so it is nobody's sibling", j.clash[f.Best()])
	case !found:
		return "nothing leads to it"
	case confidence < j.opt.MinConfidence:
		return fmt.Sprintf("confidence %d is below min_confidence %d", confidence, j.opt.MinConfidence)
	}
	return ""
}

// ofKinds leaves out the digests of kinds that the hunt does not want, the given ones apart. gone is the strongest such
// kind.
func (j *judge) ofKinds(f indicator.File) (kept indicator.File, gone indicator.Kind) {
	if j.opt.Kinds == nil {
		return f, ""
	}
	for _, d := range f.Digests() {
		if slices.Contains(j.opt.Kinds, d.Kind) || j.seeds[d] {
			continue
		}
		f.SetDigest(d.Kind, "")
		if gone == "" {
			gone = d.Kind
		}
	}
	return f, gone
}

// refuse words the refusal of one digest of a file by the best edge that leads to it or, of a sibling, to its file.
func (j *judge) refuse(f indicator.File, d indicator.Indicator, reason string) Refused {
	r := Refused{Kind: d.Kind, Value: d.Value, Reason: reason, Confidence: j.nodes[d].Confidence}
	for _, of := range f.Digests() {
		if e, ok := j.victims[of]; ok {
			r.Relation, r.Provider, r.Report, r.Confidence = e.Relation, e.Provider, e.Report, e.Confidence
			return r
		}
	}
	for _, of := range append([]indicator.Indicator{d}, f.Digests()...) {
		e, ok := j.into[of]
		if !ok {
			e, ok = j.unhunted[of]
		}
		if ok {
			r.Relation, r.Provider, r.Report, r.Confidence = e.Relation, e.Provider, e.Report, e.Confidence
			return r
		}
	}
	return r
}

// label is the strictest label of a file's digests.
func (j *judge) label(f indicator.File) (t indicator.TLP) {
	t = j.opt.TLP
	for _, d := range f.Digests() {
		t = indicator.Stricter(t, j.nodes[d].TLP)
	}
	return t
}
