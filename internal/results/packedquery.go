package results

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"

	"github.com/hunter-project/hunter/internal/ledger"
)

// queryPacker gives the stored form of queries. Thousands of endpoints are asked the same, and a query may carry thousands of
// digests, so a query that was packed a moment ago is known again: those of one wording share their slices, which makes that
// a look at pointers.
type queryPacker struct {
	recent map[string][]packedQuery // by id
}

type packedQuery struct {
	query  ledger.Query
	digest string
}

// recentMax is how many wordings of one id are remembered.
const recentMax = 16

// pack gives the digest by which a query is stored; body is nil when that was given before.
func (p *queryPacker) pack(q ledger.Query) (digest string, body []byte, err error) {
	for _, r := range p.recent[q.ID] {
		if reflect.DeepEqual(r.query, q) {
			return r.digest, nil, nil
		}
	}
	if body, err = pack(q); err != nil {
		return "", nil, err
	}
	sum := sha256.Sum256(body)
	digest = hex.EncodeToString(sum[:])
	if p.recent == nil {
		p.recent = map[string][]packedQuery{}
	}
	list := append(p.recent[q.ID], packedQuery{q, digest})
	p.recent[q.ID] = list[max(0, len(list)-recentMax):]
	return digest, body, nil
}
