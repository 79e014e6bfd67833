package osquery

import (
	"fmt"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/ledger"
)

// An agent keeps a list of the texts in which its worker died, and refuses them for a day. So a question that was refused, or
// lost twice, is put in other words, and as less work at once where that is possible: a walk hashes within a smaller budget,
// and what is over it is asked in parts, folder by folder. What looks at processes and autoruns has no smaller form.

// FirstLighter is the first attempt that is put in other words. Those before it are the question as it is: as a probe the same
// text is asked twice, since an agent whose worker died in it says so.
const FirstLighter = 3

// The least budget of a lighter walk, and by how much each attempt is smaller than the one before.
const (
	leastFiles  = 50
	leastBytes  = 10 << 20
	lighterStep = 5
)

// Lighter words a question anew for an attempt after the probe; ok is false for an attempt that asks it as it is. The id
// stays, and the answer means the same: its parts cover what the question did.
func Lighter(q ledger.Query, attempt int) (lighter ledger.Query, ok bool, err error) {
	if attempt < FirstLighter {
		return ledger.Query{}, false, nil
	}
	lighter = q
	if walks(q) {
		lighter.Budget = smaller(q, attempt-FirstLighter+1)
		lighter.Splits = utf8.ValidString(q.Root)
		lighter.Text, err = Text(questionOf(lighter))
		if err != nil {
			return ledger.Query{}, false, fmt.Errorf("word a lighter form of %s: %w", q.ID, err)
		}
	}
	lighter.Text += fmt.Sprintf("\n/* attempt %d */", attempt)
	return lighter, true, nil
}

// walks reports whether a question goes through folders: those about one file, or right under the drives, are as small as
// they can be, and so is the second look at paths that had vanished.
func walks(q ledger.Query) bool {
	return q.Stage == ledger.Files && q.MaxDepth > 0 && q.Root != DriveRoots && len(q.Recheck) == 0
}

// smaller gives the budget of a walk after so many steps. A walk without one begins at what osqueryd is given; every file in
// scope stays within it.
func smaller(q ledger.Query, steps int) ledger.Budget {
	out, most := q.Budget, Osqueryd().Budget
	if out.Files <= 0 {
		out.Files = most.Files
	}
	if out.Bytes <= 0 {
		out.Bytes = most.Bytes
	}
	most = out
	for range steps {
		out.Files, out.Bytes = out.Files/lighterStep, out.Bytes/lighterStep
	}
	out.Files = min(max(out.Files, leastFiles), most.Files)
	out.Bytes = min(max(out.Bytes, leastBytes, q.MaxSize), most.Bytes)
	return out
}
