//go:build sqlite_vtable

package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
)

// DefaultReadMax is the biggest file that the table hash reads: osquery's --read_max.
const DefaultReadMax = 50 << 20

// Bounds of one answer.
const (
	maxRows   = 500_000
	maxBytes  = 256 << 20
	maxUnread = 1000
	maxCell   = 64 << 20 // bytes of one value; a statement may not make the engine hold a gigabyte
)

// ErrTooLarge says that an answer passed the bounds of the engine. The rows up to there come with it.
var ErrTooLarge = errors.New("answer too large")

// Options configure an engine.
type Options struct {
	ReadMax int64  // biggest file that hash reads, bytes; 0 is DefaultReadMax
	FS      FS     // nil is the real file system; a seam for tests that blind a table or a folder
	Version string // osquery_info.version; "" is the version whose tables these are
	// Instance is osquery_info.instance_id: of one installation. "" is an id of this process.
	Instance string
	Now      func() time.Time // nil is time.Now
	Cache    Cache            // digests of earlier runs; nil for none
	NoCache  bool             // keep no digest from one query to the next; Cache is not asked
	Pace     Pace             // nil: as fast as it goes
	Meter    func(Work)       // is told what a query reads, while it does, by several goroutines at once; nil tells nobody
	Fresh    []string         // paths that are read each time, such as that of a control
	// Steady says whether digests of files on the file system of a path may be remembered: it gives new times to each file
	// that is written. nil asks the system.
	Steady func(path string) bool

	MaxRows  int   // of an answer; 0 is 500,000
	MaxBytes int64 // of an answer; 0 is 256 MiB
	MaxKept  int   // digests held from one query to the next, of some 170 bytes each; 0 is 500,000
	// MaxHeap bounds what SQLite may hold in memory, bytes; a statement that needs more fails. It holds for the whole process:
	// give it only where no other database is open. 0 leaves it as it is.
	MaxHeap int64
}

// Engine answers osquery's SQL about this machine. It is safe for concurrent use; queries run one after another.
type Engine struct {
	opt     Options
	db      *sql.DB
	store   *store
	devices sync.Map // device -> whether its file system is steady
	started time.Time
	platform

	seed    maphash.Seed  // of row ids
	running chan struct{} // holds one while a query runs
	cur     *query        // the running query, for the tables' callbacks
	buf     []byte        // for reading files
}

// Result is what one query brought. Values are text, as osquery puts them on the wire: NULL is "".
type Result struct {
	Columns     []string
	Rows        []map[string]string
	Unread      []ledger.Unread // what could not be read, each path once, at most 1,000
	UnreadTotal int
	// Remembered is how many files' digests were not made by this query but by an earlier one, the files being unchanged.
	Remembered int64
	CacheErr   error // Cache could not keep what this query read; the answer is none the worse
}

// query is the state of one running statement.
type query struct {
	ctx    context.Context //nolint:containedctx // SQLite's callbacks carry none
	text   statement
	kinds  [3]bool // digests that the statement has asked for so far: md5, sha1, sha256
	unread []ledger.Unread
	seen   map[string]bool
	failed error // what a scan ended with
	ahead  *ahead
	last   *folder   // that was listed last
	at     *fileScan // of the entries of a folder, which moved last

	counted counted // files whose digests were not made by this query
}

// Open makes an engine. Close frees it.
func Open(opt Options) (*Engine, error) {
	if opt.ReadMax <= 0 {
		opt.ReadMax = DefaultReadMax
	}
	if opt.FS == nil {
		opt.FS = realFS{}
	}
	if opt.Version == "" {
		opt.Version = "5.23.0"
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Steady == nil {
		opt.Steady = steadyFS
	}
	if opt.NoCache {
		opt.Cache = nil
	}
	if opt.MaxRows <= 0 {
		opt.MaxRows = maxRows
	}
	if opt.MaxBytes <= 0 {
		opt.MaxBytes = maxBytes
	}
	if opt.MaxKept <= 0 {
		opt.MaxKept = maxKept
	}
	e := &Engine{opt: opt, store: newStore(opt.MaxKept), started: opt.Now(), seed: maphash.MakeSeed(), running: make(chan struct{}, 1)}
	e.db = sql.OpenDB(connector{e})
	e.db.SetMaxOpenConns(1)
	if err := e.db.PingContext(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("open the embedded engine: %w", err), e.db.Close())
	}
	return e, nil
}

