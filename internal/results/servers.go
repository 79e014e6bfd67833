package results

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
)

// serverLives is how long after its last beat a server counts as alive.
const serverLives = 15 * time.Second

// RegisterServer stores a server that starts on this database. Its own start is its first beat.
func (s *Store) RegisterServer(ctx context.Context, i ServerInfo) error {
	return s.tx(ctx, "store the server", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO server (id, host, pid, address, version, started_at, beat_at) VALUES (?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET host = excluded.host, pid = excluded.pid, address = excluded.address, version = excluded.version,
			started_at = excluded.started_at, beat_at = excluded.beat_at, stopped_at = NULL`,
			i.ID, diag.Escape(i.Host), i.PID, diag.Escape(i.Address), diag.Escape(i.Version), stampText(i.StartedAt), stampText(i.StartedAt))
		return err
	})
}

// BeatServer stores that a server lives. An unknown one is ErrNoServer.
func (s *Store) BeatServer(ctx context.Context, id string, at time.Time) error {
	return s.tx(ctx, "store the server", func(tx *sql.Tx) error {
		return setServer(ctx, tx, `UPDATE server SET beat_at = ? WHERE id = ?`, id, at)
	})
}

// StopServer stores that a server ends, and lets the runs go that it carries.
func (s *Store) StopServer(ctx context.Context, id string, at time.Time) error {
	return s.tx(ctx, "store that the server ends", func(tx *sql.Tx) error {
		if err := setServer(ctx, tx, `UPDATE server SET stopped_at = ? WHERE id = ?`, id, at); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE run SET owner = '', lease = NULL WHERE served = 1 AND owner = ?`, id)
		return err
	})
}

func setServer(ctx context.Context, tx *sql.Tx, text, id string, at time.Time) error {
	ok, err := changed(tx.ExecContext(ctx, text, stampText(at), id))
	if err == nil && !ok {
		err = fmt.Errorf("server %s: %w", diag.Escape(id), ErrNoServer)
	}
	return err
}

const serverColumns = `SELECT id, host, pid, address, version, started_at, beat_at, stopped_at FROM server`

func scanServer(rows *sql.Rows) (ServerInfo, error) {
	var i ServerInfo
	var started, beat, stopped sql.NullString
	err := rows.Scan(&i.ID, &i.Host, &i.PID, &i.Address, &i.Version, &started, &beat, &stopped)
	i.StartedAt, i.BeatAt, i.StoppedAt = unstamp(started), unstamp(beat), unstamp(stopped)
	return i, err
}

// liveServers takes the moment since which a live one has beaten.
const liveServers = serverColumns + ` WHERE stopped_at IS NULL AND beat_at > ? ORDER BY beat_at DESC, id LIMIT 1`

// LiveServer gives the server that lives on this database: it said so within 15 seconds, and not that it ends.
func (s *Store) LiveServer(ctx context.Context, now time.Time) (ServerInfo, bool, error) {
	return s.server(ctx, liveServers, stampText(now.Add(-serverLives)))
}

// LastServer gives the server that was seen last, alive or not.
func (s *Store) LastServer(ctx context.Context) (ServerInfo, bool, error) {
	return s.server(ctx, serverColumns+` ORDER BY beat_at DESC, id LIMIT 1`)
}

func (s *Store) server(ctx context.Context, text string, args ...any) (out ServerInfo, there bool, err error) {
	err = s.query(ctx, "look for the server", func(rows *sql.Rows) (err error) {
		out, err = scanServer(rows)
		there = true
		return err
	}, text, args...)
	return out, there, err
}

// heldBy gives the live server that holds the database at path, of any version; none can hold one without the table of servers. Where
// there is a lock it decides: one that is free says that the server has died, however lately it was seen.
func heldBy(ctx context.Context, db *sql.DB, path string, opt Options) (out ServerInfo, there bool, err error) {
	if opt.Holder {
		return out, false, nil
	}
	if held, ever, err := holdOf(path); err == nil && ever && !held {
		return out, false, nil
	}
	var known bool
	if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'server')`).Scan(&known); err != nil || !known {
		return out, false, err
	}
	rows, err := db.QueryContext(ctx, liveServers, stampText(opt.Now().Add(-serverLives)))
	if err != nil {
		return out, false, err
	}
	defer rows.Close() // read-only
	if rows.Next() {
		there = true
		out, err = scanServer(rows)
	}
	if err == nil {
		err = rows.Err()
	}
	return out, there, err
}

// isOver tests whether nothing more can come of a run r: it is stopped or failed, or finished and asks no late endpoints at a moment.
const isOver = `(r.state IN ('stopped', 'failed') OR (r.state = 'finished' AND coalesce(r.late_until, '') <= ?1))`

// ClaimRun makes a server the one that carries a run until a moment, and prolongs that for the one that does already. It is false
// when another has it, or the run is over or not there. A lease that has run out is anybody's.
func (s *Store) ClaimRun(ctx context.Context, run, server string, until time.Time) (ok bool, err error) {
	err = s.tx(ctx, "claim the run", func(tx *sql.Tx) error {
		ok, err = changed(tx.ExecContext(ctx, `UPDATE run AS r SET owner = ?2, lease = ?3 WHERE r.id = ?4 AND r.served = 1 AND NOT `+isOver+`
			AND (r.owner IN ('', ?2) OR r.lease IS NULL OR r.lease <= ?1)`, stampText(s.now()), server, stampText(until), run))
		return err
	})
	return ok, err
}

// RenewRun prolongs a server's lease on a run, in whatever state the run is. It is false when the server does not have it any more.
func (s *Store) RenewRun(ctx context.Context, run, server string, until time.Time) (ok bool, err error) {
	err = s.tx(ctx, "renew the lease on the run", func(tx *sql.Tx) error {
		ok, err = changed(tx.ExecContext(ctx, `UPDATE run SET lease = ? WHERE id = ? AND owner = ?`, stampText(until), run, server))
		return err
	})
	return ok, err
}

// ReleaseRun lets a run go that a server carries. One that another carries stays with that.
func (s *Store) ReleaseRun(ctx context.Context, run, server string) error {
	return s.tx(ctx, "let the run go", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE run SET owner = '', lease = NULL WHERE id = ? AND owner = ?`, run, server)
		return err
	})
}

