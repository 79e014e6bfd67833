// Package local is the tool osquery on this machine: it asks osqueryd through its extension socket where there is one,
// else the embedded engine.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/host"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Config is what a hunts file may say of this tool.
type Config struct {
	Engine string `yaml:"engine" json:"engine,omitempty" doc:"Who answers: osqueryd through its extension socket, or embedded, hunter's own read-only engine. Omitted: osqueryd when its socket is there, else embedded." enum:"osqueryd,embedded"`
	Socket string `yaml:"socket" json:"socket,omitempty" doc:"Path of osqueryd's extension socket." default:"the platform's own"`
}

// chunk is how many digests one text carries: a walk costs the same for 10 and for 10,000. agentChunk keeps the text
// that an agent has to take small.
const (
	chunk      = 50_000
	agentChunk = 5000
)

// Asker is an osqueryd on this machine that answers SQL, such as the client of its extension socket. An error carries
// osqueryd's own words.
type Asker interface {
	Query(ctx context.Context, text string) ([]map[string]string, error)
	Close() error
}

// Options are what the tool needs beside its name. Zero fields take the machine's own values.
type Options struct {
	Kinds []indicator.Kind // digests to ask by, in order of preference; nil is sha256, sha1, md5
	FS    embedded.FS      // a seam for tests
	Now   func() time.Time
	// Dial connects to osqueryd; it is called when the first query is put, and again after it failed. nil: the embedded
	// engine answers. There is no going over from one to the other within a run: they are asked in different words.
	Dial func(ctx context.Context) (Asker, error)
	// Cache remembers digests from one run to the next; nil for none. NoCache keeps none from one query to the next either.
	Cache   embedded.Cache
	NoCache bool
	Pace    embedded.Pace // how gently the embedded engine works; nil: as fast as it goes
	Meter   func(embedded.Work)
	Steady  func(path string) bool // a seam for tests, see embedded.Options
	Budget  ledger.Budget          // of one question that hashes files of any size through osqueryd; zero is its own
}

// Tool is this machine.
type Tool struct {
	name string
	opt  Options

	mu      sync.Mutex
	engines []*engine // the embedded engines that are open, one for each limit
	agent   Asker
}

// engine is an embedded engine that reads files up to max bytes.
type engine struct {
	*embedded.Engine
	max int64
}

var (
	_ edr.Rechecker = (*Tool)(nil)
	_ edr.Estimator = (*Tool)(nil)
	_ edr.Splitter  = (*Tool)(nil)
)

// New makes the tool. It opens nothing until it is asked.
func New(name string, opt Options) *Tool {
	if len(opt.Kinds) == 0 {
		opt.Kinds = indicator.DigestKinds()
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Tool{name: name, opt: opt}
}

// Describe says what the tool is.
func (t *Tool) Describe() edr.Description {
	d := edr.Description{Name: t.name, Type: "osquery", Mode: ledger.Live, Kinds: t.opt.Kinds, Chunk: chunk, Local: true}
	if t.opt.Dial != nil {
		d.Chunk = agentChunk
	}
	return d
}

// Endpoints gives this machine.
func (t *Tool) Endpoints(context.Context) ([]edr.Endpoint, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read the host name: %w", err)
	}
	ep := edr.Endpoint{ID: embedded.MachineID(), Hostname: name, Platform: runtime.GOOS, LastSeen: t.opt.Now()}
	if t.opt.Dial == nil {
		ep.Notes = append(ep.Notes, host.Rights()...)
	}
	return []edr.Endpoint{ep}, nil
}

// Compile words the questions for this machine.
func (t *Tool) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	if t.opt.Dial != nil {
		agent := osquery.Osqueryd()
		if t.opt.Budget != (ledger.Budget{}) {
			agent.Budget = t.opt.Budget
		}
		return osquery.Compile(agent, ep, w)
	}
	self, err := os.Executable()
	if err != nil {
		self = ""
	}
	return osquery.Compile(osquery.Embedded(self), ep, w)
}

// Recheck words the second question for paths that had vanished.
func (t *Tool) Recheck(q ledger.Query, paths []string) (ledger.Query, bool) {
	return osquery.Recheck(q, paths)
}

// Split words the parts of a query that was over its budget.
func (t *Tool) Split(q ledger.Query, subs []ledger.Sub, room int) ([]ledger.Query, error) {
	return osquery.Split(q, subs, room)
}

// Ask puts one query to this machine. What goes wrong with the query is in the answer.
func (t *Tool) Ask(ctx context.Context, _ edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	answer := ledger.Answer{StartedAt: t.opt.Now()}
	var err error
	if q.Engine == ledger.EngineOsqueryd { // as it was worded, also in a run that is resumed
		answer.Rows, err = t.askAgent(ctx, q)
	} else {
		err = t.askEngine(ctx, q, &answer)
	}
	answer.FinishedAt = t.opt.Now()
	if ctx.Err() != nil {
		return ledger.Answer{}, ctx.Err()
	}
	if err != nil {
		answer.Failure = osquery.Failure(err.Error())
	}
	return answer, nil
}

