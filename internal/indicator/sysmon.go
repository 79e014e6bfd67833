package indicator

import (
	"errors"
	"fmt"
	"strings"
)

// ParseSysmon reads the Hashes field of a Sysmon event, "SHA1=…,MD5=…,SHA256=…,IMPHASH=…". All digests are of one file.
// refused lists the parts that are no file hash, such as IMPHASH. The error is for a text that is no such list at all, or
// that names two values for one kind.
func ParseSysmon(s string) (digests []Indicator, refused []*RefusedError, err error) {
	if len(s) > MaxValue {
		return nil, nil, refuse(s, "too long", "a Hashes field has at most 4096 bytes")
	}
	var f File
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		if name, _, ok := strings.Cut(part, "="); !ok || strings.TrimSpace(name) == "" {
			return nil, nil, refuse(s, "no list of hashes", "it reads SHA1=…,MD5=…,SHA256=…")
		}
		ind, err := ParseHash(part)
		var r *RefusedError
		switch {
		case errors.As(err, &r):
			refused = append(refused, r)
			continue
		case err != nil:
			return nil, nil, err
		}
		if old := f.Digest(ind.Kind); old != "" && old != ind.Value {
			return nil, nil, refuse(s, fmt.Sprintf("a list with two values of %s", ind.Kind), "one file has one of each")
		}
		if f.Digest(ind.Kind) == "" {
			digests = append(digests, ind)
		}
		f.SetDigest(ind.Kind, ind.Value)
	}
	if len(digests)+len(refused) == 0 {
		return nil, nil, refuse(s, "no list of hashes", "it reads SHA1=…,MD5=…,SHA256=…")
	}
	return digests, refused, nil
}
