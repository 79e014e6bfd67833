package carbonblack

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// binaries searches the store of binaries. A binary names the hosts that it was ever seen on and the paths that it ever
// had on any of them, and not when: such a hit may be older than the window.
func (s *search) binaries(ctx context.Context) error {
	return controlled(ctx, s, binaryPath, binarySearch, true, func(b binary) {
		if m := b.image(); s.asked[m] {
			s.stored(b, m)
		}
	})
}

// stored makes the rows of a binary: one for each endpoint.
func (s *search) stored(b binary, md5 string) {
	paths := make([]string, 0, len(b.Names))
	for _, n := range b.Names {
		if p := n.text(); p != "" {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	named := map[string]bool{}
	for _, e := range b.Seen {
		host, id := splitEndpoint(e.text())
		if id == "" {
			s.gap("", fmt.Sprintf("the store of binaries has md5:%s of a host that it gives no id of: %.100s", md5, e.text()))
			continue
		}
		if named[id] {
			continue
		}
		named[id] = true
		row := ledger.Row{
			"kind": "hit", "endpoint": id, "hostname": host, "md5": md5, "sha256": string(b.SHA256), "size": b.Size.id(), "seen": b.Added.unix(),
		}
		if len(paths) == 1 {
			row["path"], row["name"] = paths[0], base(paths[0])
		} else {
			s.gap(id, fmt.Sprintf("md5:%s is known under %d paths of any host; which of them is here is not in the store: %.500s", md5, len(paths), strings.Join(paths, ", ")))
		}
		s.gap(id, fmt.Sprintf("md5:%s is in the store of binaries, which does not say when it was here: it may be older than the window", md5))
		s.add(row, id, md5)
	}
	if n := int(b.Hosts.number()); n > len(named) {
		s.gap("", fmt.Sprintf("the store of binaries counts %d hosts with md5:%s and names %d", n, md5, len(named)))
	}
}

// splitEndpoint reads "NAME|sensor id".
func splitEndpoint(s string) (host, id string) {
	at := strings.LastIndexByte(s, '|')
	if at < 0 {
		return s, ""
	}
	return s[:at], loose(s[at+1:]).id()
}

// base gives the last part of a path of any platform.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }
