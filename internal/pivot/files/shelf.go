package files

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
)

// shelf keeps out of memory what a file says before it is known what for. It is a temporary table of the import's connection,
// and goes with the import's transaction if not before.
type shelf struct {
	k     *sink
	table string
	ready bool // it has its indexes: nothing is added any more
}

// newShelf makes an empty shelf; there is one of a name at a time.
func newShelf(k *sink, name string) (*shelf, error) {
	s := &shelf{k: k, table: "temp." + name}
	return s, s.exec(`CREATE TEMP TABLE ` + name + ` (seq INTEGER PRIMARY KEY, key TEXT NOT NULL, rank TEXT NOT NULL, value TEXT NOT NULL) STRICT`)
}

// exec runs what is not worth being kept compiled.
func (s *shelf) exec(text string) error {
	_, err := s.k.tx.ExecContext(s.k.ctx, text)
	return err
}

// add puts a value under a key. Of those of one key the highest rank counts, of equal ones the first.
func (s *shelf) add(key, rank string, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.k.exec(`INSERT INTO `+s.table+` (key, rank, value) VALUES (?, ?, ?)`, key, rank, string(b))
}

func (s *shelf) index() error {
	if s.ready {
		return nil
	}
	s.ready = true
	name := s.table[len("temp."):]
	return errors.Join(s.exec(fmt.Sprintf(`CREATE INDEX %s_first ON %s (key, seq)`, s.table, name)),
		s.exec(fmt.Sprintf(`CREATE INDEX %s_best ON %s (key, rank DESC, seq)`, s.table, name)))
}

// get reads what counts under a key into v, a pointer. ok is false when nothing does.
func (s *shelf) get(key string, v any) (ok bool, err error) {
	if err := s.index(); err != nil {
		return false, err
	}
	stmt, err := s.k.stmt(`SELECT value FROM ` + s.table + ` WHERE key = ? ORDER BY rank DESC, seq LIMIT 1`) //nolint:sqlclosecheck // kept for the whole import
	if err != nil {
		return false, err
	}
	var text string
	err = stmt.QueryRowContext(s.k.ctx, key).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, json.Unmarshal([]byte(text), v)
}

// each goes through what counts, in the order in which the keys came first.
func (s *shelf) each(take func(key string, value []byte) error) error {
	if err := s.index(); err != nil {
		return err
	}
	rows, err := s.k.tx.QueryContext(s.k.ctx, `SELECT s.key, (SELECT x.value FROM `+s.table+` x WHERE x.key = s.key ORDER BY x.rank DESC, x.seq LIMIT 1)
		FROM `+s.table+` s WHERE NOT EXISTS (SELECT 1 FROM `+s.table+` x WHERE x.key = s.key AND x.seq < s.seq) ORDER BY s.seq`)
	if err != nil {
		return err
	}
	defer rows.Close() // read-only
	for rows.Next() {
		var key string
		var value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		if err := take(key, value); err != nil {
			return err
		}
	}
	return rows.Err()
}

// drop ends the shelf.
func (s *shelf) drop() error { return s.exec(`DROP TABLE ` + s.table) }
