package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/results"
)

// csvHeader names the columns of the CSV form; they are those of the view report_hits.
func csvHeader() []string {
	return []string{
		"run", "hunt", "endpoint", "hostname", "tool", "found_in", "path", "size", "md5", "sha1", "sha256", "matched_kind",
		"matched_value", "conflict", "owner", "mtime", "pid", "cmdline", "started_at", "observed_at",
	}
}

// CSV writes the hits of a run, RFC 4180, with a header line.
func CSV(w io.Writer, v View) error { return HitsCSV(w, v.Hits) }

// HitsCSV writes hits as CSV.
func HitsCSV(w io.Writer, hits []results.StoredHit) error {
	return WriteCSV(w, csvHeader(), hitRows(hits))
}

// MoreHitsCSV writes further hits behind those of HitsCSV, without a header line.
func MoreHitsCSV(w io.Writer, hits []results.StoredHit) error { return WriteCSV(w, nil, hitRows(hits)) }

func hitRows(hits []results.StoredHit) [][]string {
	rows := make([][]string, len(hits))
	for i, h := range hits {
		j := HitOf(h)
		rows[i] = []string{
			h.Run, h.Hunt, h.Endpoint, h.Hostname, h.Tool, string(j.FoundIn), j.Path, number(j.Size), text(j.MD5), text(j.SHA1),
			text(j.SHA256), string(j.Matched.Kind), j.Matched.Value, strconv.FormatBool(j.Conflict), text(j.Owner), text(j.MTime),
			number(j.PID), text(j.Cmdline), text(j.StartedAt), text(j.ObservedAt),
		}
	}
	return rows
}

// WriteCSV writes a header, if there is one, and rows, RFC 4180. A cell that a spreadsheet would run as a formula gets a quote in front; what a
// terminal would obey is escaped.
func WriteCSV(w io.Writer, header []string, rows [][]string) error {
	out := csv.NewWriter(w)
	if header != nil {
		if err := out.Write(header); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = harmless(c)
		}
		if err := out.Write(cells); err != nil {
			return fmt.Errorf("write CSV: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return nil
}

// Where a formula may begin: at the start, and after a semicolon, at which spreadsheets split in half of the world.
var formula = regexp.MustCompile(`(^|;)([\s\x{3000}]*[=+\-@＝＋－＠])`)

// harmless defuses what spreadsheets take for a formula (OWASP: CSV injection).
func harmless(s string) string { return formula.ReplaceAllString(diag.Escape(s), "$1'$2") }

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number(n *int64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatInt(*n, 10)
}
