package main

import (
	"errors"
	"fmt"
)

// faultList collects what is wrong with a command line, so that all of it is told at once.
type faultList struct{ errs []error }

func (f *faultList) add(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

func (f *faultList) err() error { return errors.Join(f.errs...) }
