package results

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// Seen is what earlier runs know of a set of digests.
type Seen struct {
	Runs       int       // runs that hunted every digest of the set, whole
	Absent     int       // endpoints that one of those runs proved to be without all of them
	LastAbsent time.Time // when the last of these answered
	Hits       int       // hits of any run on a digest of the set
	LastHit    time.Time
}

// seenChunk is how many values one statement asks for.
const seenChunk = 500

// SeenBefore says what earlier runs know of a set of digests. A run speaks for a digest when it hunted it and no tool
// narrowed it or could not be asked for it. Digests are taken as they are: a sibling is another digest.
func (s *Store) SeenBefore(ctx context.Context, hashes []string) (Seen, error) {
	set := make([]string, len(hashes))
	for i, h := range hashes {
		set[i] = strings.ToLower(h)
	}
	slices.Sort(set)
	set = slices.Compact(set)
	var out Seen
	if len(set) == 0 {
		return out, nil
	}
	hunted := map[string]int{}
	for part := range slices.Chunk(set, seenChunk) {
		if err := s.seenPart(ctx, part, hunted, &out); err != nil {
			return Seen{}, err
		}
	}
	var runs []string
	for run, n := range hunted {
		if n == len(set) {
			runs = append(runs, run)
		}
	}
	slices.Sort(runs)
	out.Runs = len(runs)
	return out, s.seenAbsent(ctx, runs, &out)
}

// seenPart counts for each run how many of the digests it hunted whole, and the hits on them.
func (s *Store) seenPart(ctx context.Context, part []string, hunted map[string]int, out *Seen) error {
	const what = "look for earlier runs"
	in, args := places(part)
	err := s.query(ctx, what, func(rows *sql.Rows) error {
		var run string
		var n int
		err := rows.Scan(&run, &n)
		hunted[run] += n
		return err
	}, `SELECT i.run, count(DISTINCT i.value) FROM run_indicator i WHERE i.value IN (`+in+`) AND i.status = 'hunted' AND NOT EXISTS (
		SELECT 1 FROM run_indicator n WHERE n.run = i.run AND n.value = i.value AND n.status <> 'hunted') GROUP BY i.run`, args...)
	if err != nil {
		return err
	}
	return s.query(ctx, what, func(rows *sql.Rows) error {
		var n int
		var at sql.NullString
		err := rows.Scan(&n, &at)
		out.Hits += n
		if t := unstamp(at); t.After(out.LastHit) {
			out.LastHit = t
		}
		return err
	}, `SELECT count(*), max(observed_at) FROM hit WHERE matched_value IN (`+in+`)`, args...)
}

func (s *Store) seenAbsent(ctx context.Context, runs []string, out *Seen) error {
	endpoints := map[string]bool{}
	for part := range slices.Chunk(runs, seenChunk) {
		in, args := places(part)
		err := s.query(ctx, "look for earlier runs", func(rows *sql.Rows) error {
			var endpoint string
			var at sql.NullString
			err := rows.Scan(&endpoint, &at)
			endpoints[endpoint] = true
			if t := unstamp(at); t.After(out.LastAbsent) {
				out.LastAbsent = t
			}
			return err
		}, `SELECT endpoint, max(answered_at) FROM target WHERE run IN (`+in+`) AND mode = 'live' AND state = 'absent' AND proven = 1 GROUP BY endpoint`, args...)
		if err != nil {
			return err
		}
	}
	out.Absent = len(endpoints)
	return nil
}
