//go:build !windows

package local_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/edr/edrtest"
	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
	"github.com/hunter-project/hunter/internal/edr/osquery/local"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// The suite of all tools, over the embedded engine: as it is, and with a digest forced by hash_types.
func TestSuite(t *testing.T) { //nolint:paralleltest // it looks for goroutines that are left
	for name, kinds := range map[string][]indicator.Kind{"as it is": nil, "by md5": {indicator.MD5}} {
		t.Run(name, func(t *testing.T) { edrtest.Run(t, subject(kinds, nil)) })
	}
}

// subject is this machine, on which a folder misbehaves as told; wrap may break the tool.
func subject(kinds []indicator.Kind, wrap func(edr.Tool) edr.Tool) edrtest.Subject {
	const here, noLine = "the endpoint is this machine", "there is no line between the tool and the tables, which lie in one process"
	return edrtest.Subject{
		LooksEmpty: []string{"a folder lists nothing", "a folder can not be opened", "a file can not be read"},
		Lacks: map[edrtest.Fault]string{
			edrtest.Auth: noLine, edrtest.Throttled: noLine, edrtest.ThrottledOnce: noLine, edrtest.Garbage: noLine, edrtest.HTML: noLine,
			edrtest.CutInventory: here, edrtest.Vanished: here,
			edrtest.UpperCase: "the engine makes digests itself, in lower case", edrtest.Strangers: "the query's own condition picks the hits",
		},
		Make: func(t testing.TB, w edrtest.World) edrtest.Made {
			dir := t.TempDir()
			files := map[string]string{"sub/deep/other": "other", "sub/unread": strings.Repeat("x", len(edrtest.Hunted))} // of the size that is looked for
			for i, content := range w.Planted {
				files[fmt.Sprintf("a/planted-%d", i)] = content
			}
			for name, content := range files {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var tool edr.Tool = local.New("this-machine", local.Options{Kinds: kinds, FS: &faulty{FS: embedded.RealFS(), world: w, sub: filepath.Join(dir, "sub")}})
			if wrap != nil {
				tool = wrap(tool)
			}
			return edrtest.Made{Tool: tool, Search: in(dir), First: embedded.MachineID()}
		},
	}
}

// faulty is the real file system with what is wrong in a world.
type faulty struct {
	embedded.FS
	world edrtest.World
	sub   string
}

func (f *faulty) Open(path string) (embedded.File, error) {
	unread := f.world.Fault == edrtest.CutAnswer || f.world.Variant == "a file can not be read"
	if f.world.Fault == edrtest.NoControl || (unread && strings.HasSuffix(path, "/unread")) {
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EACCES}
	}
	return f.FS.Open(path)
}

func (f *faulty) OpenDir(path string) (embedded.Dir, error) {
	switch {
	case path != f.sub:
	case f.world.Fault == edrtest.Hang:
		return endless{f.world.Reached}, nil
	case f.world.Variant == "a folder lists nothing":
		return emptyDir{}, nil
	case f.world.Variant == "a folder can not be opened":
		return nil, &os.PathError{Op: "open", Path: path, Err: syscall.EPERM}
	}
	return f.FS.OpenDir(path)
}

// endless is a folder that never ends.
type endless struct{ reached func() }

func (d endless) Names(n int) ([]string, error) {
	d.reached()
	names := make([]string, max(n, 1))
	for i := range names {
		names[i] = "unread"
	}
	return names, nil
}

func (endless) Close() error { return nil }

// broken is this machine with one thing done wrong.
type broken struct {
	edr.Tool
	compile func([]ledger.Query) []ledger.Query
	ask     func(ctx context.Context, tool edr.Tool, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error)
}

func (b *broken) Compile(ep edr.Endpoint, w edr.Work) ([]ledger.Query, error) {
	qs, err := b.Tool.Compile(ep, w)
	if b.compile != nil {
		return b.compile(qs), err
	}
	return qs, err
}

func (b *broken) Ask(ctx context.Context, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
	if b.ask != nil {
		return b.ask(ctx, b.Tool, ep, q)
	}
	return b.Tool.Ask(ctx, ep, q)
}

// The suite finds live tools that are broken on purpose.
func TestSuiteSeesBrokenTools(t *testing.T) { //nolint:paralleltest // it looks for goroutines that are left
	for name, tt := range map[string]struct {
		breaks broken
		found  []string
	}{
		"does not say what it could not read": {broken{ask: func(ctx context.Context, tool edr.Tool, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
			a, err := tool.Ask(ctx, ep, q)
			a.Unread, a.UnreadTotal = nil, 0
			return a, err
		}}, []string{"looks empty: a folder can not be opened"}},
		"is not asked for all": {broken{compile: func(qs []ledger.Query) []ledger.Query {
			for i := range qs {
				qs[i].Hashes = qs[i].Hashes[1:]
			}
			return qs
		}}, []string{"1 hash", "only md5", "stable texts"}},
		"gives a digest of another file": {broken{ask: func(ctx context.Context, tool edr.Tool, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
			a, err := tool.Ask(ctx, ep, q)
			for i, r := range a.Rows {
				if r["kind"] == "hit" {
					a.Rows[i]["md5"] = strings.Repeat("f", 32)
				}
			}
			return a, err
		}}, []string{"1 hash"}},
		"answers when it was cancelled": {broken{ask: func(ctx context.Context, tool edr.Tool, ep edr.Endpoint, q ledger.Query) (ledger.Answer, error) {
			a, _ := tool.Ask(ctx, ep, q)
			return a, nil
		}}, []string{"cancel"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := edrtest.Problems(t, subject(nil, func(tool edr.Tool) edr.Tool {
				b := tt.breaks
				b.Tool = tool
				return &b
			}), tt.found...)
			for _, c := range tt.found {
				if len(got[c]) == 0 {
					t.Errorf("%s: not found by %q", name, c)
				}
			}
		})
	}
}