// Estimate counts by the engine's own walk. osqueryd is not asked: there the count is inside the question.
func (t *Tool) Estimate(ctx context.Context, _ edr.Endpoint, queries []ledger.Query) (cost edr.Cost, ok bool, err error) {
	if t.opt.Dial != nil {
		return edr.Cost{}, false, nil
	}
	for _, q := range queries {
		text, ok := osquery.Estimate(q)
		if !ok {
			continue
		}
		engine, err := t.open(q.MaxSize)
		if err != nil {
			return edr.Cost{}, false, err
		}
		res, err := engine.Query(ctx, text)
		if ctx.Err() != nil {
			cost.Least = true
			return cost, true, nil
		}
		if err != nil {
			return edr.Cost{}, false, fmt.Errorf("count the files of %s: %w", q.Root, err)
		}
		for _, row := range res.Rows {
			n, err1 := strconv.ParseInt(row["n"], 10, 64)
			size, err2 := strconv.ParseInt(row["size"], 10, 64)
			if err := errors.Join(err1, err2); err != nil {
				return edr.Cost{}, false, fmt.Errorf("count the files of %s: %w", q.Root, err)
			}
			cost.Files += n
			cost.Bytes += size
		}
	}
	return cost, true, nil
}

func (t *Tool) askEngine(ctx context.Context, q ledger.Query, answer *ledger.Answer) error {
	engine, err := t.open(q.MaxSize)
	if err != nil {
		return err
	}
	res, err := engine.QueryAhead(ctx, q.Text, hints(q))
	if err != nil {
		return err
	}
	answer.Rows, answer.Unread, answer.UnreadTotal, answer.Remembered = res.Rows, res.Unread, res.UnreadTotal, res.Remembered
	if res.CacheErr != nil {
		answer.Notes = append(answer.Notes, "digests could not be remembered for the next run: "+res.CacheErr.Error())
	}
	return nil
}

// hints say what the text of a query will ask for. Files that are hashed within a budget are not looked at ahead of it.
func hints(q ledger.Query) embedded.Hints {
	if q.Stage != ledger.Files || q.Budget != (ledger.Budget{}) || len(q.Recheck) > 0 {
		return embedded.Hints{}
	}
	h := embedded.Hints{Root: q.Root, MaxDepth: q.MaxDepth, Sizes: q.Sizes, MaxSize: q.MaxSize}
	for _, i := range q.Hashes {
		h.MD5 = h.MD5 || i.Kind == indicator.MD5
		h.SHA1 = h.SHA1 || i.Kind == indicator.SHA1
		h.SHA256 = h.SHA256 || i.Kind == indicator.SHA256
	}
	return h
}

// askAgent asks osqueryd. An agent that failed is let go: the next query dials again.
func (t *Tool) askAgent(ctx context.Context, q ledger.Query) ([]ledger.Row, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.opt.Dial == nil {
		return nil, errors.New("reach osqueryd: the query is worded for it, and its socket is not there")
	}
	if t.agent == nil {
		agent, err := t.opt.Dial(ctx)
		if err != nil {
			return nil, fmt.Errorf("reach osqueryd: %w", err)
		}
		t.agent = agent
	}
	rows, err := t.agent.Query(ctx, q.Text)
	if err != nil {
		err = errors.Join(err, t.agent.Close())
		t.agent = nil
		return nil, err
	}
	return rows, nil
}

// open gives an engine that reads files up to maxSize bytes, and at least as big as osquery does: the control must be
// readable whatever the hunt's limit. One in use is never closed under its query.
func (t *Tool) open(maxSize int64) (*embedded.Engine, error) {
	readMax := max(maxSize, embedded.DefaultReadMax)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range t.engines {
		if readMax <= e.max {
			return e.Engine, nil
		}
	}
	opened, err := embedded.Open(embedded.Options{
		ReadMax: readMax, FS: t.opt.FS, Now: t.opt.Now, Cache: t.opt.Cache, NoCache: t.opt.NoCache, Steady: t.opt.Steady,
		Pace: t.opt.Pace, Meter: t.opt.Meter,
		Fresh: []string{osquery.ControlPath(runtime.GOOS)}, // it proves that files can be read now
	})
	if err != nil {
		return nil, err
	}
	t.engines = append(t.engines, &engine{Engine: opened, max: readMax})
	return opened, nil
}

// Close frees what the tool holds.
func (t *Tool) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var errs []error
	for _, e := range t.engines {
		errs = append(errs, e.Close())
	}
	if t.agent != nil {
		errs = append(errs, t.agent.Close())
	}
	t.engines, t.agent = nil, nil
	return errors.Join(errs...)
}
