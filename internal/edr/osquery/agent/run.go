package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/hunter-project/hunter/internal/edr/osquery/embedded"
)

// recover looks after what an earlier life of the agent left: a query in which it died is told as denylisted.
func (a *Agent) recover() {
	ctx := context.Background()
	fault := func(err error) {
		a.log.LogAttrs(ctx, slog.LevelError, "what an earlier run left could not be looked after", slog.String("error", err.Error()))
	}
	marks, err := a.state.list(marksDir)
	if err != nil {
		fault(err)
	}
	for _, e := range marks {
		if err := a.bury(ctx, marksDir+"/"+e.Name()); err != nil {
			fault(err)
		}
	}
}

// bury tells the server of a query in which the agent died, once. A query whose answer was kept had ended.
func (a *Agent) bury(ctx context.Context, file string) error {
	now := a.cfg.Now()
	holds, err := a.state.holds(file, now)
	if err != nil || !holds {
		return err
	}
	var m mark
	if _, err := a.state.load(file, &m); err != nil {
		return err
	}
	if m.Told || m.Name == "" {
		return nil
	}
	kept, err := a.state.read(fileOf([]byte(m.Name)))
	if err != nil {
		return err
	}
	if kept != nil { // by this life or the one before
		if ans, err := decode(kept); err == nil && ans.Ran {
			return a.state.remove(file)
		}
		m.Told = true
		return a.state.save(file, m)
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "the agent died in a query; it will not be run again for a day", slog.String("query", m.Name))
	ans := denylistedAnswer(m.Name, now)
	if err := a.state.put(&ans); err != nil {
		return err
	}
	m.Told = true
	return a.state.save(file, m)
}

// answer runs one query and keeps what it brought. Its error is ctx's end: the query was left in order, and has no answer.
func (a *Agent) answer(ctx context.Context, q query) error {
	denied, err := a.state.denied(q.Text, a.cfg.Now())
	name := markOf(q.Text)
	var ans answer
	switch {
	case err != nil:
		ans, name = failedAnswer(q.Name, "the agent's state folder: "+err.Error(), a.cfg.Now()), ""
	case denied:
		ans, name = denylistedAnswer(q.Name, a.cfg.Now()), ""
	default:
		if err := a.state.save(name, mark{Name: q.Name, Started: a.cfg.Now()}); err != nil {
			a.log.LogAttrs(ctx, slog.LevelError, "a query was not run: its mark could not be kept", slog.String("error", err.Error()))
			ans = failedAnswer(q.Name, "the agent's state folder: "+err.Error(), a.cfg.Now())
			break
		}
		ans, err = a.ask(ctx, q)
		if err != nil { // told to end
			return errors.Join(err, a.state.remove(name))
		}
	}
	ans.mark = name
	if err := a.state.put(&ans); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "an answer could not be kept on disk; it is held in memory until it is sent", slog.String("error", err.Error()))
		a.held = &ans
		return nil
	}
	a.release(ctx, &ans)
	return nil
}

// ask runs one query under its limits. Its error is ctx's end alone.
func (a *Agent) ask(ctx context.Context, q query) (answer, error) {
	if err := a.open(max(q.MaxSize, embedded.DefaultReadMax)); err != nil {
		return failedAnswer(q.Name, err.Error(), a.cfg.Now()), nil
	}
	a.pace.begin()
	began := a.cfg.Now()
	res, err := a.bounded(ctx, string(q.Text))
	if err != nil && ctx.Err() != nil {
		return answer{}, ctx.Err()
	}
	ans := answer{Name: []byte(q.Name), At: a.cfg.Now(), Ran: true, Wall: max(a.cfg.Now().Sub(began).Milliseconds(), 0)}
	if err != nil {
		ans.Status, ans.Message = 1, []byte(strings.TrimPrefix(err.Error(), "query: "))
	}
	if res == nil {
		return ans, nil
	}
	cut := ""
	if err != nil {
		cut = string(ans.Message)
	}
	for i, row := range res.Rows {
		if int64(len(ans.rows)) > 2*a.cfg.MaxAnswer { // escapes may make six bytes of one
			cut = fmt.Sprintf("answer too large: cut after %d of %d rows", i, len(res.Rows))
			ans.Status, ans.Message = 1, []byte(cut)
			break
		}
		ans.rows = append(appendRow(ans.rows, res.Columns, row), '\n')
	}
	ans.Beside = appendBeside(nil, res.Unread, res.UnreadTotal, res.Remembered, cut)
	return ans, nil
}

// bounded runs a text for as long as it may take, and as long as it keeps to its share of the processor.
func (a *Agent) bounded(ctx context.Context, text string) (*embedded.Result, error) {
	late := fmt.Errorf("the query was ended: it took longer than %s", a.cfg.QueryTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.QueryTimeout, late)
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() { a.pace.watch(ctx, a.cfg.Overdraft, end) })
	defer watcher.Wait()
	defer end(nil)
	res, err := a.engine.Query(ctx, text)
	if err != nil && ctx.Err() != nil && res == nil {
		return nil, context.Cause(ctx)
	}
	return res, err
}
