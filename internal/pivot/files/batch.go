package files

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

const (
	// batchMax is how much is held in memory until it is written. What is written together is sorted first: then it lies close
	// together in the indexes, which for many digests are far bigger than SQLite's memory.
	batchMax = 20_000
	// batchPart is how many rows one statement writes.
	batchPart = 500
)

// batch is what was read and is not in the tables yet.
type batch struct {
	mentioned []indicator.Indicator
	members   []batchMember
	objects   []batchObject
	edges     []batchEdge
	held      int
}

type batchMember struct {
	report int64
	member
}

type batchObject struct {
	size    int64
	names   string
	digests []indicator.Indicator
}

type batchEdge struct {
	from, to indicator.Indicator
	rest     []any // relation, confidence, report, time, tlp
}

func byValue(a, b indicator.Indicator) int {
	return cmp.Or(strings.Compare(a.Value, b.Value), strings.Compare(string(a.Kind), string(b.Kind)))
}

// Most statements of a batch take their rows as one JSON text: a list of lists. Sorted as they come, they are inserted in that
// order; the first of two that mean the same stays. SQLite ends a JSON text at a NUL: no indicator has one, but the id of a
// report may.
const (
	insertIndicators = `INSERT INTO intel_indicator (value, kind) SELECT a.value ->> 0, a.value ->> 1 FROM json_each(?1) a WHERE 1
		ON CONFLICT (value, kind) DO NOTHING`
	insertMembers = `INSERT INTO intel_member (report, indicator, confidence, time, tlp)
		SELECT a.value ->> 2, i.id, a.value ->> 3, a.value ->> 4, a.value ->> 5
		FROM json_each(?1) a CROSS JOIN intel_indicator i ON i.value = a.value ->> 0 AND i.kind = a.value ->> 1 WHERE 1
		ON CONFLICT (report, indicator) DO UPDATE SET confidence = max(confidence, excluded.confidence)`
	insertObjects = `INSERT INTO intel_object (id, source, size, names)
		SELECT a.value ->> 0, ?2, a.value ->> 1, a.value ->> 2 FROM json_each(?1) a`
	insertDigests = `INSERT INTO intel_object_digest (object, indicator)
		SELECT a.value ->> 2, i.id FROM json_each(?1) a CROSS JOIN intel_indicator i ON i.value = a.value ->> 0 AND i.kind = a.value ->> 1 WHERE 1
		ON CONFLICT DO NOTHING`
	insertEdge = `INSERT INTO intel_edge (source, from_indicator, to_indicator, relation, confidence, report, time, tlp)
		SELECT ?5, f.id, t.id, ?6, ?7, ?8, ?9, ?10 FROM intel_indicator f, intel_indicator t
		WHERE f.value = CAST(?1 AS TEXT) AND f.kind = CAST(?2 AS TEXT) AND t.value = CAST(?3 AS TEXT) AND t.kind = CAST(?4 AS TEXT) ON CONFLICT DO NOTHING`
)

// hold counts what was added, and writes everything when it is enough.
func (k *sink) hold() error {
	if k.batch.held++; k.batch.held < batchMax {
		return nil
	}
	return k.flush()
}

// flush writes what is held: indicators first, as all else names them.
func (k *sink) flush() error {
	b := k.batch
	k.batch = batch{}
	slices.SortStableFunc(b.members, func(x, y batchMember) int { return cmp.Or(cmp.Compare(x.report, y.report), byValue(x.ind, y.ind)) })
	members := make([][]any, len(b.members))
	for i, m := range b.members {
		members[i] = []any{m.ind.Value, string(m.ind.Kind), m.report, m.confidence, stamp(m.time), string(m.tlp)}
	}
	if err := k.rows(insertIndicators, b.indicators()); err != nil {
		return err
	}
	if err := k.rows(insertMembers, members); err != nil {
		return err
	}
	if err := k.writeObjects(b.objects); err != nil {
		return err
	}
	for _, e := range b.edges {
		if err := k.exec(insertEdge, append([]any{e.from.Value, string(e.from.Kind), e.to.Value, string(e.to.Kind), k.source}, e.rest...)...); err != nil {
			return err
		}
	}
	return nil
}

// indicators lists all that a batch names, each once.
func (b batch) indicators() [][]any {
	all := b.mentioned
	for _, m := range b.members {
		all = append(all, m.ind)
	}
	for _, o := range b.objects {
		all = append(all, o.digests...)
	}
	for _, e := range b.edges {
		all = append(all, e.from, e.to)
	}
	slices.SortFunc(all, byValue)
	all = slices.Compact(all)
	out := make([][]any, len(all))
	for i, ind := range all {
		out[i] = []any{ind.Value, string(ind.Kind)}
	}
	return out
}

// writeObjects gives file objects the next ids: nobody else writes during an import.
func (k *sink) writeObjects(of []batchObject) error {
	if len(of) == 0 {
		return nil
	}
	var last int64
	if err := k.tx.QueryRowContext(k.ctx, `SELECT coalesce(max(id), 0) FROM intel_object`).Scan(&last); err != nil {
		return err
	}
	var objects, digests [][]any
	for i, o := range of {
		id := last + int64(i) + 1
		objects = append(objects, []any{id, o.size, o.names})
		for _, d := range o.digests {
			digests = append(digests, []any{d.Value, string(d.Kind), id})
		}
	}
	if err := k.rows(insertObjects, objects, k.source); err != nil {
		return err
	}
	return k.rows(insertDigests, digests)
}

// rows writes rows, some at a time.
func (k *sink) rows(text string, rows [][]any, args ...any) error {
	var list bytes.Buffer
	enc := json.NewEncoder(&list)
	enc.SetEscapeHTML(false)
	for part := range slices.Chunk(rows, batchPart) {
		list.Reset()
		if err := enc.Encode(part); err != nil {
			return err
		}
		if err := k.exec(text, append([]any{list.String()}, args...)...); err != nil {
			return err
		}
	}
	return nil
}
