package remote

import "github.com/hunter-project/hunter/internal/ledger"

// rowBuffer is one row before it is known whether it is kept.
type rowBuffer struct {
	bytes []byte // names and values, one after another
	cells []cell
	cut   bool // a value was longer, or there were more columns
}

type cell struct{ name, value, end int }

// read reads an object of values. Values are strings; a number is taken as it is written.
func (r *rowBuffer) read(s *scanner) error {
	r.bytes, r.cells, r.cut = r.bytes[:0], r.cells[:0], false
	if err := s.take('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		c := cell{name: len(r.bytes)}
		out, ok, err := s.key(r.bytes, first, maxName)
		if err != nil || !ok {
			return err
		}
		c.value = len(out)
		out, cut, ok, err := s.scalar(out, maxValue)
		c.end = len(out)
		switch {
		case err != nil:
			return err
		case !ok, len(r.cells) == maxColumns, len(out) > 4*maxValue:
			r.bytes, r.cut = out[:c.name], true
		default:
			r.bytes, r.cut = out, r.cut || cut
			r.cells = append(r.cells, c)
		}
	}
}

func (r *rowBuffer) isHit() bool {
	for i := len(r.cells) - 1; i >= 0; i-- { // of two columns of one name the last is what is kept
		if c := r.cells[i]; string(r.bytes[c.name:c.value]) == "kind" {
			return string(r.bytes[c.value:c.end]) == "hit"
		}
	}
	return false
}

// maxInterned bounds how many names of columns are kept once.
const maxInterned = 256

// make makes the row.
func (r *rowBuffer) make(columns map[string]string) ledger.Row {
	row := make(ledger.Row, len(r.cells))
	for _, c := range r.cells {
		raw := r.bytes[c.name:c.value]
		name, ok := columns[string(raw)]
		if !ok {
			name = string(raw)
			if len(columns) < maxInterned {
				columns[name] = name
			}
		}
		row[name] = string(r.bytes[c.value:c.end])
	}
	return row
}
