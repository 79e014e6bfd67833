//go:build sqlite_vtable

package embedded

// counted counts files, each once however often it is met. Inodes that follow one another are close in memory: a walk meets
// them so.
type counted struct {
	n     int64
	pages map[[2]uint64]*[4]uint64 // by device and inode without its last byte; a bit each
	at    [2]uint64
	page  *[4]uint64 // of at
}

// add counts a file.
func (c *counted) add(k Key) {
	at := [2]uint64{k.Device, k.Inode >> 8}
	if c.page == nil || c.at != at {
		if c.pages == nil {
			c.pages = map[[2]uint64]*[4]uint64{}
		}
		if c.pages[at] == nil {
			c.pages[at] = &[4]uint64{}
		}
		c.at, c.page = at, c.pages[at]
	}
	word, bit := &c.page[k.Inode>>6&3], uint64(1)<<(k.Inode&63)
	if *word&bit == 0 {
		*word |= bit
		c.n++
	}
}
