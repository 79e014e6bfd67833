package results

import "encoding/binary"

// pageVersion begins each packed page; another one is another hunter's and says nothing.
const pageVersion = 1

// entryHead is the size of a packed entry before its digests: place in the page, digests it has, size, both times.
const entryHead = 2 + 3*8

// digestPage holds the digests of up to 256 inodes.
type digestPage struct {
	entries []digestEntry
	at      [256]uint16 // place in entries by the last byte of the inode, plus one
	dirty   bool
}

type digestEntry struct {
	low                byte
	size, mtime, ctime int64
	sums               FileSums
}

func (p *digestPage) get(k FileKey) (FileSums, bool) {
	i := p.at[byte(k.Inode)]
	if i == 0 {
		return FileSums{}, false
	}
	e := &p.entries[i-1]
	if e.size != k.Size || e.mtime != k.MTime || e.ctime != k.CTime {
		return FileSums{}, false
	}
	return e.sums, true
}

func (p *digestPage) put(k FileKey, sums FileSums) {
	low := byte(k.Inode)
	fresh := digestEntry{low: low, size: k.Size, mtime: k.MTime, ctime: k.CTime, sums: sums}
	i := p.at[low]
	if i == 0 {
		p.entries = append(p.entries, fresh)
		p.at[low] = uint16(len(p.entries)) //nolint:gosec // at most 256
		return
	}
	if was, same := p.get(k); same { // another run may have known other digests of it
		for kind, has := range was.Has {
			if has && !fresh.sums.Has[kind] {
				fresh.sums.Has[kind] = true
				copy(fresh.sums.bytes(kind), was.bytes(kind))
			}
		}
	}
	p.entries[i-1] = fresh
}

func (s *FileSums) bytes(kind int) []byte {
	return [][]byte{s.MD5[:], s.SHA1[:], s.SHA256[:]}[kind]
}

func (p *digestPage) pack() []byte {
	out := []byte{pageVersion}
	for i := range p.entries {
		e := &p.entries[i]
		mask := byte(0)
		for kind, has := range e.sums.Has {
			if has {
				mask |= 1 << kind
			}
		}
		out = append(out, e.low, mask)
		for _, n := range []int64{e.size, e.mtime, e.ctime} {
			out = binary.BigEndian.AppendUint64(out, uint64(n)) //nolint:gosec // the same bits
		}
		for kind, has := range e.sums.Has {
			if has {
				out = append(out, e.sums.bytes(kind)...)
			}
		}
	}
	return out
}

// unpackPage reads a packed page; from where it makes no sense on, nothing is known.
func unpackPage(blob []byte) *digestPage {
	p := &digestPage{}
	if len(blob) == 0 || blob[0] != pageVersion {
		return p
	}
	for blob = blob[1:]; len(blob) >= entryHead; {
		e := digestEntry{low: blob[0]}
		mask := blob[1]
		for i, n := range []*int64{&e.size, &e.mtime, &e.ctime} {
			*n = int64(binary.BigEndian.Uint64(blob[2+8*i:])) //nolint:gosec // the same bits
		}
		blob = blob[entryHead:]
		for kind := range e.sums.Has {
			if mask&(1<<kind) == 0 {
				continue
			}
			sum := e.sums.bytes(kind)
			if len(blob) < len(sum) {
				return p
			}
			e.sums.Has[kind] = true
			copy(sum, blob)
			blob = blob[len(sum):]
		}
		if mask > 7 || p.at[e.low] != 0 {
			return p
		}
		p.entries = append(p.entries, e)
		p.at[e.low] = uint16(len(p.entries)) //nolint:gosec // at most 256
	}
	return p
}
