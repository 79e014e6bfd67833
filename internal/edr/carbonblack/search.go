package carbonblack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Searches words two searches for each 50 digests: in the records of processes within the window, and in the store of
// binaries, which names every host that a file was ever seen on. The control stands as {control}: it is an md5 that
// the server lists when the search is made, and the control row of the answer tells which.
func (t *Tool) Searches(w edr.Work) ([]ledger.Query, error) {
	hashes := edr.Hashes(w.Targets)
	siblings := edr.Siblings(w.Targets)
	var out []ledger.Query
	part := 0
	for chunk := range slices.Chunk(hashes, perSearch) {
		md5s, err := md5sOf(chunk)
		if err != nil {
			return nil, err
		}
		known := map[string]string{}
		for i, m := range md5s {
			if s, ok := siblings[chunk[i].Value]; ok {
				known[m] = s
			}
			chunk[i].Value = m
		}
		id := fmt.Sprintf("%02d", w.Chunk)
		if len(hashes) > perSearch {
			id += fmt.Sprintf(".%d", part)
		}
		q := ledger.Query{Stage: ledger.Telemetry, Hashes: slices.Clone(chunk), Siblings: known, Window: w.Window}
		for _, kind := range kinds() {
			q.ID, q.Text = id+"-"+kind.name, searchText(kind.word, w.Window, sought(md5s))
			q.Adds = kind.adds
			out = append(out, q)
		}
		part++
	}
	return out, nil
}

// kind is one of the two ways of searching.
type kind struct {
	name string
	word func(w ledger.Window, md5s []string, start int) string
	run  func(s *search, ctx context.Context) error
	adds bool // hits alone: nothing is claimed of what it does not find
}

func kinds() []kind {
	return []kind{
		{"process", processSearch, (*search).processes, false},
		{"binary", binarySearch, (*search).binaries, true},
	}
}

// Search puts one search.
func (t *Tool) Search(ctx context.Context, q ledger.Query) (ledger.Answer, error) {
	unlock, err := t.lock(ctx)
	if err != nil {
		return ledger.Answer{}, err
	}
	defer unlock()
	answer := ledger.Answer{StartedAt: t.opt.Now()}
	s := &search{tool: t, window: q.Window, asked: map[string]bool{}, said: map[string]bool{}, explained: map[string]bool{}, foreign: map[string]bool{}}
	err = s.put(ctx, q)
	answer.Rows, answer.FinishedAt = s.rows, t.opt.Now()
	return settle(ctx, answer, err)
}

// search is one search under way. It owns the rows of its answer.
type search struct {
	tool      *Tool
	window    ledger.Window
	md5s      []string
	asked     map[string]bool
	rows      []ledger.Row
	said      map[string]bool // rows that are there, by what makes them one
	explained map[string]bool // processes of which it is known what matched
	foreign   map[string]bool // md5s that the server looked for and nobody had asked
}

func (s *search) put(ctx context.Context, q ledger.Query) error {
	md5s, err := md5sOf(q.Hashes)
	if err != nil {
		return err
	}
	if len(md5s) > perSearch {
		return fmt.Errorf("%d digests in one search; at most %d", len(md5s), perSearch)
	}
	if s.md5s = sought(md5s); len(s.md5s) < len(md5s) {
		s.gap("", "an md5 of zeros is how the server writes that it does not know one: it can not be looked for")
	}
	for _, m := range s.md5s {
		s.asked[m] = true
	}
	for _, k := range kinds() {
		if q.Text == searchText(k.word, s.window, s.md5s) {
			return k.run(s, ctx)
		}
	}
	return fmt.Errorf("the search %s is not worded as this tool words it", q.ID)
}

// add appends a row once.
func (s *search) add(row ledger.Row, identity ...string) {
	key := row["kind"] + "\x00" + strings.Join(identity, "\x00")
	if !s.said[key] {
		s.said[key] = true
		s.rows = append(s.rows, row)
	}
}

func (s *search) gap(endpoint, reason string) {
	row := ledger.Row{"kind": "gap", "name": reason}
	if endpoint != "" {
		row["endpoint"] = endpoint
	}
	s.add(row, endpoint, reason)
}

// controlled searches for md5s with the control beside them, and adds the control row when the server finds it again. each
// sees every record; it ends early when the control was found, unless all is to be seen.
func controlled[T record](ctx context.Context, s *search, path string, word wording, all bool, each func(T)) error {
	for {
		control, remembered, err := s.tool.control(ctx, path, s.window, s.asked)
		if err != nil {
			return fmt.Errorf("find a file that the server knows, as the control: %w", err)
		}
		md5s := s.md5s
		if control == "" {
			if path != binaryPath { // the store of binaries only adds hits
				s.gap("", "the server lists nothing that could serve as the control")
			}
			if !all || len(md5s) == 0 {
				return nil
			}
		} else if !s.asked[control] {
			md5s = append(slices.Clone(md5s), control)
		}
		found := false
		err = through(ctx, s, word, md5s, func(r T) bool {
			found = found || (control != "" && r.image() == control)
			each(r)
			return found && !all
		})
		if found {
			s.add(ledger.Row{"kind": "control", "name": control, "text": "GET " + word(s.window, md5s, 0)}, control)
		}
		if found || err != nil {
			return err
		}
		s.tool.forget(path) // it may have fallen out of the records since it was listed
		if !remembered {
			if path == binaryPath && control != "" {
				s.gap("", "the store of binaries did not find the file that it had listed itself")
			}
			return nil
		}
	}
}

// record is what both ways of searching find.
type record interface {
	key() string
	image() string // the md5 that the record is about
}

func (p process) image() string { return p.MD5.md5() }
func (b binary) image() string  { return b.MD5.md5() }

type wording = func(w ledger.Window, md5s []string, start int) string

// through goes through all pages of a search, to the empty one: the server's total is an estimate. each sees every record
// once and may end it. A server that gives the same page again and again, or never ends, is told as a gap.
func through[T record](ctx context.Context, s *search, word wording, md5s []string, each func(T) bool) error {
	terms := make([]string, len(md5s))
	for i, m := range md5s {
		terms[i] = "md5:" + m
	}
	seen := map[string]bool{}
	for start := 0; ; {
		p, err := ask[T](ctx, s.tool, word(s.window, md5s, start))
		if err != nil {
			return fmt.Errorf("records from %d on: %w", start, err)
		}
		for _, lack := range p.lacks(terms) {
			s.gap("", lack)
		}
		for _, m := range p.foreign(md5s) {
			s.foreign[m] = true
			s.gap("", "terms: the server looked for md5:"+m+", which it was not asked for")
		}
		if len(p.Results) == 0 {
			return nil
		}
		fresh, enough := 0, false
		for _, r := range p.Results {
			if key := r.key(); !seen[key] {
				seen[key] = true
				fresh++
				enough = each(r) || enough
			}
		}
		start += len(p.Results)
		switch {
		case enough:
			return nil
		case fresh == 0:
			s.gap("", fmt.Sprintf("the server gave the same records again from %d on", start-len(p.Results)))
			return nil
		case start >= maxRecords:
			s.gap("", fmt.Sprintf("more than %d records match; the rest was not read", maxRecords))
			return nil
		}
	}
}
