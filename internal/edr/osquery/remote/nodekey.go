package remote

import (
	"crypto/sha256"
	"net/http"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// maxKey is longer than any key that hunter gives: 43 characters.
const maxKey = 256

// keyOf hashes a node key. ok is false when there is none.
func keyOf(key []byte) (h ledger.KeyHash, ok bool) {
	return sha256.Sum256(key), len(key) > 0
}

// headerKey is the node key of the headers: agents have it there from 5.23 on.
func headerKey(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "NodeKey") {
		return ""
	}
	return strings.TrimSpace(key)
}

func (s *Server) scanner(r *http.Request, most int64) *scanner {
	sc, ok := s.scanners.Get().(*scanner)
	if !ok {
		sc = newScanner()
	}
	sc.reset(&bounded{r: r.Body, left: most, ctx: r.Context(), free: s.opt.Limits.LongFree, pace: s.long})
	return sc
}

func (s *Server) release(sc *scanner) {
	sc.reset(nil)
	s.scanners.Put(sc)
}

// nodeKey reads a body that has a node key and nothing else of interest.
func (s *Server) nodeKey(r *http.Request) (key ledger.KeyHash, out reply, ok bool) {
	sc := s.scanner(r, s.opt.Limits.SmallBody)
	defer s.release(sc)
	found, err := sc.nodeKey()
	if err != nil {
		return key, s.unreadable(err), false
	}
	if len(found) == 0 {
		found = []byte(headerKey(r))
	}
	if key, ok = keyOf(found); !ok {
		return key, noKey(), false
	}
	return key, out, true
}

func noKey() reply {
	return refuse(http.StatusBadRequest, "the request has no node_key: the agent must enrol first")
}

// nodeKey reads the member node_key of an object; what it gives is good until the scanner is used again.
func (s *scanner) nodeKey() ([]byte, error) {
	if err := s.take('{'); err != nil {
		return nil, err
	}
	var room [maxKey + 16]byte
	found := 0
	for first := true; ; first = false {
		name, ok, err := s.key(s.tmp[:0], first, 16)
		s.tmp = name
		switch {
		case err != nil:
			return nil, err
		case !ok:
			s.tmp = append(s.tmp[:0], room[:found]...)
			return s.tmp, nil
		case string(name) != "node_key":
			if err := s.skip(); err != nil {
				return nil, err
			}
			continue
		}
		key, _, _, err := s.scalar(room[:0], maxKey)
		if err != nil {
			return nil, err
		}
		found = len(key)
	}
}

// node reads a body with a node key, and looks its node up.
func (s *Server) node(r *http.Request) (n ledger.Node, out reply, ok bool) {
	key, out, ok := s.nodeKey(r)
	if !ok {
		return n, out, false
	}
	return s.known(r, key)
}

func (s *Server) known(r *http.Request, key ledger.KeyHash) (n ledger.Node, out reply, ok bool) {
	n, known, err := s.opt.Nodes.NodeByKey(r.Context(), key)
	switch {
	case err != nil:
		return n, s.trouble("look up the node", err), false
	case !known:
		s.counts.unknown.Add(1)
		return n, invalid(), false
	}
	return n, out, true
}

// HashKey gives what is stored of a node key.
func HashKey(key string) ledger.KeyHash { return sha256.Sum256([]byte(key)) }
