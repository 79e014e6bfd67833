package remotetest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Denylisted is what an agent says of a query whose text it does not run again.
const Denylisted = "distributed query is denylisted"

// Options make an agent. Post and Secret must be given.
type Options struct {
	// Post sends one request and gives the body of its reply; Line.Post is one, with the sending twice of a real agent.
	Post func(ctx context.Context, path string, header http.Header, body []byte) ([]byte, error)
	// Path is where the API is, without a slash at its end; "" is /api/osquery.
	Path       string
	Secret     string
	Identifier string // "" is a made-up one
	Hostname   string // "" is the identifier
	Platform   string // "" is linux
	Version    string // of osquery; "" is 5.23.0
	Instance   string // "" is made of the identifier
	UserAgent  string // "" is osqueryd's of that version
	Legacy     bool   // as before osquery 3.0
	// Answer runs one SQL text; nil finds nothing.
	Answer func(text string) Result
	Now    func() time.Time
	// Sleep waits between attempts and polls; nil does so in truth.
	Sleep  func(ctx context.Context, d time.Duration) error
	Faults Faults
}

// Faults are what an agent does wrong, or what happens to it. nil fields do not happen.
type Faults struct {
	Kill      func(name, text string) bool          // the worker dies in this query
	LoseReply func() bool                           // the reply to a poll, or to a write, does not arrive
	Hold      func(name string) bool                // the result is kept back at this write
	Lie       func(name string, r Result) Result    // it tells something else
	Add       func(results map[string]Result)       // and more than it was asked
	Send      func(path string, body []byte) []byte // other bytes go out
}

const (
	interval     = time.Minute
	accelerated  = 5 * time.Second
	denylistTime = 24 * time.Hour
	attempts     = 3
	enrolTries   = 12
)

// Agent is one osqueryd. It is for one goroutine at a time.
type Agent struct {
	opt      Options
	key      string
	pending  map[string]string // queries in its database, by name
	running  map[[sha256.Size]byte]time.Time
	results  map[string]Result // in its memory, not acknowledged
	interval time.Duration
	fast     time.Time // until when it polls every 5 s
	// What happened so far.
	Polls, Writes, Enrolments, Ran, Deaths, Failed int
}

