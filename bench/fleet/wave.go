package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/results"
)

// wave is how long a run's hosts took until a poll of each would have been given its query. It is read from the database by
// a connection of its own, so that the time in which the agents of the bench come round to their polls is no part of it.
type wave struct {
	hosts int
	took  time.Duration // from the moment at which the run was seen to be under way
}

// lookEvery is how exact the time of a wave is.
const lookEvery = 50 * time.Millisecond

// watchWave waits until the newest run on a fleet has let all hosts go that are awake; what is let go is in the outbox, in one
// transaction with that.
func watchWave(ctx context.Context, path string) (w wave, err error) {
	store, err := results.Open(ctx, path, results.Options{ReadOnly: true})
	if err != nil {
		return w, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	_, db := store.DB()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var run string
	var began time.Time
	for {
		select {
		case <-ctx.Done():
			return w, ctx.Err()
		case <-tick.C:
		}
		if run == "" {
			err := db.QueryRowContext(ctx, `SELECT id FROM run WHERE served = 1 AND state = 'running' ORDER BY started_at DESC LIMIT 1`).Scan(&run)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if err != nil {
				return w, fmt.Errorf("look for the run: %w", err)
			}
			began = time.Now()
		}
		var due, left int
		if err := db.QueryRowContext(ctx, `SELECT count(released_at), count(*) - count(released_at) FROM target WHERE run = ? AND mode = 'live' AND state <> 'asleep'`, run).Scan(&due, &left); err != nil {
			return w, fmt.Errorf("look at the wave: %w", err)
		}
		if due > 0 && left == 0 {
			return wave{hosts: due, took: time.Since(began)}, nil
		}
	}
}
