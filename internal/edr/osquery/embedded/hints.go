//go:build sqlite_vtable

package embedded

// Hints say what a statement is going to ask, so that the engine can look ahead while SQLite still walks. They are about
// speed alone: whatever they say, an answer is the same as without them.
type Hints struct {
	Root     string  // the folder that the statement walks, breadth first and without following links; "" looks nowhere ahead
	MaxDepth int     // folders deeper below the root than this are not listed
	Sizes    []int64 // exact sizes of the files that will be hashed, sorted; empty: every size from 1 to MaxSize
	MaxSize  int64   // 0: no file will be hashed
	MD5      bool    // the digests that will be asked for
	SHA1     bool
	SHA256   bool
}

// kinds are the digests in the order of the engine.
func (h Hints) kinds() [3]bool { return [3]bool{h.MD5, h.SHA1, h.SHA256} }
