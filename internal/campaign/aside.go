package campaign

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/results"
)

// EventAside is the event of a hash that is on so many endpoints that a person must judge it. The run goes on, and goes on asking
// for it: hosts that lie can not make a hunt drop a hash.
const EventAside = results.EventAside

// asideNote is the detail of an EventAside.
type asideNote struct {
	Kind      indicator.Kind `json:"kind"`
	Value     string         `json:"value"`
	Endpoints int            `json:"endpoints"`
	Answered  int            `json:"answered"`
	Note      string         `json:"note"`
}

func asideOf(notes []asideNote) []indicator.Indicator {
	var out []indicator.Indicator
	for _, n := range notes {
		out = append(out, indicator.Indicator{Kind: n.Kind, Value: n.Value})
	}
	return out
}

// put sets hashes aside for a person.
func (s *Steward) put(ctx context.Context, r *carried, list []results.Prevalence, answered int) error {
	for _, p := range list {
		n := asideNote{
			Kind: p.Indicator.Kind, Value: p.Indicator.Value, Endpoints: p.Endpoints, Answered: answered,
			Note: fmt.Sprintf("%s is on %d of %d endpoints: it may be no threat at all; a person is to judge it. It is asked for all the same", p.Indicator, p.Endpoints, answered),
		}
		detail, err := json.Marshal(n)
		if err != nil {
			return err
		}
		if _, err := s.store.AppendEvent(ctx, results.Event{Run: r.id, Kind: EventAside, Detail: string(detail)}); err != nil {
			return err
		}
		s.opt.Log.WarnContext(ctx, "a hash is set aside for a person", slog.String("run", r.id), slog.String("hash", p.Indicator.String()),
			slog.Int("endpoints", p.Endpoints), slog.Int("answered", answered))
		r.aside = append(r.aside, n)
	}
	return nil
}

// setAside gives the hashes that were set aside in a run.
func (s *Steward) setAside(ctx context.Context, run string) ([]asideNote, error) {
	const page = 1000
	var out []asideNote
	for after := int64(0); ; {
		events, err := s.store.Events(ctx, run, after, page)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			after = e.Seq
			var n asideNote
			if e.Kind != EventAside {
				continue
			}
			if err := json.Unmarshal([]byte(e.Detail), &n); err != nil {
				return nil, fmt.Errorf("read event %d of run %s: %w", e.Seq, run, err)
			}
			out = append(out, n)
		}
		if len(events) < page {
			return out, nil
		}
	}
}
