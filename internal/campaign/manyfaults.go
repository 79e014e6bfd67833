package campaign

import (
	"errors"
	"fmt"
)

// faultsTold bounds how many faults of many endpoints are told one by one: a full disk is the same fault ten thousand times.
const faultsTold = 5

// faults collects what went wrong with many. The zero value has none.
type faults struct {
	told []error
	more int
}

func (f *faults) add(err error) {
	switch {
	case err == nil:
	case len(f.told) < faultsTold:
		f.told = append(f.told, err)
	default:
		f.more++
	}
}

// join makes one error of them; nil when there are none.
func (f *faults) join() error {
	if f.more > 0 {
		return errors.Join(append(f.told, fmt.Errorf("and %d more faults", f.more))...)
	}
	return errors.Join(f.told...)
}
