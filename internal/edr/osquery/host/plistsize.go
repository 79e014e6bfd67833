package host

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// Bounds of a binary property list, in which many references can lead to the same object.
const (
	plistFull  = 16 << 20 // bytes and elements that it says when every reference is written out
	plistDepth = 128
)

var (
	errPlistFull  = fmt.Errorf("says more than %d MiB when written out", plistFull>>20)
	errPlistCut   = errors.New("is a binary property list with references that lead outside")
	errPlistDepth = fmt.Errorf("is nested deeper than %d, or in itself", plistDepth)
)

// plistFits reports why a binary property list may not be read: it would not fit, or never end. Others fit by their length.
func plistFits(data []byte) error {
	if !bytes.HasPrefix(data, []byte("bplist")) {
		return nil
	}
	if len(data) < 40 {
		return errPlistCut
	}
	t := data[len(data)-32:]
	p := sizes{
		data: data[:len(data)-32], offsetSize: int(t[6]), refSize: int(t[7]),
		count: binary.BigEndian.Uint64(t[8:]), table: binary.BigEndian.Uint64(t[24:]), known: map[uint64]uint64{},
	}
	if p.offsetSize < 1 || p.offsetSize > 8 || p.refSize < 1 || p.refSize > 8 || p.table > uint64(len(p.data)) ||
		p.count > (uint64(len(p.data))-p.table)/uint64(p.offsetSize) {
		return errPlistCut
	}
	_, err := p.full(binary.BigEndian.Uint64(t[16:]), 0)
	return err
}

// sizes finds out how much each object of a binary property list says.
type sizes struct {
	data                []byte
	offsetSize, refSize int
	count, table        uint64
	known               map[uint64]uint64
}

// full gives the size of an object with all that it refers to.
func (p *sizes) full(object uint64, depth int) (uint64, error) {
	if n, ok := p.known[object]; ok {
		return n, nil
	}
	if depth > plistDepth {
		return 0, errPlistDepth
	}
	if object >= p.count {
		return 0, errPlistCut
	}
	at, ok := p.number(p.table+object*uint64(p.offsetSize), p.offsetSize)
	if !ok || at >= uint64(len(p.data)) {
		return 0, errPlistCut
	}
	kind := p.data[at] >> 4
	length, at, ok := p.length(at)
	if !ok {
		return 0, errPlistCut
	}
	refs := uint64(0)
	switch kind {
	case 0xa, 0xb, 0xc:
		refs = length
	case 0xd:
		refs = 2 * length
	case 6:
		length *= 2
	}
	if length > uint64(len(p.data)) || refs > uint64(len(p.data)) {
		return 0, errPlistCut
	}
	total := 1 + length
	for i := range refs {
		ref, ok := p.number(at+i*uint64(p.refSize), p.refSize)
		if !ok {
			return 0, errPlistCut
		}
		n, err := p.full(ref, depth+1)
		if err != nil {
			return 0, err
		}
		if total += n; total > plistFull {
			return 0, errPlistFull
		}
	}
	p.known[object] = total
	return total, nil
}

// length reads the length of an object and gives where its content begins. Kinds without one have none.
func (p *sizes) length(at uint64) (length, content uint64, ok bool) {
	kind, low := p.data[at]>>4, uint64(p.data[at]&0xf)
	if kind < 4 || kind == 8 || low != 0xf {
		if kind < 4 || kind == 8 {
			low = 8
		}
		return low, at + 1, true
	}
	if at+1 >= uint64(len(p.data)) || p.data[at+1]>>4 != 1 || p.data[at+1]&0xf > 3 {
		return 0, 0, false
	}
	size := 1 << (p.data[at+1] & 0xf)
	n, ok := p.number(at+2, size)
	return n, at + 2 + uint64(size), ok //nolint:gosec // at most 8
}

// number reads a number in network order.
func (p *sizes) number(at uint64, size int) (n uint64, ok bool) {
	if at > uint64(len(p.data)) || uint64(len(p.data))-at < uint64(size) { //nolint:gosec // at most 8
		return 0, false
	}
	for _, b := range p.data[at : at+uint64(size)] { //nolint:gosec // at most 8
		n = n<<8 | uint64(b)
	}
	return n, true
}
