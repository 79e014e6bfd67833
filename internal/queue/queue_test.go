package queue_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/queue"
	"github.com/hunter-project/hunter/internal/results"
)

// errand is a job of the tests.
type errand struct {
	Name string `json:"name"`
}

func (errand) Kind() string { return "errand" }

// asVictim is the variable that makes the test binary a server that is killed in a job; its value is the database.
const asVictim = "HUNTER_TEST_QUEUE_VICTIM"

// victim does a job that never ends.
func victim(ctx context.Context, path string) error {
	store, err := results.Open(ctx, path, results.Options{})
	if err != nil {
		return err
	}
	db, _ := store.DB()
	w := queue.NewWorkers()
	err = queue.Handle(w, func(ctx context.Context, e errand) error {
		fmt.Println("at work on " + e.Name)
		select {}
	})
	if err != nil {
		return err
	}
	q, err := queue.New(db, w, queue.Options{})
	if err != nil {
		return err
	}
	if err := q.Start(ctx); err != nil {
		return err
	}
	if err := q.Insert(ctx, errand{"the long way"}, true); err != nil {
		return err
	}
	select {}
}

func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	store, err := results.Open(t.Context(), path, results.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w, _ := store.DB()
	return w
}

// start runs a queue until the test ends.
func start(t *testing.T, db *sql.DB, opt queue.Options, work queue.Work[errand]) *queue.Queue {
	t.Helper()
	w := queue.NewWorkers()
	if err := queue.Handle(w, work); err != nil {
		t.Fatal(err)
	}
	opt.Every = 10 * time.Millisecond
	q, err := queue.New(db, w, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return q
}

// await waits for what comes, as long as the test may take.
func await[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

func path(t *testing.T) string { return filepath.Join(t.TempDir(), "hunter.db") }

func TestJobsOfAnotherProcess(t *testing.T) {
	t.Parallel()
	file := path(t)
	begun := make(chan string, 10)
	start(t, open(t, file), queue.Options{}, func(_ context.Context, e errand) error {
		begun <- e.Name
		return nil
	})
	other, err := queue.Inserter(open(t, file)) // a store of its own, as of another process
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Insert(t.Context(), errand{"bread"}, false); err != nil {
		t.Fatal(err)
	}
	if got := await(t, begun); got != "bread" {
		t.Errorf("did %q", got)
	}
}

func TestJobAndRowAreOneTransaction(t *testing.T) {
	t.Parallel()
	db := open(t, path(t))
	begun := make(chan string, 10)
	q := start(t, db, queue.Options{}, func(_ context.Context, e errand) error {
		begun <- e.Name
		return nil
	})
	insert := func(name string, end func(*sql.Tx) error) {
		t.Helper()
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(q.InsertTx(t.Context(), tx, errand{name}, true), end(tx)); err != nil {
			t.Fatal(err)
		}
	}
	insert("taken back", (*sql.Tx).Rollback)
	insert("kept", (*sql.Tx).Commit)
	if got := await(t, begun); got != "kept" {
		t.Errorf("did %q", got)
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	db := open(t, path(t))
	begun, end := make(chan string, 10), make(chan struct{})
	q := start(t, db, queue.Options{}, func(_ context.Context, e errand) error {
		begun <- e.Name
		<-end
		return nil
	})
	for _, name := range []string{"milk", "milk"} {
		if err := q.Insert(t.Context(), errand{name}, true); err != nil {
			t.Fatal(err)
		}
	}
	await(t, begun)
	for _, name := range []string{"milk", "eggs"} { // also while it is at work
		if err := q.Insert(t.Context(), errand{name}, true); err != nil {
			t.Fatal(err)
		}
	}
	if got := await(t, begun); got != "eggs" {
		t.Errorf("did %q again", got)
	}
	close(end)
	if len(begun) > 0 {
		t.Errorf("did %q too", <-begun)
	}
}

func TestRetryAndGiveUp(t *testing.T) {
	t.Parallel()
	db := open(t, path(t))
	var tries atomic.Int32
	ended := make(chan int32, 1)
	q := start(t, db, queue.Options{Retry: time.Millisecond, Workers: 1}, func(_ context.Context, e errand) error {
		if e.Name == "hopeless" {
			return queue.GiveUp(errors.New("there is no such shop"))
		}
		n := tries.Add(1)
		if n < 2 {
			return errors.New("closed")
		}
		ended <- n
		return nil
	})
	if err := errors.Join(q.Insert(t.Context(), errand{"hopeless"}, false), q.Insert(t.Context(), errand{"cheese"}, false)); err != nil {
		t.Fatal(err)
	}
	await(t, ended)
	var hopeless, failures int
	row := db.QueryRow(`SELECT attempt, json_array_length(json(errors)) FROM river_job WHERE state = 'cancelled'`)
	if err := row.Scan(&hopeless, &failures); err != nil || hopeless != 1 || failures != 1 {
		t.Errorf("given up after %d attempts with %d errors, %v", hopeless, failures, err)
	}
}

// A panic in a job is its error, not the server's end.
func TestPanic(t *testing.T) {
	t.Parallel()
	var tries atomic.Int32
	again := make(chan struct{})
	q := start(t, open(t, path(t)), queue.Options{Retry: time.Millisecond}, func(context.Context, errand) error {
		if tries.Add(1) == 1 {
			panic("no shoes")
		}
		close(again)
		return nil
	})
	if err := q.Insert(t.Context(), errand{"walk"}, false); err != nil {
		t.Fatal(err)
	}
	await(t, again)
}

func TestStopCutsDownWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	db := open(t, path(t))
	begun, ended := make(chan struct{}), make(chan error, 1)
	q := start(t, db, queue.Options{}, func(ctx context.Context, _ errand) error {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	})
	if err := q.Insert(t.Context(), errand{"wait"}, false); err != nil {
		t.Fatal(err)
	}
	await(t, begun)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.Stop(ctx); err != nil {
		t.Fatal(err)
	}
	if err := await(t, ended); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var left int
	if err := db.QueryRow(`SELECT count(*) FROM river_job WHERE state NOT IN ('completed', 'cancelled', 'discarded')`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d jobs are left to do, %v", left, err)
	}
}

func TestNoTablesYet(t *testing.T) {
	t.Parallel()
	db := open(t, path(t))
	q, err := queue.Inserter(db)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Insert(t.Context(), errand{"early"}, false); !errors.Is(err, queue.ErrNoQueue) {
		t.Error(err)
	}
	var n int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE name LIKE 'river%'`).Scan(&n); err != nil || n != 0 {
		t.Errorf("the one who asks made %d tables, %v", n, err)
	}
}

func TestTwiceIsAFault(t *testing.T) {
	t.Parallel()
	w := queue.NewWorkers()
	work := func(context.Context, errand) error { return nil }
	if err := queue.Handle(w, work); err != nil {
		t.Fatal(err)
	}
	if err := queue.Handle(w, work); err == nil {
		t.Error("one kind was taken twice")
	}
}

// A server that is killed in a job leaves it to the next one.
func TestKilledInAJob(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	file := path(t)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), asVictim+"="+file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "at work on the long way" {
		t.Fatalf("the victim said %q, %v", lines.Text(), lines.Err())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	begun := make(chan string, 1)
	start(t, open(t, file), queue.Options{}, func(_ context.Context, e errand) error {
		begun <- e.Name
		return nil
	})
	if got := await(t, begun); got != "the long way" {
		t.Errorf("did %q", got)
	}
}
