package diag

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// maxNearest is the longest word that is compared; longer ones are no typing slip.
const maxNearest = 64

// Nearest gives the candidate that word was most likely meant to be, "" when none is near. Case, '-' and '_' do not count
// as differences, two swapped letters count as one. Of equally near candidates the first in the alphabet wins.
func Nearest(word string, candidates []string) string {
	w := fold(word)
	if w == "" || len(w) > maxNearest {
		return ""
	}
	best, bestDistance := "", 0
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		f := fold(c)
		if f == "" || len(f) > maxNearest {
			continue
		}
		d := distance(w, f)
		if d <= allowed(w, f) && (best == "" || d < bestDistance) {
			best, bestDistance = c, d
		}
	}
	return best
}

// allowed is how many slips two words may lie apart: none for one letter, one up to five, then one in three.
func allowed(a, b string) int {
	n := min(utf8.RuneCountInString(a), utf8.RuneCountInString(b))
	switch {
	case n < 2:
		return 0
	case n <= 5:
		return 1
	default:
		return n / 3
	}
}

func fold(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// distance is the number of letters inserted, left out, changed or swapped with their neighbour (optimal string alignment).
func distance(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	before := make([]int, len(rb)+1) // row i-2
	last := make([]int, len(rb)+1)   // row i-1
	row := make([]int, len(rb)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(ra); i++ {
		row[0] = i
		for j := 1; j <= len(rb); j++ {
			cost := 1
			if ra[i-1] == rb[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && ra[i-1] == rb[j-2] && ra[i-2] == rb[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(rb)]
}
