package app

import (
	"context"
	"errors"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/results"
)

// digests is the store as the memory of the embedded engine.
type digests struct{ *results.Digests }

// DigestCache gives the store as the memory of digests; nil where others could write to it.
func DigestCache(ctx context.Context, store *results.Store) (embedded.Cache, error) {
	d, err := store.Digests(ctx)
	if errors.Is(err, results.ErrNotOurs) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return digests{d}, nil
}

// Get gives the digests of a file that is as it was.
func (d digests) Get(ctx context.Context, k embedded.Key) (embedded.Sums, bool) {
	sums, ok := d.Digests.Get(ctx, results.FileKey(k))
	return embedded.Sums(sums), ok
}

// Put remembers the digests of a file.
func (d digests) Put(ctx context.Context, k embedded.Key, s embedded.Sums) {
	d.Digests.Put(ctx, results.FileKey(k), results.FileSums(s))
}
