package main

import (
	"errors"
	"fmt"
	"strings"
)

// faultList collects what is wrong with a command line, so that all of it is told at once.
type faultList struct{ errs []error }

func (f *faultList) add(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

// errorLines gives one line for each of the errors that err joins, at any depth; what wraps them stands before each.
func errorLines(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, e := range joined.Unwrap() {
			out = append(out, errorLines(e)...)
		}
		if strings.Join(out, "\n") == err.Error() { // joined, and not worded into one sentence
			return out
		}
		return []string{err.Error()}
	}
	text := err.Error()
	inner := errors.Unwrap(err)
	if inner == nil || !strings.HasSuffix(text, inner.Error()) {
		return []string{text}
	}
	before := strings.TrimSuffix(text, inner.Error())
	out := errorLines(inner)
	for i := range out {
		out[i] = before + out[i]
	}
	return out
}

func (f *faultList) err() error { return errors.Join(f.errs...) }
