// Package own is the provider of what hunter learned itself: a file that a hunt found has all its digests and its size, so
// the next hunt for it looks at files of that size alone. It is asked in every pivot, and nothing leaves this machine.
package own

import (
	"context"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/pivot"
)

// Name is the provider's name; no hunts file defines it.
const Name = "own"

// Hits is what the provider needs of the results store.
type Hits interface {
	// KnownFiles gives the file objects of earlier hits on any of the digests. An endpoint could lie to make later hunts
	// look past a file, so only what trusted (this machine) found counts by itself; of others several must agree.
	KnownFiles(ctx context.Context, digests []indicator.Indicator, trusted string) ([]indicator.File, error)
}

// Provider gives the siblings and sizes of files that earlier hunts found.
type Provider struct {
	hits    Hits
	trusted string
}

var _ pivot.Provider = (*Provider)(nil)

// New makes the provider; trusted is the id of this machine as an endpoint.
func New(hits Hits, trusted string) *Provider { return &Provider{hits: hits, trusted: trusted} }

// Describe says what the provider is.
func (p *Provider) Describe() pivot.Description {
	return pivot.Description{Name: Name, Type: Name, Kinds: indicator.DigestKinds(), Local: true}
}

// Resolve gives the file objects of earlier hits on the digests.
func (p *Provider) Resolve(ctx context.Context, digests []indicator.Indicator) (pivot.Result, error) {
	files, err := p.hits.KnownFiles(ctx, digests, p.trusted)
	return pivot.Result{Files: files}, err
}

// Related gives nothing: that two files were found on one machine does not make them one threat.
func (p *Provider) Related(context.Context, indicator.Indicator, pivot.Limits) (pivot.Result, error) {
	return pivot.Result{}, nil
}
