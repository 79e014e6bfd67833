package results

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/hunter-project/hunter/internal/indicator"
)

// agreeing is how many endpoints must tell the same of a file before it is believed: one alone could lie.
const agreeing = 3

// KnownFiles gives the file objects of hits on any of the digests: those that the endpoint trusted found, and those of
// which several endpoints tell the same and none tells another thing. Hits of recorded tools, which compute no digest,
// and hits in conflict with their known sibling teach nothing.
func (s *Store) KnownFiles(ctx context.Context, digests []indicator.Indicator, trusted string) ([]indicator.File, error) {
	told := map[string]map[indicatorFile]*witness{} // by the digest that matched
	for part := range slices.Chunk(digests, seenChunk) {
		values := make([]string, len(part))
		for i, d := range part {
			values[i] = d.Value
		}
		in, args := places(values)
		err := s.query(ctx, "look for what earlier hits tell", func(rows *sql.Rows) error {
			var f indicatorFile
			var matched, endpoint string
			if err := rows.Scan(&matched, &f.md5, &f.sha1, &f.sha256, &f.size, &endpoint); err != nil {
				return err
			}
			if told[matched] == nil {
				told[matched] = map[indicatorFile]*witness{}
			}
			w := told[matched][f]
			if w == nil {
				w = &witness{}
				told[matched][f] = w
			}
			w.endpoints++
			w.trusted = w.trusted || endpoint == trusted
			return nil
		}, `SELECT DISTINCT h.matched_value, h.md5, h.sha1, h.sha256, h.size, h.endpoint FROM hit h
			JOIN target t ON t.run = h.run AND t.endpoint = h.endpoint AND t.tool = h.tool
			WHERE h.matched_value IN (`+in+`) AND h.conflict = 0 AND t.mode = 'live' AND h.size > 0 AND h.md5 <> '' AND h.sha1 <> '' AND h.sha256 <> ''`, args...)
		if err != nil {
			return nil, err
		}
	}
	return believed(told), nil
}

// indicatorFile is what a hit tells of a file.
type indicatorFile struct {
	md5, sha1, sha256 string
	size              int64
}

// witness counts who tells it.
type witness struct {
	endpoints int
	trusted   bool
}

func believed(told map[string]map[indicatorFile]*witness) []indicator.File {
	var out []indicator.File
	for _, files := range told {
		for f, w := range files {
			if w.trusted || (len(files) == 1 && w.endpoints >= agreeing) {
				out = append(out, indicator.File{MD5: f.md5, SHA1: f.sha1, SHA256: f.sha256, Size: f.size})
			}
		}
	}
	slices.SortFunc(out, compareFiles)
	return slices.CompactFunc(out, func(a, b indicator.File) bool { return compareFiles(a, b) == 0 })
}

func compareFiles(a, b indicator.File) int {
	return cmp.Or(cmp.Compare(a.SHA256, b.SHA256), cmp.Compare(a.SHA1, b.SHA1), cmp.Compare(a.MD5, b.MD5), cmp.Compare(a.Size, b.Size))
}
