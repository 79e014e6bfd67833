package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// dropAfter is how often the server must have refused an old answer before it is given up.
const dropAfter = 10

// slowLine is how long an answer may be that the server has no more patience with before it is cut: the line is too slow for it.
const slowLine = 1 << 20

// turn does what is due: it sends what waits, asks for queries, answers them and sends that. It gives how long to wait before
// the next turn; its error says that the server could not be reached or did not take a request.
func (a *Agent) turn(ctx context.Context) (time.Duration, error) {
	if _, err := a.ensure(ctx); err != nil {
		return 0, err
	}
	if !a.asked {
		a.asked = true
		a.configure(ctx)
	}
	if err := a.flush(ctx); err != nil {
		return 0, err
	}
	queries, err := a.state.pending()
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "queries that were handed out before can not be read; the server asks again", slog.String("error", err.Error()))
		if err := a.state.savePending(nil); err != nil {
			return 0, err
		}
	}
	if len(queries) == 0 {
		if why := a.mayNot(); why != "" {
			if !a.onHold {
				a.log.LogAttrs(ctx, slog.LevelWarn, "no query is asked for", slog.String("reason", why))
			}
			a.onHold = true
			return a.interval(), nil
		}
		a.onHold = false
		if queries, err = a.poll(ctx); err != nil {
			return 0, err
		}
	}
	if err := a.work(ctx, queries); err != nil {
		return 0, err
	}
	return a.interval(), nil
}

// mayNot says why no query may be asked for now, "" when one may.
func (a *Agent) mayNot() string {
	if a.held != nil {
		return "the last answer could not be kept and is not sent yet"
	}
	_, bytes, err := a.state.waiting()
	if err != nil {
		return err.Error()
	}
	if bytes >= a.cfg.MaxSpool {
		return fmt.Sprintf("%d MiB of answers wait for the server", bytes>>20)
	}
	if a.cfg.OnBattery == Ignore {
		return ""
	}
	switch a.cfg.Power() {
	case Battery:
		if a.cfg.OnBattery == Wait {
			return "the machine runs on its battery"
		}
	case PowerUnknown:
		if !a.blind {
			a.blind = true
			a.log.LogAttrs(context.Background(), slog.LevelWarn, "whether the machine runs on its battery can not be told here; it is taken to run on mains")
		}
	case Mains:
	}
	return ""
}

// poll asks for queries, and keeps them before they begin.
func (a *Agent) poll(ctx context.Context) ([]query, error) {
	o, err := a.call(ctx, readPath, keyBody, askWithin, maxReply)
	if err != nil {
		return nil, fmt.Errorf("poll: %w", err)
	}
	p, err := parsePoll(o)
	if err != nil {
		return nil, fmt.Errorf("poll: %w", err)
	}
	if p.hurry > 0 {
		a.mu.Lock()
		a.hurry = a.cfg.Now().Add(p.hurry)
		a.mu.Unlock()
	}
	return p.queries, nil
}

// work answers queries one after another and sends each answer. A query is taken off the list of those to come before it
// begins, and put back when the agent is told to end.
func (a *Agent) work(ctx context.Context, queries []query) error {
	var unsent error
	for len(queries) > 0 {
		q := queries[0]
		a.keepPending(ctx, queries[1:])
		if err := a.answer(ctx, q); err != nil {
			a.keepPending(context.WithoutCancel(ctx), queries)
			return err
		}
		queries = queries[1:]
		if unsent = a.flush(ctx); a.held != nil {
			a.keepPending(ctx, queries)
			break
		}
	}
	return unsent
}

// keepPending keeps the queries to come. Those that the disk does not take are lost when the agent dies; the server then asks again.
func (a *Agent) keepPending(ctx context.Context, queries []query) {
	if err := a.state.savePending(queries); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "queries to come could not be kept", slog.String("error", err.Error()))
	}
}

