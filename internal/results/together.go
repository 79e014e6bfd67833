package results

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// togetherMax is how many writes share one transaction at most.
const togetherMax = 256

// writes collects small writes that come at the same time, so that they share a transaction and its wait for the disk.
type writes struct {
	mu      sync.Mutex
	queue   []*write
	running bool
	worker  sync.WaitGroup // for Close
	commits atomic.Int64   // transactions so far
}

// write is one caller's part of a shared transaction.
type write struct {
	work func(ctx context.Context, tx *sql.Tx) error
	err  error
	done chan struct{}
}

// together does work in a durable transaction that it may share with other callers. Work that fails undoes nothing but its
// own; a transaction that can't be committed fails all who share it. A caller that ends while its part waits takes it back;
// later it gets to know how it ended.
func (s *Store) together(ctx context.Context, what string, work func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return fail(what, err)
	}
	w := &write{work: work, done: make(chan struct{})}
	s.queueWrite(ctx, w)
	select {
	case <-w.done:
	case <-ctx.Done():
		if s.takeBack(w) {
			return fail(what, ctx.Err())
		}
		<-w.done
	}
	return fail(what, w.err)
}

// queueWrite adds a write, and starts whoever does them when nobody does. One caller's end must not undo the work of others.
func (s *Store) queueWrite(ctx context.Context, w *write) {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	s.shared.queue = append(s.shared.queue, w)
	if !s.shared.running {
		s.shared.running = true
		s.shared.worker.Go(func() { s.writeQueue(context.WithoutCancel(ctx)) })
	}
}

func (s *Store) takeBack(w *write) bool {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	i := slices.Index(s.shared.queue, w)
	if i >= 0 {
		s.shared.queue = slices.Delete(s.shared.queue, i, i+1)
	}
	return i >= 0
}

// writeQueue commits what is queued until nothing is left. While it commits, the next ones gather.
func (s *Store) writeQueue(ctx context.Context) {
	for {
		s.shared.mu.Lock()
		n := min(len(s.shared.queue), togetherMax)
		if n == 0 {
			s.shared.queue, s.shared.running = nil, false
			s.shared.mu.Unlock()
			return
		}
		batch := s.shared.queue[:n:n]
		s.shared.queue = s.shared.queue[n:]
		s.shared.mu.Unlock()
		s.commit(ctx, batch)
	}
}

// commit does writes in one transaction, each behind a savepoint of its own.
func (s *Store) commit(ctx context.Context, batch []*write) {
	err := s.commitTx(ctx, batch)
	s.shared.commits.Add(1)
	for _, w := range batch {
		if err != nil && w.err == nil {
			w.err = err
		}
		close(w.done)
	}
}

func (s *Store) commitTx(ctx context.Context, batch []*write) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, w := range batch {
		if err := behindSavepoint(ctx, tx, w); err != nil {
			_ = tx.Rollback() // the first error is what matters; on a full disk SQLite has rolled back by itself
			return err
		}
	}
	return tx.Commit()
}

// behindSavepoint does one write. Its error is of the whole transaction; the write's own is kept with it.
func behindSavepoint(ctx context.Context, tx *sql.Tx, w *write) error {
	if _, err := tx.ExecContext(ctx, `SAVEPOINT one`); err != nil {
		return err
	}
	if w.err = w.work(ctx, tx); w.err != nil {
		if _, err := tx.ExecContext(ctx, `ROLLBACK TO one`); err != nil { // SQLite has ended the transaction: no room, a disk that fails
			return errors.Join(w.err, err)
		}
	}
	_, err := tx.ExecContext(ctx, `RELEASE one`)
	return err
}
