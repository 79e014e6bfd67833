// Package queue holds durable work: a job is stored in the same transaction as what it is about, is done by the server, and is
// done again when the server died in it. It is the one place that knows River, whose tables stand beside the store's own.
package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivertype"
)

// Args is what a job is about; it is stored as JSON. Kind names the work: two characters or more, letters, digits, "_".
// A kind is never given another meaning, as a job outlives the program that stored it.
type Args interface{ Kind() string }

// Work does a job. It may be called again for a job that it had done when the server died just then, so doing it twice must be the
// same as doing it once. An error has it done again later, with a growing pause; see GiveUp.
type Work[T Args] func(ctx context.Context, args T) error

// Options say how a queue works.
type Options struct {
	Log     *slog.Logger  // nil says nothing
	Workers int           // jobs that are done at once; 0 is 4
	Every   time.Duration // how often it looks for jobs of other processes; 0 is 250 ms. SQLite tells nobody of a commit
	Retry   time.Duration // the pause before the first retry, which then doubles up to ten minutes; 0 is 1 s
}

// attempts is how often a job is begun at most: with a pause of up to ten minutes, about a day.
const attempts = 150

// maxPause is the longest pause between two attempts.
const maxPause = 10 * time.Minute

// everyDefault is how often jobs of other processes are looked for. One look is one statement that changes no row.
const everyDefault = 250 * time.Millisecond

// Queue stores jobs and does them.
type Queue struct {
	client *river.Client[*sql.Tx]
	db     *sql.DB
}

// Inserter makes a queue over db that stores jobs and does none. It neither makes nor changes any table: the server does.
// db is the writer of the store: one connection, whose transactions begin immediate.
func Inserter(db *sql.DB) (*Queue, error) {
	client, err := river.NewClient(riversqlite.New(db), &river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("make the queue: %w", err)
	}
	return &Queue{client: client, db: db}, nil
}

// Workers are the kinds of work that a queue does.
type Workers struct{ river *river.Workers }

// NewWorkers makes an empty set.
func NewWorkers() *Workers { return &Workers{river: river.NewWorkers()} }

// Handle adds a kind of work. A kind that is there already, or one with a bad name, is an error.
func Handle[T Args](w *Workers, work Work[T]) error {
	err := river.AddWorkerSafely(w.river, river.WorkFunc(func(ctx context.Context, job *river.Job[T]) error { return work(ctx, job.Args) }))
	if err != nil {
		return fmt.Errorf("add a kind of work to the queue: %w", err)
	}
	return nil
}

// New makes a queue over db, see Inserter, that does the given work once it is started.
func New(db *sql.DB, workers *Workers, opt Options) (*Queue, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Workers <= 0 {
		opt.Workers = 4
	}
	if opt.Every <= 0 {
		opt.Every = everyDefault
	}
	if opt.Retry <= 0 {
		opt.Retry = time.Second
	}
	client, err := river.NewClient(riversqlite.New(db), &river.Config{
		Logger: slog.New(quiet{opt.Log.Handler()}), Workers: workers.river, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: opt.Workers}},
		// Its listener for SQLite would look every 50 ms, on the store's one writer.
		PollOnly: true, FetchPollInterval: opt.Every, FetchCooldown: min(opt.Every, 100*time.Millisecond),
		JobTimeout: -1, MaxAttempts: attempts, RetryPolicy: pauses{first: opt.Retry},
		// Stuck jobs are taken up at the start, when no other server lives; see rescue. This one must never do so to a slow job.
		RescueStuckJobsAfter: 100 * 365 * 24 * time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("make the queue: %w", err)
	}
	return &Queue{client: client, db: db}, nil
}

// Start brings the queue's own tables up to date, takes up what a dead server left, and does jobs until Stop. No other server may
// work on the same database: the caller sees to that.
func (q *Queue) Start(ctx context.Context) error {
	if err := migrate(ctx, q.db); err != nil {
		return err
	}
	if err := rescue(ctx, q.db); err != nil {
		return err
	}
	// The end of ctx is not Stop: it would cut down jobs that may end by themselves.
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	return nil
}

// Stop takes no more jobs, and waits for those that run. When ctx ends, their contexts end too, and it waits for them all the same:
// what was cut down is done again at the next start.
func (q *Queue) Stop(ctx context.Context) error {
	err := q.client.Stop(ctx)
	if err == nil {
		return nil
	}
	if err := q.client.StopAndCancel(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("stop the queue: %w", err)
	}
	return nil
}

// InsertTx stores a job in a transaction of the caller. With unique, one of the same kind and arguments that is not done yet is
// enough. ErrNoQueue says that no server ever made the queue's tables.
func (q *Queue) InsertTx(ctx context.Context, tx *sql.Tx, args Args, unique bool) error {
	if err := there(ctx, tx); err != nil {
		return err
	}
	opt := &river.InsertOpts{MaxAttempts: attempts}
	if unique {
		opt.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}}
	}
	if _, err := q.client.InsertTx(ctx, tx, args, opt); err != nil {
		return fmt.Errorf("store a job %s: %w", args.Kind(), err)
	}
	return nil
}

// Insert stores a job in a transaction of its own; see InsertTx.
func (q *Queue) Insert(ctx context.Context, args Args, unique bool) error {
	tx, err := q.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("store a job %s: %w", args.Kind(), err)
	}
	if err := q.InsertTx(ctx, tx, args, unique); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store a job %s: %w", args.Kind(), err)
	}
	return nil
}

// GiveUp wraps an error so that the job is not done again.
func GiveUp(err error) error { return river.JobCancel(err) }

// pauses doubles the pause from one attempt to the next.
type pauses struct{ first time.Duration }

// NextRetry says when a job that failed is done again.
func (p pauses) NextRetry(job *rivertype.JobRow) time.Time {
	pause := maxPause
	if n := job.Attempt - 1; n < 30 {
		pause = min(p.first<<max(n, 0), maxPause)
	}
	return job.AttemptedAt.Add(pause)
}
