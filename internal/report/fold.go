package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
)

// most is how many things a picture shows one by one; beyond that they are folded.
const most = 40

// folding is how much of a picture is folded into counts.
type folding struct {
	whole              bool // also what leads on, when nothing below it hit
	roots, limbs, hits int  // how many of these stand apart
	depth              int  // nothing stands apart below
}

// foldings go from mild to strong; the first that makes a picture small enough is taken.
func foldings() []folding {
	return []folding{
		{roots: 1 << 30, limbs: 1 << 30, hits: 12, depth: deepest},
		{whole: true, roots: 20, limbs: 12, hits: 6, depth: deepest},
		{whole: true, roots: 6, limbs: 5, hits: 3, depth: 3},
		{whole: true, roots: 3, limbs: 3, hits: 2, depth: 2},
	}
}

// fold makes a picture small enough to be read. What hit stands apart as long as there is room; everything is counted.
func (p *picture) fold() *picture {
	drawn := func(roots []*vertex) (n int) {
		for _, v := range roots {
			n += v.size()
		}
		return n
	}
	if drawn(p.Roots) <= most {
		return p
	}
	out := *p
	out.Folded = true
	for _, f := range foldings() {
		out.Roots = f.kids(p.Roots, 0, f.roots)
		if drawn(out.Roots) <= most {
			break
		}
	}
	return &out
}

// kids folds what hangs on one limb: at most apart vertices stand for themselves beside the folded ones.
func (f folding) kids(list []*vertex, depth, apart int) []*vertex {
	groups := map[shape]*tally{}
	single := map[shape]*vertex{}
	fold := func(v *vertex, t tally, as shape) {
		if groups[as] == nil {
			groups[as] = &tally{}
			single[as] = v
		} else {
			single[as] = nil
		}
		groups[as].add(t)
	}
	var out []*vertex
	hits := 0
	for _, v := range list {
		sum := v.sum()
		leaf := len(v.Limbs) == 0
		stays := !leaf && (!f.whole || sum.Hits > 0) && depth < f.depth
		switch {
		case sum.Hits > 0 && (leaf && hits < f.hits || !leaf && stays && hits < apart):
			hits++
			out = append(out, f.vertex(v, depth))
		case sum.Hits > 0:
			fold(v, sum, groupHit)
		case stays && len(out) < apart, depth == 0 && v.Shape == shapeSeed && len(out) < min(apart, f.hits):
			out = append(out, f.vertex(v, depth))
		default:
			fold(v, sum, v.Shape)
		}
	}
	for _, as := range []shape{groupHit, shapeSeed, shapeRelated, shapeRefused} {
		switch {
		case groups[as] == nil:
		case single[as] != nil && len(single[as].Limbs) == 0:
			out = append(out, single[as])
		default:
			out = append(out, group(as, *groups[as]))
		}
	}
	return out
}

// groupHit is the class of folded things some of which hit.
const groupHit shape = "hit"

// vertex folds what hangs on a vertex that stands apart. The picture that is folded is not changed.
func (f folding) vertex(v *vertex, depth int) *vertex {
	out := *v
	out.Limbs = nil
	limbs, rest := slices.Clone(v.Limbs), []*limb(nil)
	if len(limbs) > f.limbs {
		slices.SortStableFunc(limbs, func(a, b *limb) int {
			x, y := a.sum(), b.sum()
			return cmp.Or(cmp.Compare(y.Hits, x.Hits), cmp.Compare(y.total(), x.total()))
		})
		limbs, rest = limbs[:f.limbs], limbs[f.limbs:]
	}
	for _, l := range limbs {
		out.Limbs = append(out.Limbs, &limb{Label: l.Label, Sub: l.Sub, Title: l.Title, Kids: f.kids(l.Kids, depth+1, f.hits)})
	}
	if len(rest) > 0 {
		more := &limb{Label: fmt.Sprintf("%d more", len(rest)), Title: fmt.Sprintf("%d further reports and relations", len(rest))}
		for _, l := range rest {
			more.Kids = append(more.Kids, l.Kids...)
		}
		more.Kids = folding{depth: -1}.kids(more.Kids, depth+1, 0)
		out.Limbs = append(out.Limbs, more)
	}
	return &out
}

func (l *limb) sum() tally {
	var t tally
	for _, k := range l.Kids {
		t.add(k.sum())
	}
	return t
}

// group is the vertex that stands for many.
func group(as shape, t tally) *vertex {
	v := &vertex{Shape: as, Tally: t, Folded: true, Hit: t.Hits > 0}
	word := string(as)
	if as == groupHit {
		v.Shape = shapeRelated
		if t.Related+t.Refused == 0 {
			v.Shape = shapeSeed
		}
		word = "things"
	}
	v.Label = fmt.Sprintf("%d %s", t.total(), word)
	var kinds, most []string
	for _, k := range slices.SortedFunc(maps.Keys(t.kinds), func(a, b string) int {
		return cmp.Or(cmp.Compare(t.kinds[b], t.kinds[a]), cmp.Compare(a, b))
	}) {
		kinds = append(kinds, fmt.Sprintf("%d %s", t.kinds[k], diag.Escape(k)))
	}
	most = kinds
	if t.Hits > 0 {
		most = slices.Concat([]string{fmt.Sprintf("%d hit", t.Hits)}, kinds)
	}
	v.Sub = clip(strings.Join(most, ", "), 24)
	v.Title = join(" · ", v.Label, strings.Join(most, ", "), plural(t.Refused, "refused", as == shapeRefused))
	return v
}

// plural tells a count that is not said yet.
func plural(n int, word string, said bool) string {
	if n == 0 || said {
		return ""
	}
	return fmt.Sprintf("%d %s", n, word)
}
