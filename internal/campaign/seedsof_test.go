package campaign

import (
	"slices"
	"strings"
	"testing"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// The seed is a file, under whatever digest it is found: none of them is set aside.
func TestSeedsHaveSiblings(t *testing.T) {
	t.Parallel()
	md5, sha256, other := strings.Repeat("a", 32), strings.Repeat("b", 64), strings.Repeat("c", 64)
	s := Spec{Seed: pivot.Seed{Files: []indicator.File{{MD5: md5}}}}
	got := s.seeds([]indicator.File{{MD5: md5, SHA256: sha256}, {SHA256: other}})
	has := func(v string) bool {
		return slices.ContainsFunc(got, func(i indicator.Indicator) bool { return i.Value == v })
	}
	if !has(md5) || !has(sha256) || has(other) {
		t.Errorf("%v", got)
	}
}
