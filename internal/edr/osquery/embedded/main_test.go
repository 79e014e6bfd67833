//go:build sqlite_vtable

package embedded_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dropRights() {
		m.Run()
		return
	}
	goleak.VerifyTestMain(m)
}
