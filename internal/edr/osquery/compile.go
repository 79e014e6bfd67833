package osquery

import (
	"fmt"
	"slices"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Flavor is how one sort of agent is asked.
type Flavor struct {
	Engine   string        // embedded or osqueryd
	MaxDepth int           // of a walk
	Budget   ledger.Budget // for walks that hash files of any size
	SelfPath string        // the agent's own program
}

// Compile words the questions of one chunk for one endpoint, cheapest first. Hashes with a known size and those without
// are separate walks: one unsized hash never makes all files be read for the sized ones.
func Compile(f Flavor, ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	b := builder{flavor: f, ep: ep, work: w, siblings: map[string]string{}}
	for _, t := range w.Targets {
		if t.Ask.Kind != indicator.SHA256 && t.File.SHA256 != "" {
			b.siblings[t.Ask.Value] = t.File.SHA256
		}
	}
	for _, stage := range w.Search.Where {
		switch stage {
		case ledger.Running, ledger.Autoruns:
			b.add(string(stage), Question{Stage: stage}, w.Targets)
		case ledger.Files:
			b.files()
		}
	}
	return b.out, b.err
}

type builder struct {
	flavor   Flavor
	ep       edr.Endpoint
	work     edr.Work
	siblings map[string]string
	out      []ledger.Query
	err      error
}

func (b *builder) files() {
	var sized, unsized []edr.Target
	for _, t := range b.work.Targets {
		if t.File.Size > 0 {
			sized = append(sized, t)
		} else {
			unsized = append(unsized, t)
		}
	}
	s := b.work.Search
	roots, explicit := s.Places(b.ep.Platform)
	wide := roots
	if !explicit {
		wide = edr.Unnested(append(slices.Clone(roots), edr.SizedRoots(b.ep.Platform)...), b.ep.Platform)
	}
	if len(sized) > 0 {
		sizes := make([]int64, 0, len(sized))
		for _, t := range sized {
			sizes = append(sizes, t.File.Size)
		}
		slices.Sort(sizes)
		for i, r := range wide {
			b.add(fmt.Sprintf("files-sized-%02d", i), Question{Stage: ledger.Files, Root: r, Explicit: explicit, Sizes: slices.Compact(sizes)}, sized)
		}
	}
	if len(unsized) == 0 || s.Unsized == edr.UnsizedSkip {
		return
	}
	if s.Unsized == edr.UnsizedFull {
		roots = wide
	}
	for i, r := range roots {
		q := Question{Stage: ledger.Files, Root: r, Explicit: explicit}
		if s.Unsized == edr.UnsizedPlaces {
			q.Budget = b.flavor.Budget
		}
		b.add(fmt.Sprintf("files-any-%02d", i), q, unsized)
	}
}

// add words one question and appends it.
func (b *builder) add(name string, q Question, targets []edr.Target) {
	q.Platform, q.MaxSize, q.MaxDepth = b.ep.Platform, b.work.Search.MaxSize, b.flavor.MaxDepth
	for _, t := range targets {
		q.Hashes = append(q.Hashes, t.Ask)
	}
	slices.SortFunc(q.Hashes, func(x, y indicator.Indicator) int { return compare(x, y) })
	q.Hashes = slices.Compact(q.Hashes)
	text, err := Text(q)
	if err != nil {
		b.err = err
		return
	}
	b.out = append(b.out, ledger.Query{
		ID: fmt.Sprintf("%02d-%s", b.work.Chunk, name), Stage: q.Stage, Platform: q.Platform, Root: q.Root, Text: text,
		Hashes: q.Hashes, Sizes: q.Sizes, MaxSize: q.MaxSize, MaxDepth: q.MaxDepth, SelfPath: b.flavor.SelfPath,
		Siblings: b.siblings, Budget: q.Budget, Engine: b.flavor.Engine, MustExist: q.Explicit && q.Stage == ledger.Files,
	})
}

// compare orders digests by kind, strongest first, then by value.
func compare(x, y indicator.Indicator) int {
	kinds := indicator.DigestKinds()
	if i, j := slices.Index(kinds, x.Kind), slices.Index(kinds, y.Kind); i != j {
		return i - j
	}
	switch {
	case x.Value < y.Value:
		return -1
	case x.Value > y.Value:
		return 1
	}
	return 0
}
