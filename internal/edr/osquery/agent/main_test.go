//go:build sqlite_vtable

package agent_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}
