package indicator

import (
	"cmp"
	"maps"
	"slices"
)

// Collision is a digest that files which are not the same claim; none of them is taken as another's sibling by it.
type Collision struct {
	Digest Indicator `json:"digest"`
	Files  []File    `json:"files"`
}

// FileSet joins file objects that share digests. It never invents a sibling: where two objects that share a digest
// contradict each other in another one (two sha256 for one md5), both stay, and the shared digest is a reported
// collision. The result does not depend on the order of Add.
// The zero value is ready for use; it is not safe for several goroutines.
type FileSet struct {
	stated   []File
	built    bool
	files    []File
	index    map[Indicator]int
	clash    []Collision
	clashing map[Indicator]bool
	sizes    []SizeConflict
}

// SizeConflict says that sources disagree about the size of one file, which is therefore unknown.
type SizeConflict struct {
	File  File    `json:"file"`
	Sizes []int64 `json:"sizes"` // ascending
}

// triple is the digests of a file: sha256, sha1, md5.
type triple [3]string

// Add states a file object. Objects without any digest are left out.
func (s *FileSet) Add(f File) {
	if len(f.Digests()) == 0 {
		return
	}
	f.Names = slices.Clone(f.Names)
	s.stated = append(s.stated, f)
	s.built = false
}

// Files gives the joined file objects, sorted by sha256, sha1, md5.
func (s *FileSet) Files() []File {
	s.build()
	return slices.Clone(s.files)
}

// SizeConflicts lists the files whose size is unknown because sources disagree, sorted.
func (s *FileSet) SizeConflicts() []SizeConflict {
	s.build()
	return slices.Clone(s.sizes)
}

// Collisions lists the digests that contradicting files share, sorted.
func (s *FileSet) Collisions() []Collision {
	s.build()
	return slices.Clone(s.clash)
}

// Lookup gives the file object that has the digest. A digest in a collision is nobody's sibling: asked for, it comes
// alone, and it is left out of the file objects of others.
func (s *FileSet) Lookup(i Indicator) (File, bool) {
	s.build()
	at, ok := s.index[i]
	if !ok {
		return File{}, false
	}
	if s.clashing[i] {
		var f File
		f.SetDigest(i.Kind, i.Value)
		return f, true
	}
	f := s.files[at]
	for _, d := range f.Digests() {
		if s.clashing[d] {
			f.SetDigest(d.Kind, "")
		}
	}
	f.Names = slices.Clone(f.Names)
	return f, true
}

// build joins everything that was stated: components of shared digests are merged when they agree; a component that
// contradicts itself is split along its colliding digests.
func (s *FileSet) build() {
	if s.built {
		return
	}
	s.built, s.files, s.clash, s.sizes = true, nil, nil, nil
	s.index, s.clashing = map[Indicator]int{}, map[Indicator]bool{}
	for _, group := range components(s.stated, nil) {
		if merged, ok := mergeAll(group); ok {
			s.keep(merged, group)
			continue
		}
		s.split(group)
	}
	slices.SortFunc(s.files, compareFiles)
	slices.SortFunc(s.clash, func(a, b Collision) int { return compareIndicators(a.Digest, b.Digest) })
	slices.SortFunc(s.sizes, func(a, b SizeConflict) int { return compareFiles(a.File, b.File) })
	for i, f := range s.files {
		for _, d := range f.Digests() {
			s.index[d] = i
		}
	}
}

// keep records a joined file and whether what was joined disagreed on its size.
func (s *FileSet) keep(merged File, from []File) {
	s.files = append(s.files, merged)
	if sizes := sizesOf(from); len(sizes) > 1 {
		s.sizes = append(s.sizes, SizeConflict{File: merged, Sizes: sizes})
	}
}

// split parts a component that contradicts itself: digests that are stated with two different values of another kind do
// not join any more, and what is left is joined by the others. A part that still contradicts itself does so over several
// steps; no single digest is to blame, so nothing of it is joined.
func (s *FileSet) split(group []File) {
	clash := directClashes(group)
	var kept []File
	for _, part := range components(group, clash) {
		if merged, ok := mergeAll(part); ok {
			kept = append(kept, merged)
			if sizes := sizesOf(part); len(sizes) > 1 {
				s.sizes = append(s.sizes, SizeConflict{File: merged, Sizes: sizes})
			}
			continue
		}
		stated := withoutSubsets(dedupe(part))
		kept = append(kept, stated...)
		for d, files := range byDigest(stated) {
			if len(files) > 1 {
				clash[d] = true
			}
		}
	}
	kept = withoutSubsets(kept)
	s.files = append(s.files, kept...)
	holders := byDigest(kept)
	for d := range clash {
		s.clashing[d] = true
		files := holders[d]
		slices.SortFunc(files, compareFiles)
		s.clash = append(s.clash, Collision{Digest: d, Files: files})
	}
}

