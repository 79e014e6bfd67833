package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// mark says that a query was begun. It is written before the query runs and removed when it has ended in order, so one that
// is found later is that of a query in which the agent died.
type mark struct {
	Name    string    `json:"name"`
	Started time.Time `json:"started"`
	Told    bool      `json:"told,omitempty"` // the server was told, or the query had ended
}

// markOf names the mark of a text.
func markOf(text []byte) string {
	sum := sha256.Sum256(text)
	return marksDir + "/" + hex.EncodeToString(sum[:])
}

// denied reports whether the agent died in this text less than a day ago. A mark that is over is removed.
func (s *state) denied(text []byte, now time.Time) (bool, error) {
	return s.holds(markOf(text), now)
}

// holds is denied for the name of a mark. A mark from the future, which a clock that was set back leaves, holds for a day from now.
func (s *state) holds(name string, now time.Time) (bool, error) {
	data, err := s.read(name)
	if err != nil || data == nil {
		return false, err
	}
	var m mark
	if _, err := s.load(name, &m); err != nil || m.Started.After(now) {
		m.Started = now
		return true, s.save(name, m)
	}
	if now.Sub(m.Started) < denyFor {
		return true, nil
	}
	return false, s.remove(name)
}