// New makes an agent that has not enrolled.
func New(opt Options) *Agent {
	opt.Path = cmp.Or(opt.Path, "/api/osquery")
	opt.Identifier = cmp.Or(opt.Identifier, "7c83ac63-e37d-425f-9805-70a6790ed957")
	opt.Hostname = cmp.Or(opt.Hostname, opt.Identifier)
	opt.Platform = cmp.Or(opt.Platform, "linux")
	opt.Version = cmp.Or(opt.Version, "5.23.0")
	opt.Instance = cmp.Or(opt.Instance, "i-"+opt.Identifier)
	opt.UserAgent = cmp.Or(opt.UserAgent, "osquery/"+opt.Version)
	if opt.Answer == nil {
		opt.Answer = func(string) Result { return Result{} }
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Sleep == nil {
		opt.Sleep = sleep
	}
	return &Agent{opt: opt, interval: interval, pending: map[string]string{}, running: map[[sha256.Size]byte]time.Time{}, results: map[string]Result{}}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Key gives the node key, "" before the agent has enrolled.
func (a *Agent) Key() string { return a.key }

// SetKey makes the agent use another key, such as one that it has stolen.
func (a *Agent) SetKey(key string) { a.key = key }

// Waiting is how many results wait to be acknowledged.
func (a *Agent) Waiting() int { return len(a.results) }

// Restart is the end of the worker and a new one: results in memory are gone, and the connection; pending queries stay.
func (a *Agent) Restart() { a.results = map[string]Result{} }

// Run does Step for ever, with the pause that the agent makes. It ends with ctx, whose error it gives.
func (a *Agent) Run(ctx context.Context) error {
	for {
		_ = a.Step(ctx) // a real agent logs it, and goes on
		if err := a.opt.Sleep(ctx, a.Pause()); err != nil {
			return err
		}
	}
}

// Pause is how long the agent waits until its next poll.
func (a *Agent) Pause() time.Duration {
	if a.opt.Now().Before(a.fast) {
		return accelerated
	}
	return a.interval
}

// Step is one turn of the agent's loop: it polls, runs what is pending and sends the results. The error is that of the
// write, else that of the poll; whatever it is, the next Step goes on from there.
func (a *Agent) Step(ctx context.Context) error {
	polled := a.poll(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !a.run() {
		return polled // the worker died: what it had is lost, and nobody is told
	}
	err := a.flush(ctx)
	a.forget()
	return cmp.Or(err, polled)
}

// Configure asks for the configuration, and does what it says of the interval.
func (a *Agent) Configure(ctx context.Context) error {
	out, err := a.retry(ctx, "/config", a.keyBody)
	if err != nil {
		return err
	}
	var options struct {
		Interval int64 `json:"distributed_interval"`
	}
	if err := json.Unmarshal(out["options"], &options); err != nil {
		return fmt.Errorf("the configuration's options: %w", err)
	}
	if options.Interval > 0 {
		a.interval = time.Duration(options.Interval) * time.Second
	}
	return nil
}

// Log sends lines of the agent's log, once.
func (a *Agent) Log(ctx context.Context, kind string, lines ...json.RawMessage) error {
	data, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	_, err = a.attempt(ctx, "/log", func() []byte {
		return fmt.Appendf(nil, `{"data":%s,"log_type":%q,"node_key":%s}`, data, kind, quote(nil, a.key))
	})
	return err
}

func (a *Agent) keyBody() []byte { return append(quote([]byte(`{"node_key":`), a.key), '}') }

func (a *Agent) poll(ctx context.Context) error {
	a.Polls++
	out, err := a.retry(ctx, "/distributed/read", a.keyBody)
	if err != nil {
		return err
	}
	return a.accept(out)
}

// accept takes work. An entry that is no text, or empty, ends it: those before it are taken, those behind it are lost.
func (a *Agent) accept(out map[string]json.RawMessage) error {
	if n, err := strconv.ParseInt(string(out["accelerate"]), 10, 64); err == nil {
		a.fast = a.opt.Now().Add(time.Duration(n) * time.Second)
	}
	queries, err := members(out["queries"])
	if err != nil {
		return err
	}
	for _, q := range queries {
		if q.name == "" || q.text == "" {
			return errors.New("distributed query is not a string")
		}
		a.pending[q.name] = q.text
	}
	return nil
}

// run runs what is pending, by the bytes of the names. It gives false when the worker died: the next one goes on with what
// is still pending.
func (a *Agent) run() bool {
	for _, name := range slices.Sorted(maps.Keys(a.pending)) {
		text := a.pending[name]
		delete(a.pending, name)
		mark := sha256.Sum256([]byte(text))
		if at, ok := a.running[mark]; ok && a.opt.Now().Sub(at) < denylistTime {
			a.results[name] = Result{Status: 1, Message: Denylisted, noStats: true}
			continue
		}
		a.running[mark] = a.opt.Now()
		a.Ran++
		if kill := a.opt.Faults.Kill; kill != nil && kill(name, text) {
			a.Deaths++
			a.Restart()
			return false
		}
		r := a.opt.Answer(text)
		delete(a.running, mark)
		if lie := a.opt.Faults.Lie; lie != nil {
			r = lie(name, r)
		}
		a.results[name] = r
	}
	return true
}

// flush sends all results in one write. When that fails they stay, and go out with the next ones.
func (a *Agent) flush(ctx context.Context) error {
	if add := a.opt.Faults.Add; add != nil {
		add(a.results)
	}
	now := maps.Clone(a.results)
	if hold := a.opt.Faults.Hold; hold != nil {
		maps.DeleteFunc(now, func(name string, _ Result) bool { return hold(name) })
	}
	if len(now) == 0 {
		return nil
	}
	a.Writes++
	if _, err := a.retry(ctx, "/distributed/write", func() []byte { return WriteBody(now, a.key, a.opt.Legacy) }); err != nil {
		return err
	}
	for name := range now {
		delete(a.results, name)
	}
	return nil
}

// forget takes marks away that are too old.
func (a *Agent) forget() {
	maps.DeleteFunc(a.running, func(_ [sha256.Size]byte, at time.Time) bool { return a.opt.Now().Sub(at) >= denylistTime })
}

// retry tries three times, with 1 and 4 s between. Each attempt enrols first when there is no key.
func (a *Agent) retry(ctx context.Context, path string, body func() []byte) (out map[string]json.RawMessage, err error) {
	for i := 1; i <= attempts; i++ {
		if out, err = a.attempt(ctx, path, body); err == nil || ctx.Err() != nil {
			return out, err
		}
		a.Failed++
		if i < attempts {
			if err := a.opt.Sleep(ctx, time.Duration(i*i)*time.Second); err != nil {
				return nil, err
			}
		}
	}
	return nil, err
}

func (a *Agent) attempt(ctx context.Context, path string, body func() []byte) (map[string]json.RawMessage, error) {
	if a.key == "" {
		if err := a.Enroll(ctx); err != nil {
			return nil, err
		}
	}
	out, err := a.post(ctx, path, body())
	if errors.Is(err, ErrNodeInvalid) {
		a.key = ""
	}
	return out, err
}

func (a *Agent) post(ctx context.Context, path string, body []byte) (map[string]json.RawMessage, error) {
	if send := a.opt.Faults.Send; send != nil {
		body = send(path, body)
	}
	header := http.Header{
		"Content-Type": {"application/json"}, "Accept": {"application/json"}, "User-Agent": {a.opt.UserAgent},
	}
	if a.key != "" && !a.opt.Legacy {
		header["Authorization"] = []string{"NodeKey " + a.key}
	}
	reply, err := a.opt.Post(ctx, a.opt.Path+path, header, body)
	if err != nil {
		return nil, err
	}
	if lose := a.opt.Faults.LoseReply; lose != nil && lose() {
		return nil, errors.New("request error: the reply did not arrive")
	}
	return Accepted(reply)
}

// Enroll asks for a node key: up to twelve times, with 1, 4, 9 s and so on between.
func (a *Agent) Enroll(ctx context.Context) (err error) {
	a.key = ""
	for i := 1; i <= enrolTries; i++ {
		var out map[string]json.RawMessage
		if out, err = a.post(ctx, "/enroll", a.enrolBody()); err == nil {
			if json.Unmarshal(out["node_key"], &a.key) == nil && a.key != "" {
				a.Enrolments++
				return nil
			}
			err = errors.New("no node key returned")
		}
		if ctx.Err() != nil || i == enrolTries {
			break
		}
		if err := a.opt.Sleep(ctx, min(time.Duration(i*i)*time.Second, 10*time.Minute)); err != nil {
			return err
		}
	}
	return err
}
