package campaign

import (
	"errors"
	"strings"
	"testing"
)

func TestFaultsOfManyAreBounded(t *testing.T) {
	t.Parallel()
	var f faults
	if f.join() != nil {
		t.Error("none is an error")
	}
	cause := errors.New("no space left on device")
	for range 10_000 {
		f.add(nil)
		f.add(cause)
	}
	err := f.join()
	if !errors.Is(err, cause) || len(err.Error()) > 300 || !strings.Contains(err.Error(), "and 9995 more faults") {
		t.Error(err)
	}
}
