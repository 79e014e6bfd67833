package carbonblack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/secret"
)

// Options are what the tool is made of.
type Options struct {
	Config Config
	Kinds  []indicator.Kind              // hash_types of the hunts file; only md5 is possible
	Token  func() (secret.String, error) // asked when the first request is made; nil resolves Config.Token
	HTTP   httpx.Options                 // name, timeout and secrets are set by the tool
	Now    func() time.Time
}

// Tool is one server of Carbon Black EDR.
type Tool struct {
	name string
	opt  Options
	turn chan struct{} // one request at a time: the server answers 502 and 504 under load

	// Whose turn it is owns these.
	listed   []edr.Endpoint
	listedAt time.Time
	controls map[string][]string // by address: md5s that the server itself listed

	mu     sync.Mutex
	client *httpx.Client
	token  secret.String
}

var _ edr.Searcher = (*Tool)(nil)

// New makes the tool. It asks nothing until it is asked.
func New(name string, opt Options) (*Tool, error) {
	for _, k := range opt.Kinds {
		if k != indicator.MD5 {
			return nil, fmt.Errorf("hash_types: Carbon Black EDR is asked by md5, it takes no %s", k)
		}
	}
	if opt.Token == nil {
		opt.Token = opt.Config.Token.Resolve
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	opt.Config.URL = strings.TrimRight(opt.Config.URL, "/")
	return &Tool{name: name, opt: opt, turn: make(chan struct{}, 1), controls: map[string][]string{}}, nil
}

// Describe says what the tool is.
func (t *Tool) Describe() edr.Description {
	return edr.Description{Name: t.name, Type: Type, Mode: ledger.Recorded, Kinds: []indicator.Kind{indicator.MD5}, Chunk: perSearch}
}

// Close ends the connections.
func (t *Tool) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		t.client.Close()
	}
	return nil
}

// lock waits for the tool's turn.
func (t *Tool) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case t.turn <- struct{}{}:
		return func() { <-t.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// connect makes the client and fetches the token when the first request is due: a hunts file may name tools that a run
// does not use.
func (t *Tool) connect() (*httpx.Client, secret.String, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.client != nil {
		return t.client, t.token, nil
	}
	token, err := t.opt.Token()
	if err != nil {
		return nil, secret.String{}, &unableError{err}
	}
	opt := t.opt.HTTP
	opt.Name, opt.Timeout, opt.Now, opt.Cache = t.name, t.opt.Config.Timeout, t.opt.Now, nil
	opt.Secrets = append(opt.Secrets, token)
	t.client, t.token = httpx.New(opt), token
	return t.client, t.token, nil
}

// errNotThere is an address that the server does not have.
var errNotThere = errors.New("the server does not know this address (HTTP 404); is url right?")

// unableError is a cause for which the tool can't go on.
type unableError struct{ error }

// Unwrap gives the cause.
func (e *unableError) Unwrap() error { return e.error }

// get asks the server for an address below its own. The token goes into a header, to this server alone.
func (t *Tool) get(ctx context.Context, request string) ([]byte, error) {
	client, token, err := t.connect()
	if err != nil {
		return nil, err
	}
	res, err := client.Get(ctx, httpx.Request{
		URL: t.opt.Config.URL + request, Accept: "application/json",
		Sign: func(r *http.Request) error { r.Header.Set("X-Auth-Token", token.Reveal()); return nil },
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case res.Status == http.StatusNotFound:
		return nil, errNotThere
	}
	return res.Body, nil
}

// settle parts what belongs to one question, and goes into its answer, from what the tool can't go on with. Hits that had
// come are never given up for that.
func settle(ctx context.Context, a ledger.Answer, err error) (ledger.Answer, error) {
	if ctx.Err() != nil {
		return ledger.Answer{}, ctx.Err()
	}
	if err == nil {
		return a, nil
	}
	hit := slices.ContainsFunc(a.Rows, func(r ledger.Row) bool { return r["kind"] == "hit" })
	if isUnable(err) && !hit {
		return ledger.Answer{}, err
	}
	a.Failure = &ledger.Failure{State: ledger.Error, Message: err.Error()}
	return a, nil
}

func isUnable(err error) bool {
	if _, ok := errors.AsType[*unableError](err); ok {
		return true
	}
	for _, cause := range []error{httpx.ErrAuth, httpx.ErrForbidden, httpx.ErrRedirect, httpx.ErrAddress} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}
