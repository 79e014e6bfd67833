// Package files is the local intelligence store and the provider that answers from it. Files of MISP events, STIX 2.1
// bundles, CSV and plain hash lists are imported into tables of the results database; their bytes are kept as received,
// so that every edge can be traced to them.
package files

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
)

// DB is the database: one writer, and a pool for reading.
type DB struct{ W, R *sql.DB }

// Store is the local intelligence store.
type Store struct {
	db  DB
	now func() time.Time
}

// NewStore makes a store over a database that has its tables.
func NewStore(db DB, now func() time.Time) *Store {
	if now == nil {
		now = time.Now
	}
	return &Store{db: db, now: now}
}

// timeText is how times are stored.
const timeText = "2006-01-02T15:04:05.000Z"

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(timeText)
}

func unstamp(s sql.NullString) time.Time {
	if s.String == "" { // as usual: an error would be made for nothing
		return time.Time{}
	}
	t, err := time.Parse(timeText, s.String)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Found is one indicator that a search found, with a report that names it.
type Found struct {
	Indicator  indicator.Indicator `json:"indicator"`
	Report     string              `json:"report,omitempty"`
	Title      string              `json:"title,omitempty"`
	TLP        indicator.TLP       `json:"tlp,omitempty"`
	Confidence int                 `json:"confidence"`
	Source     string              `json:"source,omitempty"`
}

// Search looks for indicators by value or the beginning of one, and for reports by a part of their title or their id.
func (s *Store) Search(ctx context.Context, text string, limit int) ([]Found, error) {
	text = strings.TrimSpace(text)
	value := text
	if ind, err := indicator.Detect(text); err == nil {
		value = ind.Value
	}
	if limit <= 0 {
		limit = 100
	}
	rows, err := s.db.R.QueryContext(ctx, `SELECT i.kind, i.value, coalesce(r.uid, ''), coalesce(r.title, ''), coalesce(r.tlp, ''), coalesce(m.confidence, 0),
			coalesce(s.name, '')
		FROM intel_indicator i LEFT JOIN intel_member m ON m.indicator = i.id LEFT JOIN intel_report r ON r.id = m.report
		LEFT JOIN intel_source s ON s.id = r.source
		WHERE (i.value >= ?1 AND i.value < ?1 || char(1114111)) OR r.uid = ?1 OR (length(?1) > 2 AND instr(lower(r.title), lower(?1)) > 0)
		ORDER BY i.kind, i.value, r.uid LIMIT ?2`, value, limit)
	if err != nil {
		return nil, fmt.Errorf("search the intelligence store: %w", err)
	}
	defer rows.Close() // read-only
	var out []Found
	for rows.Next() {
		var f Found
		var kind, tlp string
		if err := rows.Scan(&kind, &f.Indicator.Value, &f.Report, &f.Title, &tlp, &f.Confidence, &f.Source); err != nil {
			return nil, fmt.Errorf("search the intelligence store: %w", err)
		}
		f.Indicator.Kind, f.TLP = indicator.Kind(kind), indicator.TLP(tlp)
		out = append(out, f)
	}
	return out, rows.Err()
}

// SourceStat is one imported file.
type SourceStat struct {
	Name       string    `json:"name"`
	Format     string    `json:"format"`
	Digest     string    `json:"digest"`
	Size       int64     `json:"size"`
	Reports    int       `json:"reports"`
	Members    int       `json:"indicators"`
	ImportedAt time.Time `json:"imported_at"`
}

// Stats is what the store holds.
type Stats struct {
	Sources    []SourceStat           `json:"sources"`
	Reports    int                    `json:"reports"`
	Indicators map[indicator.Kind]int `json:"indicators"`
}

// Stats counts what the store holds.
func (s *Store) Stats(ctx context.Context) (Stats, error) {
	out := Stats{Indicators: map[indicator.Kind]int{}, Sources: []SourceStat{}}
	scan := func(text string, each func(*sql.Rows) error) error {
		rows, err := s.db.R.QueryContext(ctx, text)
		if err != nil {
			return fmt.Errorf("count the intelligence store: %w", err)
		}
		defer rows.Close() // read-only
		for rows.Next() {
			if err := each(rows); err != nil {
				return fmt.Errorf("count the intelligence store: %w", err)
			}
		}
		return rows.Err()
	}
	err := scan(`SELECT s.name, s.format, s.digest, s.size, s.imported_at, count(r.id), coalesce(sum(r.members), 0)
		FROM intel_source s LEFT JOIN intel_report r ON r.source = s.id GROUP BY s.id ORDER BY s.name`, func(rows *sql.Rows) error {
		var x SourceStat
		var at sql.NullString
		err := rows.Scan(&x.Name, &x.Format, &x.Digest, &x.Size, &at, &x.Reports, &x.Members)
		x.ImportedAt = unstamp(at)
		out.Sources = append(out.Sources, x)
		out.Reports += x.Reports
		return err
	})
	if err != nil {
		return Stats{}, err
	}
	err = scan(`SELECT kind, count(*) FROM intel_indicator GROUP BY kind`, func(rows *sql.Rows) error {
		var kind string
		var n int
		err := rows.Scan(&kind, &n)
		out.Indicators[indicator.Kind(kind)] = n
		return err
	})
	return out, err
}
