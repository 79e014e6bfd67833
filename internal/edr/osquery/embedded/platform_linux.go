//go:build sqlite_vtable

package embedded

import (
	"fmt"
	"time"
)

// Columns that only some platforms have, as osquery has them.
const (
	namespaces = `pid_with_namespace:I! mount_namespace_id:T!`
	fileMore   = namespaces
	timeMore   = ``
	cronMore   = `pid_with_namespace:I!`
)

// seps are the characters that part the names of a path.
const seps = "/"

// caseOf gives a name as it is compared with others.
func caseOf(name string) string { return name }

// birth is a time that osquery does not tell on Linux.
func birth(Stat) int64 { return 0 }

func permissions(st Stat) string { return fmt.Sprintf("%04o", st.Perm) }

// fileCell gives a cell of fileMore.
func fileCell(string, Stat, int) any { return "" }

func timeCells(time.Time) []any { return nil }

// platform is what the engine holds for this platform alone.
type platform struct{}

// met takes note of an owner; here every one has a number.
func (p *platform) met(int64, string) {}

// fetched is for platforms whose folders may be elsewhere.
func fetched(Stat) bool { return false }

// elsewhere is for platforms whose paths lead to other machines.
func (e *Engine) elsewhere(*query, string, string) bool { return false }
