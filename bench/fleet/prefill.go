package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// prefill makes a database in which so many hosts have enrolled and so many runs over up to a hundred of them have ended,
// and gives the keys of the first agents. All hosts have answered hunter's own look at them, so that nothing is due. Rows are written as they are: to enrol 100,000 over the wire takes an hour.
func prefill(ctx context.Context, path string, agents, hosts, runs int) (keys []string, err error) {
	store, err := results.Open(ctx, path, results.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	w, _ := store.DB()
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing after a commit
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z07:00")
	for i := range hosts {
		key := fmt.Sprintf("%064x", i)
		if err := node(ctx, tx, i, key, now); err != nil {
			return nil, err
		}
		if i < agents {
			keys = append(keys, key)
		}
	}
	for i := range runs {
		if err := oldRun(ctx, tx, i, min(hosts, 100), now); err != nil {
			return nil, err
		}
	}
	return keys, tx.Commit()
}

func nodeID(i int) string { return fmt.Sprintf("01930000-0000-7000-8000-%012d", i) }

func node(ctx context.Context, tx *sql.Tx, i int, key, now string) error {
	name := fmt.Sprintf("host-%06d", i)
	host, err := json.Marshal(ledger.Host{Identifier: name, Hostname: name, Platform: "linux", OS: "Debian GNU/Linux 12 (bookworm)", Arch: "x86_64"})
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(key))
	_, err = tx.ExecContext(ctx, `INSERT INTO node (id, key_hash, identifier, hostname, platform, host, agent, version, instance, secret, address, approved,
		enrolled_at, last_seen, look_sent, look_at) VALUES (?1, ?2, ?3, ?3, 'linux', ?4, 'osquery', '5.23.0', ?5, 'bench', '127.0.0.1', 1, ?6, ?6, ?6, ?6)`,
		nodeID(i), hash[:], name, string(host), "instance-"+name, now)
	return err
}

// oldRun is a run that has ended, with what it asked and what it handed out.
func oldRun(ctx context.Context, tx *sql.Tx, i, hosts int, now string) error {
	run := fmt.Sprintf("01920000-0000-7000-8000-%012d", i)
	if _, err := tx.ExecContext(ctx, `INSERT INTO run (id, hunt, state, started_at, finished_at, exit_code, definition, pivot_complete, served)
		VALUES (?, 'old', 'finished', ?, ?, 0, '{}', 1, 1)`, run, now, now); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO question (digest, body) VALUES ('old', '{}') ON CONFLICT DO NOTHING`); err != nil {
		return err
	}
	for h := range hosts {
		id := nodeID(h)
		for _, step := range []struct {
			text string
			args []any
		}{
			{`INSERT INTO target (run, endpoint, tool, seq, hostname, mode, platform, scope, hashset, state, proven, reason, answered_at, released_at)
				VALUES (?, ?, 'fleet', ?, ?, 'live', 'linux', '', '', 'absent', 1, '', ?, ?)`, []any{run, id, h, id, now, now}},
			{`INSERT INTO query (run, endpoint, tool, id, seq, question, state, attempts) VALUES (?, ?, 'fleet', '00-running', 0, 'old', 'answered', 1)`, []any{run, id}},
			{`INSERT INTO handout (node, name, run, tool, query, attempt, question, handed_at, answered_at, answers)
				VALUES (?, ?, ?, 'fleet', '00-running', 1, 'old', ?, ?, 1)`, []any{id, "hunter-" + run + "-00-running-a1", run, now, now}},
		} {
			if _, err := tx.ExecContext(ctx, step.text, step.args...); err != nil {
				return err
			}
		}
	}
	return nil
}
