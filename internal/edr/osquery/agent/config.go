package agent

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/gentle"
	"github.com/hunter-project/hunter/internal/secret"
)

// Defaults of an agent.
const (
	DefaultInterval     = time.Minute
	DefaultQueryTimeout = time.Hour
	DefaultMaxAnswer    = 16 << 20
	DefaultMaxRows      = 100_000
	DefaultMaxSpool     = 256 << 20
	DefaultMaxAge       = 30 * 24 * time.Hour
	DefaultOverdraft    = 10 * time.Second
	DefaultHeap         = 64 << 20
	denyFor             = 24 * time.Hour
	soon                = 5 * time.Second  // between two polls of an agent that was told to hurry
	maxBackoff          = 10 * time.Minute // between two tries after failures
	refreshEvery        = 5 * time.Minute  // between two readings of the configuration, unless it says otherwise
	maxInterval         = time.Hour
	maxKept             = 100_000 // digests held from one query to the next: 17 MB
)

// On says what to do while the machine runs on its battery.
type On string

// What to do on battery.
const (
	Slow   On = "slow"   // a fifth of the limits
	Wait   On = "wait"   // ask for no query; one that runs goes slower
	Ignore On = "ignore" // as on mains
)

// Config is what an agent needs. Zero fields take the defaults.
type Config struct {
	Server  string     // HOST:PORT of the server
	CA      string     // path of a PEM file with the certificates that the server is verified against; the system's are not used
	Secret  secret.Ref // what a machine must know to enrol
	State   string     // folder for the node key, and for answers that are not acknowledged
	Version string     // of hunter

	Limits       gentle.Limits // what a query may use
	Interval     time.Duration // between two polls, where the server's configuration does not say
	QueryTimeout time.Duration // of one query
	Overdraft    time.Duration // processor time that a query may use beyond its share before it is ended
	MaxRows      int           // of one answer; what is over is cut, and that is said
	MaxAnswer    int64         // bytes of one answer
	MaxHeap      int64         // bytes that SQLite may hold in memory, in the whole process; less than 0: no limit
	MaxSpool     int64         // bytes of unsent answers on disk from which on no query is asked for
	MaxAge       time.Duration // of an answer that the server refuses
	OnBattery    On
	Log          *slog.Logger // nil: nothing is logged

	// Seams for tests; nil takes the machine's own.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error // ctx's end is its error
	Rand  func() float64                                   // from 0 to 1
	Power func() Power
	FS    embedded.FS
}

// settled gives the configuration with its defaults.
func (c Config) settled() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&c.Interval, DefaultInterval)
	set(&c.QueryTimeout, DefaultQueryTimeout)
	set(&c.Overdraft, DefaultOverdraft)
	set(&c.MaxAge, DefaultMaxAge)
	if c.MaxRows <= 0 {
		c.MaxRows = DefaultMaxRows
	}
	if c.MaxAnswer <= 0 {
		c.MaxAnswer = DefaultMaxAnswer
	}
	if c.MaxSpool <= 0 {
		c.MaxSpool = DefaultMaxSpool
	}
	if c.MaxHeap == 0 {
		c.MaxHeap = DefaultHeap
	}
	if c.OnBattery == "" {
		c.OnBattery = Slow
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Rand == nil {
		c.Rand = rand.Float64
	}
	if c.Power == nil {
		c.Power = power
	}
	c.Limits = c.Limits.Settled()
	return c
}

// check tells every fault of a configuration.
func (c Config) check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	host, port, err := net.SplitHostPort(c.Server)
	n, badPort := strconv.Atoi(port)
	switch {
	case strings.Contains(c.Server, "/"):
		fault("server %q: HOST:PORT is due, without a scheme or a path", c.Server)
	case err != nil, badPort != nil, host == "", n < 1, n > 65535:
		fault("server %q: HOST:PORT is due, such as hunter.example:8443", c.Server)
	}
	if c.CA == "" {
		fault("a CA file is due: the server is verified against its certificates alone")
	}
	if c.State == "" {
		fault("a state folder is due: it keeps the node key, and answers that are not sent yet")
	}
	if c.Secret.IsZero() {
		fault("an enrol secret is due: env:NAME or file:/path")
	}
	switch c.OnBattery {
	case "", Slow, Wait, Ignore:
	default:
		fault("on battery %q: slow, wait or ignore is due", c.OnBattery)
	}
	return errors.Join(faults...)
}

// maxCA bounds a file of certificates.
const maxCA = 4 << 20

// pool reads the certificates of a PEM file.
func pool(path string) (*x509.CertPool, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxCA {
		return nil, fmt.Errorf("read the CA file %s: it is no regular file of up to %d MiB", path, maxCA>>20)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the CA file: %w", err)
	}
	out := x509.NewCertPool()
	if !out.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("read the CA file %s: it holds no certificate; a PEM file is due, as hunter enroll-kit writes it", path)
	}
	return out, nil
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
