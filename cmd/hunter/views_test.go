package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/results"
)

// What a list prints as CSV and JSON is what its view says: the same columns, the same values, NULL as nothing.
func TestListsAgreeWithTheViews(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a\nb": "hello\n", "=cmd": "hello\n", "c\xff": "hello\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "h.db")
	told := func(args ...string) string {
		var out, errs strings.Builder
		if code := run(t.Context(), append(args, "--db", path), streams{out: &out, err: &errs}); code == 2 {
			t.Fatalf("%v: %s", args, errs.String())
		}
		return out.String()
	}
	const md5, missing = "b1946ac92492d2347c6235b4d2611184", "74dc260aa1b5de03b157cefa384e5384e591710d28b4db33b2f2e4d1539f9d16"
	told("sweep", md5, "d41d8cd98f00b204e9800998ecf8427e", "--path", dir, "--case", "=1", "--tlp", "amber", "--exclude", "nobody")
	told("sweep", missing, "--path", filepath.Join(dir, "none"))
	told("sweep", missing, "--path", dir, "--detach")

	s, err := results.Open(t.Context(), path, results.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for list, key := range map[string]string{"runs": "run", "hits": "hit", "findings": "finding", "hosts": "run"} {
		view := viewRows(t, s, map[string]string{"hosts": "report_coverage"}[list], list)
		rows, err := csv.NewReader(strings.NewReader(told(list, "--csv"))).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s: %d rows, %v", list, len(rows), err)
		}
		for _, row := range rows[1:] {
			got := map[string]string{}
			for j, cell := range row {
				got[rows[0][j]] = strings.TrimPrefix(cell, "'")
			}
			want := view[id(list, got)]
			for column, value := range got {
				switch value {
				case "true":
					value = "1"
				case "false":
					value = "0"
				}
				if column == "verified_ratio" {
					want[column] = strings.TrimSuffix(want[column], ".0")
				}
				if want[column] != value {
					t.Errorf("%s --csv: %s is %q, and %q in the view", list, column, value, want[column])
				}
			}
			if len(got) < len(want)-2 { // hit and finding have no column in report --format csv
				t.Errorf("%s --csv has %d columns, the view %d", list, len(got), len(want))
			}
		}
		if list == "runs" {
			continue // hunter.run/1 has a shape of its own
		}
		for line := range strings.SplitSeq(strings.TrimSpace(told(list, "--json")), "\n") {
			var got map[string]any
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatal(err)
			}
			texts := map[string]string{}
			for k, v := range got {
				switch x := v.(type) {
				case nil, []any, map[string]any:
				case float64:
					texts[k] = fmt.Sprintf("%.0f", x)
				case bool:
					texts[k] = map[bool]string{true: "1", false: "0"}[x]
				default:
					texts[k] = fmt.Sprint(x)
				}
			}
			want := view[id(list, texts)]
			if list == "hits" {
				texts["hit"], texts["finding"] = texts["id"], want["finding"]
				delete(texts, "id")
				matched, _ := got["matched"].(map[string]any)
				texts["matched_kind"], texts["matched_value"] = fmt.Sprint(matched["kind"]), fmt.Sprint(matched["value"])
			}
			for k, v := range want {
				if v == "" {
					delete(want, k)
				}
			}
			if diff := cmp.Diff(want, texts); diff != "" {
				t.Errorf("%s --json %s: the view against JSON: %s", list, key, diff)
			}
		}
	}
}

// id names a row of a list among those of its view.
func id(list string, row map[string]string) string {
	switch list {
	case "hits":
		return row["path"]
	case "findings":
		return row["finding"]
	default:
		return row["run"]
	}
}

// viewRows reads a view: its rows by id, as texts, NULL as "".
func viewRows(t *testing.T, s *results.Store, view, list string) map[string]map[string]string {
	t.Helper()
	if view == "" {
		view = "report_" + list
	}
	_, db := s.DB()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+view)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]string{}
	for rows.Next() {
		cells := make([]any, len(columns))
		for i := range cells {
			cells[i] = new(any)
		}
		if err := rows.Scan(cells...); err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, c := range columns {
			if v := *cells[i].(*any); v != nil {
				row[c] = fmt.Sprint(v)
			} else {
				row[c] = ""
			}
		}
		out[id(list, row)] = row
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
