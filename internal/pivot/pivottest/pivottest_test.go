package pivottest_test

import (
	"testing"

	"github.com/hunter-project/hunter/internal/pivot/pivottest"
)

// A sound provider of a service passes.
func TestToy(t *testing.T) {
	pivottest.Run(t, toySubject())
}
