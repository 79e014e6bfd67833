package osquery

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Flavor is how one sort of agent is asked.
type Flavor struct {
	Engine   string        // ledger.EngineEmbedded or ledger.EngineOsqueryd
	MaxDepth int           // of a walk; deeper is told as partial
	Budget   ledger.Budget // for walks that hash files of any size
	SelfPath string        // the agent's own program, when it is known
}

// Embedded is how hunter's own engine is asked. self is hunter's program.
func Embedded(self string) Flavor {
	return Flavor{Engine: ledger.EngineEmbedded, MaxDepth: 1000, SelfPath: self}
}

// Osqueryd is how an agent is asked: its watchdog ends what takes long, so files of any size are hashed only within a
// budget that is inside the query.
func Osqueryd() Flavor {
	return Flavor{Engine: ledger.EngineOsqueryd, MaxDepth: 40, Budget: ledger.Budget{Files: 5000, Bytes: 1 << 30}}
}

// Compile words the questions of one chunk for one endpoint, cheapest first. Hashes with a known size and those without
// are separate walks: one unsized hash never makes all files be read for the sized ones. Blind work is worded without a
// digest.
func Compile(f Flavor, ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	w.Blind = w.Blind || ep.Blind != ""
	b := builder{flavor: f, ep: ep, work: w, siblings: edr.Siblings(w.Targets)}
	if slices.Contains(w.Search.Where, ledger.Files) {
		b.first()
	}
	for _, stage := range w.Search.Where {
		switch stage {
		case ledger.Running, ledger.Autoruns:
			b.add(string(stage), Question{Stage: stage}, w.Targets, 0)
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
	asked    []edr.Target // of which hashes are
	hashes   []indicator.Indicator
	out      []ledger.Query
	err      error
}

// place is one root of the files stage.
type place struct{ name, root string }

// places gives the roots of a walk, each with the name that its questions have.
func (b *builder) places(roots []string, explicit bool) []place {
	var out []place
	for i, r := range roots {
		out = append(out, place{fmt.Sprintf("%02d", i), r})
	}
	if !explicit && b.ep.Platform == "windows" {
		out = append(out, place{"drives", DriveRoots})
	}
	return out
}

func (b *builder) files() {
	sized, unsized := edr.BySize(b.work.Targets)
	s := b.work.Search
	roots, explicit := s.Places(b.ep.Platform)
	wide := roots
	if !explicit {
		wide = edr.Unnested(append(slices.Clone(roots), edr.SizedRoots(b.ep.Platform)...), b.ep.Platform)
	}
	narrowed := 0
	if s.Unsized == edr.UnsizedSkip {
		narrowed, unsized = len(unsized), nil
	}
	if len(sized) > 0 {
		var sizes []int64
		for _, t := range sized {
			sizes = append(sizes, t.File.Size)
		}
		slices.Sort(sizes)
		sizes = slices.Compact(sizes)
		for _, p := range b.places(wide, explicit) {
			b.add("files-sized-"+p.name, Question{Stage: ledger.Files, Root: p.root, Explicit: explicit, Sizes: sizes}, sized, narrowed)
		}
	}
	if len(unsized) == 0 {
		return
	}
	q := Question{Stage: ledger.Files, Explicit: explicit, Budget: b.flavor.Budget}
	if s.Unsized == edr.UnsizedFull {
		roots, q.Budget = wide, ledger.Budget{}
	}
	for _, p := range b.places(roots, explicit) {
		q.Root = p.root
		b.add("files-any-"+p.name, q, unsized, 0)
	}
}

// first words the questions for the places where an alert saw a file: that file alone, whatever its size.
func (b *builder) first() {
	for i, path := range b.work.Search.FirstOn(b.ep) {
		q := Question{Stage: ledger.Files, Root: path, MaxDepth: 1}
		if b.work.Blind && namesHash(path, edr.Hashes(b.work.Targets)) { // all files beside it are looked at instead
			q.Root = folderOf(path, b.ep.Platform)
		}
		b.add(fmt.Sprintf("files-alert-%02d", i), q, b.work.Targets, 0)
	}
}

// folderOf gives the folder of an absolute path.
func folderOf(path, platform string) string {
	sep := separator(platform)
	folder := path[:max(strings.LastIndex(path, sep), 0)]
	if folder == "" || strings.HasSuffix(folder, ":") { // a drive's root
		folder += sep
	}
	return folder
}

// blindBudget keeps what a blind walk hashes within what an answer lists; over it the walk is split.
func blindBudget(b ledger.Budget) ledger.Budget {
	if b.Files <= 0 || b.Files > ledger.SeenMax {
		b.Files = ledger.SeenMax
	}
	return b
}

// add words one question and appends it. narrowed is how many hashes the hunt keeps out of it.
func (b *builder) add(name string, q Question, targets []edr.Target, narrowed int) {
	if b.err != nil {
		return
	}
	q.Platform, q.Engine, q.MaxSize = b.ep.Platform, b.flavor.Engine, b.work.Search.MaxSize
	flat := q.MaxDepth == 1 // one level is all that is meant
	if q.Stage == ledger.Files && !flat {
		q.MaxDepth = b.flavor.MaxDepth
	}
	if q.Blind = b.work.Blind; q.Blind && q.Stage == ledger.Files {
		q.Budget = blindBudget(q.Budget)
	}
	q.Splits = !flat && q.Budget != (ledger.Budget{}) && q.Root != DriveRoots && utf8.ValidString(q.Root) // a byte is no character to SQLite
	q.Hashes = b.hashesOf(targets)
	if q.Blind && flat && namesHash(q.Root, q.Hashes) { // the folder, too, has a digest for a name: the other walks look there
		return
	}
	text, err := Text(q)
	if err != nil {
		b.err = err
		return
	}
	out := ledger.Query{
		ID: fmt.Sprintf("%02d-%s", b.work.Chunk, name), Stage: q.Stage, Platform: q.Platform, Root: q.Root, Text: text,
		Hashes: q.Hashes, Sizes: q.Sizes, MaxSize: q.MaxSize, MaxDepth: q.MaxDepth, SelfPath: b.flavor.SelfPath,
		Siblings: b.siblings, Budget: q.Budget, Splits: q.Splits, Engine: q.Engine, Blind: q.Blind, MustExist: q.Explicit && q.Stage == ledger.Files, Narrowed: narrowed,
	}
	if q.Root == DriveRoots || flat {
		out.MaxDepth = 0
	}
	b.out = append(b.out, out)
}

// hashesOf gives the hashes of targets, which are the same from one root to the next.
func (b *builder) hashesOf(targets []edr.Target) []indicator.Indicator {
	if len(targets) == 0 || len(b.asked) != len(targets) || &b.asked[0] != &targets[0] {
		b.asked, b.hashes = targets, edr.Hashes(targets)
	}
	return b.hashes
}
