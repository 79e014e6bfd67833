package carbonblack

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Compile words the question whether the server holds anything of a sensor in the window, with the first chunk alone.
func (t *Tool) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	if w.Chunk > 0 {
		return nil, nil
	}
	if !sensorForm.MatchString(ep.ID) {
		return nil, fmt.Errorf("%q is no sensor id", ep.ID)
	}
	return []ledger.Query{{
		ID: "presence", Stage: ledger.Telemetry, Platform: ep.Platform, Window: w.Window, Text: presenceText(w.Window, ep.ID),
	}}, nil
}

// Ask puts the question that Compile worded.
func (t *Tool) Ask(ctx context.Context, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	unlock, err := t.lock(ctx)
	if err != nil {
		return ledger.Answer{}, err
	}
	defer unlock()
	answer := ledger.Answer{StartedAt: t.opt.Now()}
	answer.Rows, err = t.presence(ctx, ep, q)
	answer.FinishedAt = t.opt.Now()
	return settle(ctx, answer, err)
}

func (t *Tool) presence(ctx context.Context, ep edr.Endpoint, q ledger.Query) ([]ledger.Row, error) {
	if !sensorForm.MatchString(ep.ID) || q.Text != presenceText(q.Window, ep.ID) {
		return nil, fmt.Errorf("the query %s is not worded as this tool words it for sensor %s", q.ID, ep.ID)
	}
	p, err := ask[process](ctx, t, strings.TrimPrefix(q.Text, "GET "))
	if err != nil {
		return nil, err
	}
	rows := gaps(p.lacks([]string{"sensor_id:" + ep.ID}))
	n := int64(0)
	for _, r := range p.Results {
		if r.Sensor.id() == ep.ID {
			n = max(p.Total.number(), 1)
		}
	}
	if n == 0 && len(p.Results) > 0 {
		rows = append(rows, gaps([]string{"records of other sensors came"})...)
	}
	return append(rows, ledger.Row{"kind": "present", "n": strconv.FormatInt(n, 10)}), nil
}

// ask puts one question. When a part of the server was too slow it is asked once more.
func ask[T any](ctx context.Context, t *Tool, request string) (page[T], error) {
	var p page[T]
	for range 2 {
		body, err := t.get(ctx, request)
		if err != nil {
			return page[T]{}, err
		}
		again, err := decodePage[T](body)
		if err != nil {
			return page[T]{}, err
		}
		if len(again.Results) >= len(p.Results) || !again.incomplete() {
			p = again
		}
		if !p.incomplete() {
			break
		}
	}
	return p, nil
}

// lacks says why a page is not the whole truth: a part of the server was silent, rows are hidden from this token, or the
// server did not understand a term as it was meant and searched for it as text.
func (p page[T]) lacks(terms []string) []string {
	var out []string
	if p.incomplete() {
		out = append(out, "incomplete_results: a part of the server did not answer in time")
	}
	if what := p.hides(); what != "" {
		out = append(out, "filtered: the server hides records from this token: "+what)
	}
	understood := map[string]bool{}
	for _, term := range p.Terms {
		understood[strings.ToLower(string(term))] = true
	}
	var missed []string
	for _, term := range terms {
		if !understood[term] {
			missed = append(missed, term)
		}
	}
	if len(missed) > 0 {
		out = append(out, fmt.Sprintf("terms: the server did not look for %s (%d of %d)", missed[0], len(missed), len(terms)))
	}
	return out
}

// foreign lists the md5s that a server looked for although nobody asked.
func (p page[T]) foreign(md5s []string) []string {
	asked := map[string]bool{}
	for _, m := range md5s {
		asked[m] = true
	}
	var out []string
	for _, term := range p.Terms {
		if v, ok := strings.CutPrefix(strings.ToLower(string(term)), "md5:"); ok && md5Form.MatchString(v) && !asked[v] {
			out = append(out, v)
		}
	}
	return out
}

func gaps(reasons []string) []ledger.Row {
	var out []ledger.Row
	for _, r := range reasons {
		out = append(out, ledger.Row{"kind": "gap", "name": r})
	}
	return out
}