// flush sends all that waits, the oldest first. What is refused stays; its error is that of what could not be sent at all.
func (a *Agent) flush(ctx context.Context) error {
	if a.held != nil {
		if err := a.state.put(a.held); err == nil {
			a.release(ctx, a.held)
		} else if err := a.sendCut(ctx, a.held); err != nil {
			return err
		} else {
			a.release(ctx, a.held)
		}
	}
	files, _, err := a.state.waiting()
	if err != nil {
		return err
	}
	var refused error
	for _, f := range files {
		err := a.deliver(ctx, f.file)
		var no *refusal
		switch {
		case errors.As(err, &no):
			refused = errors.Join(refused, err)
		case err != nil:
			return err
		}
	}
	if refused != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "answers were not taken; they are kept and sent again", slog.String("error", a.redact(refused)))
	}
	return nil
}

// release lets an answer go that was held in memory, with the mark of its query.
func (a *Agent) release(ctx context.Context, held *answer) {
	a.held = nil
	if held.mark == "" {
		return
	}
	if err := a.state.remove(held.mark); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "the mark of a query that has ended stays; it will be called denylisted", slog.String("error", err.Error()))
	}
}

// deliver sends one answer of the spool, and removes it when the server has acknowledged it.
func (a *Agent) deliver(ctx context.Context, file string) error {
	data, err := a.state.read(file)
	if err != nil || data == nil {
		return err
	}
	ans, err := decode(data)
	switch {
	case err != nil && len(ans.Name) == 0:
		a.log.LogAttrs(ctx, slog.LevelError, "a file of the spool is damaged and is removed; the server asks again", slog.String("file", file), slog.String("error", err.Error()))
		return a.state.remove(file)
	case err != nil:
		a.log.LogAttrs(ctx, slog.LevelError, "an answer is damaged on disk; the server is told", slog.String("file", file), slog.String("error", err.Error()))
		ans = failedAnswer(string(ans.Name), "the answer was damaged on the agent's disk", ans.At)
	}
	if err = a.sendCut(ctx, &ans); err == nil {
		delete(a.refused, file)
		return a.state.remove(file)
	}
	if _, refused := errors.AsType[*refusal](err); !refused {
		return err
	}
	a.refused[file]++
	if age := a.cfg.Now().Sub(ans.At); age > a.cfg.MaxAge && a.refused[file] >= dropAfter { // a clock that was set forward is not enough
		delete(a.refused, file)
		a.log.LogAttrs(ctx, slog.LevelError, "an answer that the server refuses is old and is dropped", slog.String("query", string(ans.Name)), slog.Duration("age", age))
		return a.state.remove(file)
	}
	return err
}

// sendCut sends an answer, and sends less of it for as long as the server finds it too large.
func (a *Agent) sendCut(ctx context.Context, ans *answer) error {
	for {
		err := a.send(ctx, ans)
		var no *refusal
		if err == nil || !errors.As(err, &no) {
			return err
		}
		large := no.status == http.StatusRequestEntityTooLarge || no.status == http.StatusRequestTimeout && len(ans.rows) > slowLine
		if !large || !ans.halve() {
			return err
		}
		a.log.LogAttrs(ctx, slog.LevelWarn, "an answer is too large for the server; it is cut", slog.String("query", string(ans.Name)), slog.Int("bytes", len(ans.rows)))
	}
}

// send puts one answer to the server.
func (a *Agent) send(ctx context.Context, ans *answer) error {
	if _, err := a.call(ctx, writePath, ans.body, sendWithin, maxAck); err != nil {
		return fmt.Errorf("send an answer: %w", err)
	}
	a.log.LogAttrs(ctx, slog.LevelInfo, "answered", slog.String("query", string(ans.Name)), slog.Int("status", ans.Status),
		slog.Int("rows", strings.Count(string(ans.rows), "\n")), slog.Int64("took_ms", ans.Wall))
	return nil
}
