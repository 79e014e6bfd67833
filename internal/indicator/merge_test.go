package indicator_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/indicator"
)

func setOf(files ...indicator.File) *indicator.FileSet {
	s := &indicator.FileSet{}
	for _, f := range files {
		s.Add(f)
	}
	return s
}

func TestFileSetJoins(t *testing.T) {
	t.Parallel()
	type file = indicator.File
	for name, c := range map[string]struct {
		in, want  []file
		collision []string
	}{
		"siblings over two statements": {
			in:   []file{{MD5: "m", SHA1: "x", Size: 5, Names: []string{"b"}}, {SHA1: "x", SHA256: "s", Names: []string{"a", "b"}}},
			want: []file{{MD5: "m", SHA1: "x", SHA256: "s", Size: 5, Names: []string{"a", "b"}}},
		},
		"unrelated stay apart":   {in: []file{{MD5: "m"}, {SHA256: "s"}}, want: []file{{MD5: "m"}, {SHA256: "s"}}},
		"sizes disagree":         {in: []file{{SHA256: "s", Size: 5}, {SHA256: "s", Size: 6}}, want: []file{{SHA256: "s"}}},
		"no digest is no object": {in: []file{{Size: 5}}},
		"two sha256 for one md5": {
			in:        []file{{MD5: "m", SHA256: "s1"}, {MD5: "m", SHA256: "s2"}, {MD5: "m"}},
			want:      []file{{MD5: "m", SHA256: "s1"}, {MD5: "m", SHA256: "s2"}},
			collision: []string{"md5:m"},
		},
		"two sha256 for one sha1, and the rest still joins": {
			in: []file{
				{SHA1: "x", SHA256: "s1"}, {SHA1: "x", SHA256: "s2"}, {MD5: "m1", SHA256: "s1", Size: 9}, {MD5: "m2", SHA256: "s2"},
			},
			want:      []file{{MD5: "m1", SHA1: "x", SHA256: "s1", Size: 9}, {MD5: "m2", SHA1: "x", SHA256: "s2"}},
			collision: []string{"sha1:x"},
		},
		"one sha256 with two md5": {
			in:        []file{{MD5: "m1", SHA256: "s"}, {MD5: "m2", SHA256: "s"}},
			want:      []file{{MD5: "m1", SHA256: "s"}, {MD5: "m2", SHA256: "s"}},
			collision: []string{"sha256:s"},
		},
		"a contradiction over three steps joins nothing": {
			in:        []file{{MD5: "m1", SHA1: "x"}, {SHA1: "x", SHA256: "s"}, {SHA256: "s", MD5: "m2"}},
			want:      []file{{MD5: "m1", SHA1: "x"}, {MD5: "m2", SHA256: "s"}, {SHA1: "x", SHA256: "s"}},
			collision: []string{"sha1:x", "sha256:s"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := setOf(c.in...)
			got := s.Files()
			slices.SortFunc(c.want, func(a, b file) int {
				return slices.Compare([]string{a.SHA256, a.SHA1, a.MD5}, []string{b.SHA256, b.SHA1, b.MD5})
			})
			if d := cmp.Diff(c.want, got); d != "" && len(c.want)+len(got) > 0 {
				t.Error(d)
			}
			var clash []string
			for _, x := range s.Collisions() {
				clash = append(clash, x.Digest.String())
				if len(x.Files) < 2 {
					t.Errorf("collision %v has %d files", x.Digest, len(x.Files))
				}
			}
			if d := cmp.Diff(c.collision, clash); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestLookupNeverGivesACollidingSibling(t *testing.T) {
	t.Parallel()
	s := setOf(indicator.File{MD5: "m", SHA256: "s1", Size: 7}, indicator.File{MD5: "m", SHA256: "s2"})
	for in, want := range map[indicator.Indicator]indicator.File{
		{Kind: indicator.MD5, Value: "m"}:     {MD5: "m"},
		{Kind: indicator.SHA256, Value: "s1"}: {SHA256: "s1", Size: 7},
		{Kind: indicator.SHA256, Value: "s2"}: {SHA256: "s2"},
	} {
		if got, ok := s.Lookup(in); !ok || !cmp.Equal(got, want) {
			t.Errorf("Lookup(%v) = %+v %v, want %+v", in, got, ok, want)
		}
	}
	if _, ok := s.Lookup(indicator.Indicator{Kind: indicator.MD5, Value: "other"}); ok {
		t.Error("an unknown digest is found")
	}
}

func TestSizeConflictIsNoted(t *testing.T) {
	t.Parallel()
	s := setOf(indicator.File{MD5: "m", Size: 7}, indicator.File{MD5: "m", Size: 3}, indicator.File{MD5: "m", Size: -4}, indicator.File{MD5: "n", Size: 3})
	want := []indicator.SizeConflict{{File: indicator.File{MD5: "m"}, Sizes: []int64{3, 7}}}
	if d := cmp.Diff(want, s.SizeConflicts()); d != "" {
		t.Error(d)
	}
}

// Few values make collisions likely.
func files() *rapid.Generator[[]indicator.File] {
	digest := func(k string) *rapid.Generator[string] {
		return rapid.SampledFrom([]string{"", "", k + "1", k + "2", k + "3"})
	}
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) indicator.File {
		f := indicator.File{
			MD5: digest("m").Draw(t, "md5"), SHA1: digest("x").Draw(t, "sha1"), SHA256: digest("s").Draw(t, "sha256"),
			Size: rapid.SampledFrom([]int64{0, 0, 1, 2}).Draw(t, "size"),
		}
		if n := rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "name"); n != "" {
			f.Names = []string{n}
		}
		return f
	}), 0, 9)
}

func TestFileSetIsIndependentOfOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := files().Draw(t, "files")
		a, b := setOf(in...), setOf(rapid.Permutation(in).Draw(t, "permuted")...)
		for _, d := range []string{
			cmp.Diff(a.Files(), b.Files()), cmp.Diff(a.Collisions(), b.Collisions()), cmp.Diff(a.SizeConflicts(), b.SizeConflicts()),
		} {
			if d != "" {
				t.Fatal(d)
			}
		}
	})
}

func TestFileSetIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := setOf(files().Draw(t, "files")...)
		b := setOf(a.Files()...)
		if d := cmp.Diff(a.Files(), b.Files()) + cmp.Diff(a.Collisions(), b.Collisions()); d != "" {
			t.Fatal(d)
		}
	})
}

func TestFileSetInventsAndLosesNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := files().Draw(t, "files")
		s := setOf(in...)
		stated := map[indicator.Indicator][]indicator.Indicator{}
		for _, f := range in {
			for _, a := range f.Digests() {
				stated[a] = append(stated[a], f.Digests()...)
			}
		}
		clash := map[indicator.Indicator]bool{}
		for _, c := range s.Collisions() {
			clash[c.Digest] = true
		}
		holders := map[indicator.Indicator]int{}
		for _, f := range s.Files() {
			for _, d := range f.Digests() {
				holders[d]++
			}
			if !connected(f.Digests(), stated) {
				t.Fatalf("%+v is joined by no statement", f)
			}
		}
		for d := range stated {
			if (holders[d] > 1) != clash[d] || holders[d] == 0 {
				t.Fatalf("%v is in %d files, collision %v", d, holders[d], clash[d])
			}
			if f, ok := s.Lookup(d); !ok || f.Digest(d.Kind) != d.Value || (clash[d] && len(f.Digests()) != 1) {
				t.Fatalf("Lookup(%v) = %+v %v", d, f, ok)
			}
		}
		for _, f := range in {
			if len(f.Digests()) > 0 && !slices.ContainsFunc(s.Files(), func(g indicator.File) bool { return holds(g, f) }) {
				t.Fatalf("%+v is lost", f)
			}
		}
	})
}

func holds(g, f indicator.File) bool {
	for _, d := range f.Digests() {
		if g.Digest(d.Kind) != d.Value {
			return false
		}
	}
	return true
}

func connected(digests []indicator.Indicator, stated map[indicator.Indicator][]indicator.Indicator) bool {
	reach, todo := map[indicator.Indicator]bool{digests[0]: true}, digests[:1:1]
	for len(todo) > 0 {
		next := stated[todo[0]]
		todo = todo[1:]
		for _, d := range next {
			if !reach[d] {
				reach[d] = true
				todo = append(todo, d)
			}
		}
	}
	return !slices.ContainsFunc(digests, func(d indicator.Indicator) bool { return !reach[d] })
}

// One md5 that fifty thousand files claim must not take minutes.
func TestFileSetTakesHubs(t *testing.T) {
	t.Parallel()
	s := &indicator.FileSet{}
	for i := range 50_000 {
		s.Add(indicator.File{MD5: "m", SHA256: fmt.Sprintf("%064x", i), Size: int64(i)})
	}
	if len(s.Files()) != 50_000 || len(s.Collisions()) != 1 {
		t.Errorf("%d files, %d collisions", len(s.Files()), len(s.Collisions()))
	}
}
