package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/edr/osquery/remote"
)

// looksAMinute bounds how many nodes are looked at in a minute, so that a fleet that comes back at once is not all asked at once.
const looksAMinute = 1000

// look asks nodes about themselves, once after they have enrolled and then once a day.
func (s *Server) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if _, err := s.looker.Post(ctx); err != nil && ctx.Err() == nil {
			s.opt.Log.LogAttrs(ctx, slog.LevelError, "hosts can not be asked about themselves", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

const lookEvery = time.Minute

// labelsOf gives the labels of all fleets of a set: there is one fleet behind them.
func labelsOf(set *hunts.Set) (map[string]string, error) {
	out := map[string]string{}
	if set == nil {
		return out, nil
	}
	for _, def := range set.Tools {
		cfg, ok := def.Config.(*remote.Config)
		if !ok {
			continue
		}
		for name, query := range cfg.Labels {
			if other, there := out[name]; there && other != query {
				return nil, fmt.Errorf("%s: tool %s: label %s: another tool has it with another query", def.Pos, def.Name, name)
			}
			out[name] = query
		}
	}
	return out, nil
}
