//go:build sqlite_vtable

package embedded

import (
	"fmt"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

// Columns that only some platforms have, as osquery has them.
const (
	namespaces = ``
	fileMore   = `bsd_flags:T`
	timeMore   = ``
	cronMore   = ``
)

// seps are the characters that part the names of a path.
const seps = "/"

// caseOf gives a name as it is compared with others in a LIKE, which has no case: what a volume that tells cases apart lists too
// many, the LIKE itself takes out again.
func caseOf(name string) string { return strings.ToLower(name) }

// birth is when the file was made.
func birth(st Stat) int64 { return st.BTime.Unix() }

func permissions(st Stat) string { return fmt.Sprintf("%04o", st.Perm) }

// fileCell gives a cell of fileMore.
func fileCell(_ string, st Stat, _ int) any { return host.Flags(st.Attributes) }

func timeCells(time.Time) []any { return nil }

// platform is what the engine holds for this platform alone.
type platform struct{}

// met takes note of an owner; here every one has a number.
func (p *platform) met(int64, string) {}

// fetched is for platforms whose folders may be elsewhere.
func fetched(Stat) bool { return false }

// elsewhere is for platforms whose paths lead to other machines.
func (e *Engine) elsewhere(*query, string, string) bool { return false }
