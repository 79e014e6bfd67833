package host

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"howett.net/plist"
)

// MaxPlist is the biggest property list that is read. It also bounds how deep an XML one can be nested: its parser recurses.
const MaxPlist = 2 << 20

// parsePlist reads a property list, XML or binary, into a struct.
func parsePlist(data []byte, into any) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("is no property list: %v", r)
		}
	}()
	if len(data) > MaxPlist {
		return fmt.Errorf("longer than %d MiB", MaxPlist>>20)
	}
	if err := plistFits(data); err != nil {
		return err
	}
	if _, err := plist.Unmarshal(data, into); err != nil {
		return fmt.Errorf("is no property list: %w", err)
	}
	return nil
}

// errNoScalar says that a value is an array or a dictionary where text is expected.
var errNoScalar = errors.New("no plain value")

// scalar is a text, number or truth as osquery writes it; arrays and dictionaries are "".
type scalar string

// UnmarshalPlist takes the first kind that fits.
func (s *scalar) UnmarshalPlist(unmarshal func(any) error) error {
	for _, try := range []func() error{
		func() error { return into(s, unmarshal, func(v string) string { return v }) },
		func() error { return into(s, unmarshal, func(v bool) string { return strconv.FormatInt(flag(v), 10) }) },
		func() error { return into(s, unmarshal, func(v int64) string { return strconv.FormatInt(v, 10) }) },
		func() error { return into(s, unmarshal, func(v uint64) string { return strconv.FormatUint(v, 10) }) },
		func() error {
			return into(s, unmarshal, func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) })
		},
	} {
		if try() == nil {
			return nil
		}
	}
	return nil // as osquery: a value of another sort is empty
}

func into[T any](s *scalar, unmarshal func(any) error, format func(T) string) error {
	var v T
	if err := unmarshal(&v); err != nil {
		return errNoScalar
	}
	*s = scalar(format(v))
	return nil
}

// words are the texts of an array; one text alone does for an array of one.
type words []scalar

// UnmarshalPlist takes an array of plain values, or one.
func (w *words) UnmarshalPlist(unmarshal func(any) error) error {
	var list []scalar
	if unmarshal(&list) == nil {
		*w = list
		return nil
	}
	var one scalar
	if err := unmarshal(&one); err != nil {
		return err
	}
	*w = words{one}
	return nil
}

// join writes the texts with a blank between, as osquery does.
func (w words) join() string {
	out := make([]string, len(w))
	for i, s := range w {
		out[i] = string(s)
	}
	return strings.Join(out, " ")
}

// first gives the first text, "" when there is none.
func (w words) first() string {
	if len(w) == 0 {
		return ""
	}
	return string(w[0])
}
