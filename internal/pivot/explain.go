package pivot

import (
	"cmp"
	"slices"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Explainer answers why a digest is hunted. It indexes a graph once, for many questions; it is safe for several
// goroutines.
type Explainer struct {
	into  map[Ref][]Edge // best first
	seeds map[Ref]bool
}

// NewExplainer indexes the edges and seeds of a graph, all that it needs of it.
func NewExplainer(g *Graph) *Explainer {
	x := &Explainer{into: map[Ref][]Edge{}, seeds: map[Ref]bool{}}
	for _, s := range g.Seeds {
		x.seeds[s] = true
	}
	for _, e := range g.Edges {
		x.into[e.To] = append(x.into[e.To], e)
	}
	for _, edges := range x.into {
		slices.SortStableFunc(edges, func(a, b Edge) int {
			return cmp.Or(cmp.Compare(b.Confidence, a.Confidence), compareEdges(a, b))
		})
	}
	return x
}

// Explain gives the chain of edges that leads from a seed to target: the shortest, and of those the one whose last steps
// are the most trusted. It begins with the alert's own edge when the seed is from an alert. It is nil when there is no
// way, or when the target was given by a person.
func (x *Explainer) Explain(target indicator.Indicator) []Edge {
	goal := IndicatorRef(target)
	next := map[Ref]Edge{} // the edge that leaves a node towards the goal
	seen := map[Ref]bool{goal: true}
	for queue := []Ref{goal}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if x.seeds[at] || at.Kind == indicator.RefAlert {
			return x.chain(at, goal, next)
		}
		for _, e := range x.into[at] {
			if !seen[e.From] {
				seen[e.From] = true
				next[e.From] = e
				queue = append(queue, e.From)
			}
		}
	}
	return nil
}

func (x *Explainer) chain(at, goal Ref, next map[Ref]Edge) []Edge {
	var out []Edge
	for _, e := range x.into[at] {
		if e.Relation == indicator.RelAlert {
			out = append(out, e)
			break
		}
	}
	for at != goal {
		out = append(out, next[at])
		at = next[at].To
	}
	return out
}

// Explain answers one question; for many use an Explainer.
func Explain(g *Graph, target indicator.Indicator) []Edge { return NewExplainer(g).Explain(target) }
