package pivot

import (
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// claim is one statement that some digests are of one file.
type claim struct {
	file     indicator.File
	provider string // "" for the seed's own
	raw      string
}

// statement is what makes two claims one.
type statement struct {
	md5, sha1, sha256, provider, names string
	size                               int64
}

// state records a file object; what it says counts from the next addSiblings on.
func (x *expander) state(f indicator.File, c claim) {
	key := statement{f.MD5, f.SHA1, f.SHA256, c.provider, strings.Join(f.Names, "\x00"), f.Size}
	if x.said[key] {
		return
	}
	x.said[key] = true
	x.files.Add(f)
	c.file = f
	if digests := f.Digests(); len(digests) > 1 {
		for _, d := range digests {
			x.claims[d] = append(x.claims[d], c)
		}
	}
}

// takeFiles keeps the file objects of an answer that are about digests of the graph, or about those asked.
func (x *expander) takeFiles(provider string, res Result, asked []indicator.Indicator) {
	raw := ""
	if len(res.Raw) == 1 {
		raw = res.Raw[0].Digest
	}
	of := map[indicator.Indicator]bool{}
	for _, i := range asked {
		of[i] = true
	}
	for _, f := range res.Files {
		f = normalFile(f)
		if slices.ContainsFunc(f.Digests(), func(d indicator.Indicator) bool {
			_, node := x.nodes[IndicatorRef(d)]
			return of[d] || (asked == nil && node)
		}) {
			x.state(f, claim{provider: provider, raw: raw})
		}
	}
}

// addSiblings adds the other digests of known files as nodes. They have no share in max_indicators: a digest brings two
// at most.
func (x *expander) addSiblings(refs []Ref) {
	for _, ref := range refs {
		ind, _ := ref.Indicator()
		f, _ := x.files.Lookup(ind)
		n := x.graph.Nodes[x.nodes[ref]]
		for _, d := range f.Digests() {
			sibling := IndicatorRef(d)
			if _, there := x.nodes[sibling]; there {
				continue
			}
			x.nodes[sibling] = len(x.graph.Nodes)
			x.origin[sibling] = ref
			x.leads[sibling] = x.leads[ref]
			x.graph.Nodes = append(x.graph.Nodes, Node{Ref: sibling, Depth: n.Depth, Confidence: n.Confidence, TLP: n.TLP, Seed: n.Seed})
		}
	}
}

// finish joins the file objects, links siblings, and keeps of reports and collisions what concerns the graph.
func (x *expander) finish() {
	g := x.graph
	var digests []Ref
	for _, n := range g.Nodes {
		if ind, ok := n.Ref.Indicator(); ok && ind.Kind.IsDigest() {
			digests = append(digests, n.Ref)
		}
	}
	x.addSiblings(digests)
	done := map[indicator.Indicator]bool{}
	for i := range g.Nodes {
		ind, ok := g.Nodes[i].Ref.Indicator()
		if !ok || !ind.Kind.IsDigest() || done[ind] {
			continue
		}
		f, found := x.files.Lookup(ind)
		if !found {
			f.SetDigest(ind.Kind, ind.Value)
		}
		g.Files = append(g.Files, f)
		for _, d := range f.Digests() {
			done[d] = true
		}
		x.inherit(f)
		x.linkSiblings(ind, f)
	}
	for _, c := range x.files.Collisions() {
		if _, node := x.nodes[IndicatorRef(c.Digest)]; node {
			g.Collisions = append(g.Collisions, Collision(c))
		}
	}
	x.linkOrphans()
	x.keepReports()
}

// inherit gives all digests of a file the best confidence, the strictest label and the seed's mark of any of them.
func (x *expander) inherit(f indicator.File) {
	var all Node
	for _, d := range f.Digests() {
		n := x.graph.Nodes[x.nodes[IndicatorRef(d)]]
		all.Confidence, all.Seed = max(all.Confidence, n.Confidence), all.Seed || n.Seed
		all.TLP = indicator.Stricter(all.TLP, n.TLP)
	}
	for _, d := range f.Digests() {
		n := &x.graph.Nodes[x.nodes[IndicatorRef(d)]]
		n.Confidence, n.Seed, n.TLP = all.Confidence, all.Seed, all.TLP
	}
}

// linkSiblings adds the edges from the digest of a file that was known first to the others, as they were stated.
func (x *expander) linkSiblings(first indicator.Indicator, f indicator.File) {
	linked := []indicator.Indicator{first}
	for len(linked) < len(f.Digests()) {
		before := len(linked)
		for _, to := range f.Digests() {
			if slices.Contains(linked, to) {
				continue
			}
			from, by, ok := x.stated(linked, to)
			if !ok {
				continue
			}
			linked = append(linked, to)
			if n := x.graph.Nodes[x.nodes[IndicatorRef(to)]]; !x.planted[n.Ref] {
				x.keepEdge(Edge{
					From: IndicatorRef(from), To: n.Ref, Relation: indicator.RelSibling, Provider: by.provider, Confidence: n.Confidence,
					Raw: by.raw, TLP: n.TLP,
				})
			}
		}
		if len(linked) == before {
			return
		}
	}
}

// stated finds the first statement that joins a digest to one of those already linked.
func (x *expander) stated(linked []indicator.Indicator, to indicator.Indicator) (from indicator.Indicator, by claim, ok bool) {
	for _, from := range linked {
		for _, c := range x.claims[to] {
			if c.file.Digest(from.Kind) == from.Value {
				return from, c, true
			}
		}
	}
	return indicator.Indicator{}, claim{}, false
}

// linkOrphans keeps the way to a digest that was taken as a sibling before a later answer made it a collision.
func (x *expander) linkOrphans() {
	reached := map[Ref]bool{}
	for _, e := range x.graph.Edges {
		reached[e.To] = true
	}
	for _, n := range x.graph.Nodes {
		if from, sibling := x.origin[n.Ref]; sibling && !reached[n.Ref] {
			x.keepEdge(Edge{From: from, To: n.Ref, Relation: indicator.RelSibling, Confidence: n.Confidence, TLP: n.TLP})
		}
	}
}

// keepReports lists the reports that edges and nodes name, in order of discovery, then those that name a seed and
// nothing beside it: that a report knows the hash is an answer too.
func (x *expander) keepReports() {
	listed := map[string]bool{}
	add := func(ref string) {
		if r, known := x.reports[ref]; known && !listed[ref] {
			listed[ref] = true
			x.graph.Reports = append(x.graph.Reports, r)
		}
	}
	for _, e := range x.graph.Edges {
		add(e.Report)
	}
	for _, n := range x.graph.Nodes {
		if n.Ref.Kind == indicator.RefReport {
			add(n.Ref.Value)
		}
	}
	for _, ref := range x.naming {
		add(ref)
	}
}
