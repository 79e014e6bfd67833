package results_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/results"
)

// The page describes every view with all its columns, in their order, and no others.
func TestPageIsInStep(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "h.db")
	s, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, db := s.DB()
	views := column(t, db, `SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name`)
	if len(views) != 5 {
		t.Errorf("%d views instead of 5: %v", len(views), views)
	}
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|")
	for _, view := range views {
		_, part, ok := strings.Cut(string(text), "\n## "+view+"\n")
		if !ok {
			t.Errorf("the page has no part about %s", view)
			continue
		}
		part, _, _ = strings.Cut(part, "\n## ")
		var described []string
		for _, m := range row.FindAllStringSubmatch(part, -1) {
			described = append(described, m[1])
		}
		if diff := cmp.Diff(column(t, db, `SELECT name FROM pragma_table_info('`+view+`')`), described); diff != "" {
			t.Errorf("%s: the database against the page: %s", view, diff)
		}
	}
}

// The statements that the page shows run.
func TestPageStatementsRun(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/results.md")
	if err != nil {
		t.Fatal(err)
	}
	s, err := results.Open(t.Context(), filepath.Join(t.TempDir(), "h.db"), results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	_, db := s.DB()
	_, block, _ := strings.Cut(string(text), "```sql\n")
	block, _, _ = strings.Cut(block, "```")
	n := 0
	for statement := range strings.SplitSeq(block, ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		n++
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Errorf("%v in %s", err, statement)
		}
	}
	if n < 6 {
		t.Errorf("%d statements", n)
	}
}

func column(t *testing.T, db *sql.DB, text string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
