package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// answer is what one query brought, as it is kept until the server has acknowledged it: a header in JSON on one line, then a
// row a line.
type answer struct {
	Name    []byte    `json:"name"` // as the server gave it
	At      time.Time `json:"at"`
	Status  int       `json:"status"`
	Message []byte    `json:"message,omitempty"`
	Wall    int64     `json:"wall_ms"`
	Ran     bool      `json:"ran,omitempty"`
	Beside  []byte    `json:"beside,omitempty"` // a JSON object
	Sum     []byte    `json:"sum"`              // sha256 of the rows

	rows []byte // each a JSON object and a line end
	mark string // of its query, to be removed when the answer is kept or sent
}

// denylistedAnswer is what osquery says of a text in which it died.
func denylistedAnswer(name string, at time.Time) answer {
	return answer{Name: []byte(name), At: at, Status: 1, Message: []byte("distributed query is denylisted")}
}

func failedAnswer(name, message string, at time.Time) answer {
	return answer{Name: []byte(name), At: at, Status: 1, Message: []byte(message)}
}

// body writes an answer as the request that delivers it.
func (a *answer) body(key string) []byte {
	b := make([]byte, 0, len(a.rows)+len(a.Beside)+4*len(a.Name)+len(a.Message)+256)
	member := func(what string) {
		b = append(b, what...)
		b = append(appendText(b, a.Name), ':')
	}
	member(`{"queries":{`)
	b = append(b, '[')
	at := len(b)
	b = append(b, bytes.TrimSuffix(a.rows, []byte("\n"))...)
	for i := at; i < len(b); i++ {
		if b[i] == '\n' {
			b[i] = ','
		}
	}
	member(`]},"statuses":{`)
	b = strconv.AppendInt(b, int64(a.Status), 10)
	member(`},"messages":{`)
	b = appendText(b, a.Message)
	member(`},"stats":{`)
	if a.Ran {
		b = append(strconv.AppendInt(append(b, `{"wall_time_ms":`...), a.Wall, 10), '}')
	} else {
		b = append(b, "{}"...)
	}
	if len(a.Beside) > 0 {
		member(`},"hunter":{`)
		b = append(b, a.Beside...)
	}
	return append(appendText(append(b, `},"node_key":`...), key), '}')
}

// encode writes an answer for the disk.
func (a *answer) encode() ([]byte, error) {
	sum := sha256.Sum256(a.rows)
	a.Sum = sum[:]
	head, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("keep an answer: %w", err)
	}
	return append(append(head, '\n'), a.rows...), nil
}

// decode reads what encode wrote.
func decode(data []byte) (a answer, err error) {
	head, rows, ok := bytes.Cut(data, []byte("\n"))
	if !ok || json.Unmarshal(head, &a) != nil || len(a.Name) == 0 {
		return answer{}, errors.New("it is no answer of this agent")
	}
	a.rows = rows
	if sum := sha256.Sum256(rows); !bytes.Equal(sum[:], a.Sum) {
		return a, errors.New("its rows are not those that were written")
	}
	return a, nil
}

// halve leaves out the second half of the rows, and says so; false when there is none left to leave out.
func (a *answer) halve() bool {
	lines := bytes.Count(a.rows, []byte("\n"))
	if lines == 0 && len(a.Beside) == 0 {
		return false
	}
	keep, at := lines/2, 0
	for range keep {
		at += bytes.IndexByte(a.rows[at:], '\n') + 1
	}
	a.rows, a.Status = a.rows[:at], 1
	a.Message = fmt.Appendf(nil, "answer too large for the server: cut after %d rows", keep)
	if lines == 0 {
		a.Beside = nil
	}
	return true
}

// spooled is one file of the spool.
type spooled struct {
	file string
	size int64
}

// fileOf names the file of an answer: a newer one under the same name takes its place.
func fileOf(name []byte) string {
	sum := sha256.Sum256(name)
	return spoolDir + "/" + hex.EncodeToString(sum[:])
}

// put keeps an answer on disk.
func (s *state) put(a *answer) error {
	data, err := a.encode()
	if err != nil {
		return err
	}
	return s.write(fileOf(a.Name), data)
}

// waiting lists what is not acknowledged, the oldest first, and how many bytes that is.
func (s *state) waiting() (out []spooled, bytes int64, err error) {
	entries, err := s.list(spoolDir)
	if err != nil {
		return nil, 0, err
	}
	type dated struct {
		spooled
		at time.Time
	}
	var all []dated
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue // gone meanwhile
		}
		bytes += info.Size()
		all = append(all, dated{spooled{spoolDir + "/" + e.Name(), info.Size()}, info.ModTime()})
	}
	slices.SortStableFunc(all, func(a, b dated) int { return a.at.Compare(b.at) })
	for _, d := range all {
		out = append(out, d.spooled)
	}
	return out, bytes, nil
}
