package edr

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// Hashes lists what targets are asked for, as a query has it: each once, by kind, the strongest first, then by value.
func Hashes(targets []Target) []indicator.Indicator {
	if len(targets) == 0 {
		return nil
	}
	out := make([]indicator.Indicator, len(targets))
	for i := range targets {
		out[i] = targets[i].Ask
	}
	kinds := indicator.DigestKinds()
	slices.SortFunc(out, func(a, b indicator.Indicator) int {
		if a.Kind == b.Kind {
			return cmp.Compare(a.Value, b.Value)
		}
		return cmp.Or(cmp.Compare(slices.Index(kinds, a.Kind), slices.Index(kinds, b.Kind)), cmp.Compare(a.Value, b.Value))
	})
	return slices.Compact(out)
}

// Siblings gives for each md5 or sha1 the sha256 that is known for it; of a collision all, with a space between.
func Siblings(targets []Target) map[string]string {
	known := map[string][]string{}
	for _, t := range targets {
		if t.Ask.Kind != indicator.SHA256 {
			known[t.Ask.Value] = append(known[t.Ask.Value], t.File.SHA256)
		}
	}
	out := map[string]string{}
	for v, list := range known {
		if slices.Contains(list, "") {
			continue // a file of which nobody knows the sha256 may have any
		}
		slices.Sort(list)
		out[v] = strings.Join(slices.Compact(list), " ")
	}
	return out
}