// Close frees the engine. Queries that still run end first.
func (e *Engine) Close() error {
	e.running <- struct{}{}
	defer func() { <-e.running }()
	if err := e.db.Close(); err != nil {
		return fmt.Errorf("close the embedded engine: %w", err)
	}
	return nil
}

// Query runs one read-only statement. Its error carries SQLite's own text, such as "no such table: x".
func (e *Engine) Query(ctx context.Context, text string) (*Result, error) {
	return e.QueryAhead(ctx, text, Hints{})
}

// QueryAhead is Query with hints of what the statement will ask for, so that it is answered faster.
func (e *Engine) QueryAhead(ctx context.Context, text string, hints Hints) (*Result, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case e.running <- struct{}{}:
	}
	defer func() { <-e.running }()
	e.store.begin(!e.opt.NoCache)
	q := &query{ctx: ctx, text: parsed, seen: map[string]bool{}, ahead: e.look(ctx, hints)}
	e.cur = q
	defer func() { e.cur = nil }()
	res, err := e.rows(ctx, parsed.text)
	q.ahead.stop()
	flushed := e.flush(ctx)
	if res == nil { // an answer that is too large comes cut
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if q.failed != nil {
			return nil, fmt.Errorf("query: %w", q.failed)
		}
		return nil, err
	}
	res.UnreadTotal = len(q.seen)
	res.Unread = q.unread
	res.Remembered, res.CacheErr = q.counted.n, flushed
	return res, err
}

// flush keeps what a query read, also when it was interrupted.
func (e *Engine) flush(ctx context.Context) error {
	if e.opt.Cache == nil {
		return nil
	}
	return e.opt.Cache.Flush(context.WithoutCancel(ctx))
}

func (e *Engine) rows(ctx context.Context, text string) (res *Result, err error) {
	rows, err := e.db.QueryContext(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	cols, err := rows.Columns()
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	res = &Result{Columns: cols}
	cells := make([]any, len(cols))
	ptrs := make([]any, len(cols))
	for i := range cells {
		ptrs[i] = &cells[i]
	}
	total := int64(0)
	for rows.Next() {
		if err := rows.Scan(ptrs...); err != nil {
			return nil, fmt.Errorf("query: %w", err)
		}
		row := make(map[string]string, len(cols))
		for i, name := range cols {
			row[name] = wire(cells[i])
			total += int64(len(row[name])) + 16
		}
		if len(res.Rows) >= e.opt.MaxRows || total > e.opt.MaxBytes {
			return res, fmt.Errorf("%w: over %d rows or %d MiB", ErrTooLarge, e.opt.MaxRows, e.opt.MaxBytes>>20)
		}
		res.Rows = append(res.Rows, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	return res, nil
}

// collates says whether the running statement names a collation.
func (e *Engine) collates() bool { return e.cur != nil && e.cur.text.collates }

// wire gives a value as osquery sends it.
func wire(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return decimal(v)
	case bool:
		if v {
			return "1"
		}
		return "0"
	default:
		return fmt.Sprint(v)
	}
}

// decimal writes a number as SQLite's own cast to text does: 15 digits, and always a point.
func decimal(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	s := strconv.FormatFloat(v, 'g', 15, 64)
	mantissa, exponent, scientific := strings.Cut(s, "e")
	if strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if scientific {
		return mantissa + "e" + exponent
	}
	return mantissa
}

// note records something in scope that could not be read, each path once.
func (q *query) note(op, path string, size int64, reason string) {
	key := op + "\x00" + path
	if q == nil || q.seen[key] {
		return
	}
	q.seen[key] = true
	if len(q.unread) < maxUnread {
		q.unread = append(q.unread, ledger.Unread{Path: path, Op: op, Reason: reason, Size: size})
	}
}

// asked lists the digests that the statement has asked for.
func (q *query) asked(kind int) [3]bool {
	q.kinds[kind] = true
	return q.kinds
}

// digestNames is the order of digests inside the engine.
func digestNames() []string { return []string{"md5", "sha1", "sha256"} }

func digestIndex(column string) int { return slices.Index(digestNames(), column) }