// Claimable gives the runs for servers that are not over and that none carries, the oldest first: planned, running or paused.
func (s *Store) Claimable(ctx context.Context, now time.Time) ([]string, error) {
	return s.served(ctx, `r.state IN ('planned', 'running', 'paused') AND (r.owner = '' OR r.lease IS NULL OR r.lease <= ?1)`, now)
}

// Late gives the runs that have finished and still ask endpoints that were asleep, the oldest first, whoever carries them.
func (s *Store) Late(ctx context.Context, now time.Time) ([]string, error) {
	return s.served(ctx, `r.state = 'finished' AND r.late_until > ?1`, now)
}

// Expired gives the runs that are over, late endpoints and all, but that Drop has not seen yet.
func (s *Store) Expired(ctx context.Context, now time.Time) ([]string, error) {
	return s.served(ctx, `r.state IN ('finished', 'stopped', 'failed') AND `+isOver, now)
}

func (s *Store) served(ctx context.Context, which string, now time.Time) ([]string, error) {
	var out []string
	err := s.query(ctx, "look for runs to carry", func(rows *sql.Rows) error {
		var id string
		err := rows.Scan(&id)
		out = append(out, id)
		return err
	}, `SELECT r.id FROM run r WHERE r.served = 1 AND r.closed = 0 AND `+which+` ORDER BY r.started_at, r.id`, stampText(now))
	return out, err
}

// SetWish stores what a person wants of a run that a server carries: WishPause, WishResume or WishStop; "" takes a wish back. A
// run that is not there is ErrNoRun, one that is over, or that no server carries, ErrRunOver or ErrNotServed. One that has finished and
// asks late endpoints can be stopped.
func (s *Store) SetWish(ctx context.Context, run, wish string) error {
	switch wish {
	case "", WishPause, WishResume, WishStop:
	default:
		return fmt.Errorf("a wish is %s, %s or %s, not %q", WishPause, WishResume, WishStop, wish)
	}
	return s.tx(ctx, "store the wish", func(tx *sql.Tx) error {
		if err := runThere(ctx, tx, run); err != nil {
			return err
		}
		var over, finished, served bool
		if err := tx.QueryRowContext(ctx, `SELECT `+isOver+`, r.state = 'finished', r.served FROM run r WHERE r.id = ?2`, stampText(s.now()), run).
			Scan(&over, &finished, &served); err != nil {
			return err
		}
		switch {
		case !served:
			return fmt.Errorf("run %s: %w", diag.Escape(run), ErrNotServed)
		case (over && wish != "") || (finished && (wish == WishPause || wish == WishResume)):
			return fmt.Errorf("run %s: %w", diag.Escape(run), ErrRunOver)
		}
		ok, err := changed(tx.ExecContext(ctx, `UPDATE run SET wish = ?1 WHERE id = ?2 AND wish <> ?1`, wish, run))
		if err != nil || !ok || wish == "" {
			return err
		}
		_, err = s.event(ctx, tx, Event{Run: run, Kind: EventWish, Detail: detail("wish", wish)})
		return err
	})
}

// Obeyed takes a wish back that was obeyed. Another one that came meanwhile stays.
func (s *Store) Obeyed(ctx context.Context, run, wish string) error {
	return s.tx(ctx, "take the wish back", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE run SET wish = '' WHERE id = ? AND wish = ?`, run, wish)
		return err
	})
}

// Wish gives what a person wants of a run, or "". A run that is not there is ErrNoRun.
func (s *Store) Wish(ctx context.Context, run string) (wish string, err error) {
	there := false
	err = s.query(ctx, "read the wish", func(rows *sql.Rows) error {
		there = true
		return rows.Scan(&wish)
	}, `SELECT wish FROM run WHERE id = ?`, run)
	if err == nil && !there {
		err = noRun(run)
	}
	return wish, err
}
