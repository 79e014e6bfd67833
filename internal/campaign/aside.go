package campaign

import (
	"context"
	"log/slog"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/results"
)

func asideOf(list []results.Aside) []indicator.Indicator {
	var out []indicator.Indicator
	for _, a := range list {
		out = append(out, indicator.Indicator{Kind: a.Kind, Value: a.Value})
	}
	return out
}

// put sets hashes aside for a person.
func (s *Steward) put(ctx context.Context, r *carried, list []results.Prevalence, answered int) error {
	var fresh []results.Aside
	for _, p := range list {
		fresh = append(fresh, results.Aside{Kind: p.Indicator.Kind, Value: p.Indicator.Value, Endpoints: p.Endpoints, Answered: answered})
	}
	if len(fresh) == 0 {
		return nil
	}
	if err := s.store.SetAside(ctx, r.id, fresh); err != nil {
		return err
	}
	r.aside = append(r.aside, fresh...)
	for _, a := range fresh {
		s.opt.Log.WarnContext(ctx, "a hash is set aside for a person", slog.String("run", r.id), slog.String("hash", a.Value),
			slog.Int("endpoints", a.Endpoints), slog.Int("answered", a.Answered))
	}
	return nil
}
