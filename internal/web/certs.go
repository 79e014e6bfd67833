package web

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Certs gives the server's certificate, and takes a new one without a restart.
type Certs struct {
	load func() (*tls.Certificate, error)
	now  func() time.Time
	cur  atomic.Pointer[tls.Certificate]
}

// renewEvery is how often a certificate is looked at that is near its end.
const renewEvery = 12 * time.Hour

// FromFiles takes a certificate with its chain, and its key, both in PEM.
func FromFiles(cert, key string, now func() time.Time) (*Certs, error) {
	return newCerts(now, func() (*tls.Certificate, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("read the server's certificate %s with its key %s: %w", cert, key, err)
		}
		switch at := now(); {
		case at.After(pair.Leaf.NotAfter):
			return nil, fmt.Errorf("the certificate %s ended on %s; agents refuse it: give a newer one", cert, pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
		case len(pair.Leaf.DNSNames)+len(pair.Leaf.IPAddresses) == 0:
			return nil, fmt.Errorf("the certificate %s names no host (subject alternative name); agents refuse it: give one that does", cert)
		}
		return &pair, nil
	})
}

// SelfSigned keeps a CA in the folder dir, and a server certificate of it for names beside those of this machine. What is there and
// good is kept; a server certificate that is near its end, or lacks a name, is made anew.
func SelfSigned(dir string, names []string, now func() time.Time) (*Certs, error) {
	return newCerts(now, func() (*tls.Certificate, error) { return selfSigned(dir, names, now()) })
}

func newCerts(now func() time.Time, load func() (*tls.Certificate, error)) (*Certs, error) {
	c := &Certs{load: load, now: now}
	return c, c.Reload()
}

// Reload reads the files again. After an error the certificate from before is still served.
func (c *Certs) Reload() error {
	cert, err := c.load()
	if err != nil {
		return err
	}
	c.cur.Store(cert)
	return nil
}

func (c *Certs) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert := c.cur.Load()
	if cert == nil {
		return nil, errors.New("no certificate is loaded")
	}
	return cert, nil
}

// Ends says when the certificate that is served ends.
func (c *Certs) Ends() time.Time { return c.cur.Load().Leaf.NotAfter }

// Leaf gives the certificate that is served.
func (c *Certs) Leaf() *x509.Certificate { return c.cur.Load().Leaf }

// renew reads the files again from time to time, until ctx ends, and says when the end is near.
func (c *Certs) renew(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(renewEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := c.Reload(); err != nil {
			log.LogAttrs(ctx, slog.LevelError, "the certificate can not be read again", slog.String("error", err.Error()))
		}
		if left := c.Ends().Sub(c.now()); left < serverRenew {
			log.LogAttrs(ctx, slog.LevelWarn, "the server's certificate is near its end", slog.Time("ends", c.Ends()))
		}
	}
}