// directClashes lists the digests that are stated together with two different values of another kind.
func directClashes(group []File) map[Indicator]bool {
	clash := map[Indicator]bool{}
	partners := map[Indicator]File{}
	for _, f := range group {
		for _, d := range f.Digests() {
			seen := partners[d]
			for _, other := range f.Digests() {
				if old := seen.Digest(other.Kind); old != "" && old != other.Value {
					clash[d] = true
				}
				seen.SetDigest(other.Kind, other.Value)
			}
			partners[d] = seen
		}
	}
	return clash
}

// byDigest lists for each digest the files that have it.
func byDigest(files []File) map[Indicator][]File {
	out := map[Indicator][]File{}
	for _, f := range files {
		for _, d := range f.Digests() {
			out[d] = append(out[d], f)
		}
	}
	return out
}

// withoutSubsets drops the files all of whose digests another one has too: they say nothing of their own.
func withoutSubsets(files []File) []File {
	full := map[triple]bool{}
	for _, f := range files {
		for _, sub := range subsets(f) {
			full[sub] = true
		}
	}
	return slices.DeleteFunc(files, func(f File) bool { return full[triple{f.SHA256, f.SHA1, f.MD5}] })
}

// subsets lists the proper, non-empty subsets of the digests of f.
func subsets(f File) []triple {
	whole := triple{f.SHA256, f.SHA1, f.MD5}
	var out []triple
	for mask := 1; mask < 7; mask++ {
		var sub triple
		for i := range whole {
			if mask&(1<<i) != 0 {
				sub[i] = whole[i]
			}
		}
		if sub != whole && sub != (triple{}) {
			out = append(out, sub)
		}
	}
	return out
}

// components groups files that share a digest, not counting those in skip. A file whose digests are all in skip is
// joined with its equals alone.
func components(files []File, skip map[Indicator]bool) [][]File {
	parent := make([]int, len(files))
	for i := range parent {
		parent[i] = i
	}
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first, equal := map[Indicator]int{}, map[triple]int{}
	for i, f := range files {
		for _, d := range f.Digests() {
			if skip[d] {
				continue
			}
			if j, ok := first[d]; ok {
				parent[find(i)] = find(j)
			} else {
				first[d] = i
			}
		}
		key := triple{f.SHA256, f.SHA1, f.MD5}
		if j, ok := equal[key]; ok {
			parent[find(i)] = find(j)
		} else {
			equal[key] = i
		}
	}
	groups := map[int][]File{}
	var order []int
	for i, f := range files {
		r := find(i)
		if groups[r] == nil {
			order = append(order, r)
		}
		groups[r] = append(groups[r], f)
	}
	out := make([][]File, 0, len(order))
	for _, r := range order {
		out = append(out, groups[r])
	}
	return out
}

// mergeAll joins files into one; ok is false when two of them contradict each other in a digest. Contradicting sizes
// leave the size unknown.
func mergeAll(files []File) (out File, ok bool) {
	names := map[string]bool{}
	for _, f := range files {
		for _, d := range f.Digests() {
			if old := out.Digest(d.Kind); old != "" && old != d.Value {
				return File{}, false
			}
			out.SetDigest(d.Kind, d.Value)
		}
		for _, n := range f.Names {
			names[n] = true
		}
		out.TLP = Stricter(out.TLP, f.TLP)
	}
	if sizes := sizesOf(files); len(sizes) == 1 {
		out.Size = sizes[0]
	}
	out.Names = slices.Sorted(maps.Keys(names))
	return out, true
}

// sizesOf lists the different sizes that are stated, ascending.
func sizesOf(files []File) []int64 {
	sizes := map[int64]bool{}
	for _, f := range files {
		if f.Size > 0 {
			sizes[f.Size] = true
		}
	}
	return slices.Sorted(maps.Keys(sizes))
}

// dedupe joins files of the very same digests.
func dedupe(files []File) []File {
	all := map[Indicator]bool{}
	for _, f := range files {
		for _, d := range f.Digests() {
			all[d] = true
		}
	}
	var out []File
	for _, same := range components(files, all) {
		merged, _ := mergeAll(same)
		out = append(out, merged)
	}
	slices.SortFunc(out, compareFiles)
	return out
}

func compareFiles(a, b File) int {
	return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.SHA1, b.SHA1), cmp.Compare(a.MD5, b.MD5))
}

func compareIndicators(a, b Indicator) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value))
}
