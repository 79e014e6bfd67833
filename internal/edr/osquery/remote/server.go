package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

// DefaultInterval is how often agents poll when nothing else is said.
const DefaultInterval = time.Minute

// Secret is an enroll secret, and the name by which people know it.
type Secret struct {
	Name  string
	Value secret.String
}

// Options are what a Server needs. Nodes, Outbox, Inbox and Secrets must be given.
type Options struct {
	Nodes  Nodes
	Outbox Outbox
	Inbox  Inbox
	// Secrets gives the enroll secrets that hold now; it is called at each enrolment, so that they can be exchanged.
	Secrets func() []Secret
	// Approve says whether a machine that enrols may be sent hashes at once; nil approves all.
	Approve func(e ledger.Enrolment) bool
	// Address says from where a request came; nil takes the connection's other end. Trust a proxy's header here alone.
	Address func(r *http.Request) string
	// OnStatus is called for each line of an agent's own log that tells of a worker that was stopped; nil for none.
	OnStatus func(n ledger.Node, line StatusLine)
	Interval time.Duration // of polls, as the config tells agents; 0 is DefaultInterval
	Flush    time.Duration // how often it is stored when nodes were seen; 0 is 5 s
	Now      func() time.Time
	Log      *slog.Logger // nil logs nothing
	Limits   Limits
}

// Server answers agents under /api/osquery/ and /api/v1/osquery/. The http.Server around it needs a ReadHeaderTimeout, and
// an IdleTimeout longer than the interval, so that agents keep their connections.
type Server struct {
	opt      Options
	wallNow  func() time.Time // of connections, which know no other clock
	config   reply
	scanners sync.Pool
	longs    sync.Pool // of *[]byte
	seen     seen
	memory   room
	bodies   chan struct{}
	storing  chan struct{}
	enrols   enrols
	quiet    *rate.Limiter // of errors in the log
	long     *rate.Limiter // of the bytes of long bodies
	counts   counts

	life sync.Mutex
	stop context.CancelFunc
	over chan struct{} // closed when the flusher has ended
}

// New makes a server. Start it, so that it is stored when nodes were seen.
func New(opt Options) (*Server, error) {
	if opt.Nodes == nil || opt.Outbox == nil || opt.Inbox == nil || opt.Secrets == nil {
		return nil, errors.New("a server of agents needs nodes, an outbox, an inbox and secrets")
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Address == nil {
		opt.Address = remoteAddress
	}
	whole(&opt.Interval, DefaultInterval)
	whole(&opt.Flush, 5*time.Second)
	opt.Limits.settle()
	s := &Server{
		opt: opt, config: reply{status: http.StatusOK, body: configBody(opt.Interval)}, memory: room{left: opt.Limits.Memory},
		bodies: make(chan struct{}, opt.Limits.Bodies), storing: make(chan struct{}, opt.Limits.Deliveries),
		enrols: newEnrols(opt.Limits), quiet: rate.NewLimiter(1, 10), long: rate.NewLimiter(opt.Limits.LongRate, max(int(opt.Limits.LongRate), scanBuffer)),
	}
	s.wallNow = time.Now
	s.scanners.New = func() any { return newScanner() }
	return s, nil
}

func remoteAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// ServeHTTP answers one request of an agent.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	deadline := s.wallNow().Add(s.opt.Limits.RequestTime)
	_ = rc.SetReadDeadline(deadline) // a test's recorder has none
	_ = rc.SetWriteDeadline(deadline.Add(s.opt.Limits.DeliveryWait + s.opt.Limits.DeliveryTime + 10*time.Second))
	out := s.answer(r, rc)
	out.send(w)
	if out.long != nil {
		s.longs.Put(out.long)
	}
}

// answer never fails, and never panics: an agent whose connection breaks sends everything twice.
func (s *Server) answer(r *http.Request, rc *http.ResponseController) (out reply) {
	defer func() {
		if p := recover(); p != nil {
			s.counts.panics.Add(1)
			s.opt.Log.Error("a request of an agent could not be answered", slog.String("path", r.URL.Path), slog.String("panic", fmt.Sprint(p)), slog.String("stack", string(debug.Stack())))
			out = refuse(http.StatusInternalServerError, "hunter failed at this; try again")
		}
	}()
	call, ok := strings.CutPrefix(r.URL.Path, "/api/v1/osquery/")
	if !ok {
		call, ok = strings.CutPrefix(r.URL.Path, "/api/osquery/")
	}
	if !ok {
		return refuse(http.StatusNotFound, "hunter has nothing here; agents find it under /api/osquery/")
	}
	handle := s.handler(call)
	switch {
	case handle == nil:
		return refuse(http.StatusNotFound, "hunter knows no such call; it has enroll, config, log, distributed/read and distributed/write")
	case r.Method != http.MethodPost:
		return refuse(http.StatusMethodNotAllowed, "agents POST")
	case call != "log" && !plain(r):
		return refuse(http.StatusUnsupportedMediaType, "only logs may be compressed")
	}
	return handle(r, rc)
}

func plain(r *http.Request) bool {
	e := r.Header.Get("Content-Encoding")
	return e == "" || strings.EqualFold(e, "identity")
}

func (s *Server) handler(call string) func(*http.Request, *http.ResponseController) reply {
	switch call {
	case "distributed/read":
		return s.poll
	case "distributed/write":
		return s.write
	case "enroll":
		return s.enroll
	case "config":
		return s.configure
	case "log":
		return s.log
	}
	return nil
}

// trouble is the reply when something of ours failed. What failed is for the log, not for the network.
func (s *Server) trouble(what string, err error) reply {
	s.counts.failed.Add(1)
	if s.quiet.AllowN(s.opt.Now(), 1) {
		s.opt.Log.Error("an agent could not be served", slog.String("while", what), slog.Any("error", err))
	}
	return refuse(http.StatusServiceUnavailable, "hunter can not "+what+" now; try again")
}

// unreadable is the reply to a body that is none, or did not come to its end.
func (s *Server) unreadable(err error) reply {
	s.counts.malformed.Add(1)
	switch {
	case errors.Is(err, errTooLarge):
		out := refuse(http.StatusRequestEntityTooLarge, "the body is too large")
		out.close = true
		return out
	case errors.Is(err, errSyntax):
		return refuse(http.StatusBadRequest, err.Error())
	}
	out := refuse(http.StatusRequestTimeout, "the body did not come to its end")
	out.close = true
	return out
}

// configBody is the whole configuration of an agent: no schedule, no decorators, only how often it polls. The times
// between two looks at the configuration can be set by flags alone.
func configBody(interval time.Duration) string {
	seconds := max(int64((interval+time.Second-1)/time.Second), 1)
	return `{"options":{"disable_distributed":false,"distributed_plugin":"tls","distributed_interval":` + strconv.FormatInt(seconds, 10) +
		`,"distributed_tls_max_attempts":3},"schedule":{},"node_invalid":false}`
}

func (s *Server) configure(r *http.Request, _ *http.ResponseController) reply {
	_, out, ok := s.node(r)
	if !ok {
		return out
	}
	s.counts.configs.Add(1)
	return s.config
}
