// Package local is the tool osquery on this machine: it asks osqueryd through its extension socket where there is one,
// else the embedded engine.
package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/osquery"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Config is what a hunts file may say of this tool.
type Config struct {
	Engine string `yaml:"engine" json:"engine,omitempty" doc:"Who answers: embedded (default) is hunter's own read-only engine." enum:"embedded"`
}

// chunk is how many digests one text carries: a walk costs the same for 10 and for 10,000.
const chunk = 50_000

// maxDepth is how deep a walk goes; deeper is told as partial.
const maxDepth = 1000

// Options are what the tool needs beside its name. Zero fields take the machine's own values.
type Options struct {
	Kinds []indicator.Kind // digests to ask by, in order of preference; nil is sha256, sha1, md5
	FS    embedded.FS      // a seam for tests
	Now   func() time.Time
}

// Tool is this machine.
type Tool struct {
	name   string
	opt    Options
	mu     sync.Mutex
	engine *embedded.Engine
	max    int64 // read_max of the open engine
}

var _ edr.Rechecker = (*Tool)(nil)

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
	return edr.Description{Name: t.name, Type: "osquery", Mode: ledger.Live, Kinds: t.opt.Kinds, Chunk: chunk, Local: true}
}

// Endpoints gives this machine.
func (t *Tool) Endpoints(context.Context) ([]edr.Endpoint, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("read the host name: %w", err)
	}
	ep := edr.Endpoint{ID: embedded.MachineID(), Hostname: host, Platform: runtime.GOOS, LastSeen: t.opt.Now()}
	if os.Geteuid() > 0 {
		ep.Notes = append(ep.Notes, "not root: other users' processes and private files can not be looked at")
	}
	return []edr.Endpoint{ep}, nil
}

// Compile words the questions for this machine.
func (t *Tool) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	self, err := os.Executable()
	if err != nil {
		self = ""
	}
	return osquery.Compile(osquery.Flavor{Engine: "embedded", MaxDepth: maxDepth, SelfPath: self}, ep, w)
}

// Recheck words the second question for paths that had vanished.
func (t *Tool) Recheck(q ledger.Query, paths []string) (ledger.Query, bool) {
	return osquery.Recheck(q, paths)
}

// Ask puts one query to this machine.
func (t *Tool) Ask(ctx context.Context, _ edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	started := t.opt.Now()
	engine, err := t.open(q.MaxSize)
	if err != nil {
		return ledger.Answer{}, err
	}
	res, err := engine.Query(ctx, q.Text)
	answer := ledger.Answer{StartedAt: started, FinishedAt: t.opt.Now()}
	switch {
	case ctx.Err() != nil:
		return ledger.Answer{}, ctx.Err()
	case err != nil:
		answer.Failure = Failure(err)
		return answer, nil
	}
	answer.Rows, answer.Unread, answer.UnreadTotal = res.Rows, res.Unread, res.UnreadTotal
	return answer, nil
}

// Failure turns an engine's error into what it means for coverage.
func Failure(err error) *ledger.Failure {
	text := err.Error()
	f := &ledger.Failure{State: ledger.Error, Message: text}
	switch {
	case errors.Is(err, embedded.ErrTooLarge):
	case strings.Contains(text, "no such table"), strings.Contains(text, "no such column"), strings.Contains(text, "no such function"):
		f.State = ledger.Unsupported
	case strings.Contains(text, "denylisted"):
		f.State = ledger.Denylisted
	}
	return f
}

// open gives an engine that reads files up to maxSize bytes, and at least as big as osquery does.
func (t *Tool) open(maxSize int64) (*embedded.Engine, error) {
	readMax := max(maxSize, embedded.DefaultReadMax) // the control must be readable whatever the hunt's limit
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.engine != nil && readMax <= t.max {
		return t.engine, nil
	}
	if t.engine != nil {
		if err := t.engine.Close(); err != nil {
			return nil, err
		}
		t.engine = nil
	}
	engine, err := embedded.Open(embedded.Options{ReadMax: readMax, FS: t.opt.FS, Now: t.opt.Now})
	if err != nil {
		return nil, err
	}
	t.engine, t.max = engine, readMax
	return engine, nil
}

// Close frees the engine.
func (t *Tool) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.engine == nil {
		return nil
	}
	err := t.engine.Close()
	t.engine = nil
	return err
}
