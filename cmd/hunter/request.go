package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/hunter-project/hunter/hunts"
	"github.com/hunter-project/hunter/internal/app"
	"github.com/hunter-project/hunter/internal/campaign"
	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/results"
)

// requester asks the server on the database for runs.
type requester struct {
	*app.Requester
	set *hunts.Set
}

func (g *globals) requester(s *results.Store, set *hunts.Set) (*requester, error) {
	path, err := g.dbPath()
	if err != nil {
		return nil, err
	}
	r, err := app.NewRequester(s, path, time.Now)
	if err != nil {
		return nil, err
	}
	return &requester{Requester: r, set: set}, nil
}

// requesting has the server on the database carry runs, and waits for them. The database is only written to, never made or changed.
func (g *globals) requesting(ctx context.Context, set *hunts.Set, specs []campaign.Spec, ask *askFlags, failOn string) error {
	return g.writing(ctx, func(ctx context.Context, s *results.Store) error {
		r, err := g.requester(s, set)
		if err != nil {
			return err
		}
		return g.each(ctx, specs, failOn, func(ctx context.Context, spec campaign.Spec) (int, error) { return g.request(ctx, r, ask, spec) })
	})
}

// writing opens the store for commands that only ask something of a server.
func (g *globals) writing(ctx context.Context, work func(ctx context.Context, s *results.Store) error) (err error) {
	path, err := g.dbPath()
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w, and none ever was; start `hunter serve --db %s …`", path, app.ErrNoServer, path)
	}
	s, err := results.Open(ctx, path, results.Options{NoMigrate: true})
	if errors.Is(err, results.ErrOlder) {
		return fmt.Errorf("%w (%w)", app.ErrNoServer, err)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return work(ctx, s)
}

// request has the server carry one run, and waits for its end, for --wait or for Ctrl-C: it goes on there.
func (g *globals) request(ctx context.Context, r *requester, ask *askFlags, spec campaign.Spec) (int, error) {
	if err := r.check(spec); err != nil {
		return campaign.ExitError, err
	}
	if err := r.Live(ctx); err != nil {
		return campaign.ExitError, err
	}
	if ask.before != nil {
		if err := ask.before(ctx, r.Store, spec); err != nil {
			return campaign.ExitError, err
		}
	}
	if ok, err := g.confirm(ctx, r, ask, spec); err != nil || !ok {
		return campaign.ExitError, errors.Join(err, errors.New("nothing is asked"))
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	id, err := r.Request(ctx, spec)
	if err != nil {
		return campaign.ExitError, err
	}
	if ask.detach {
		return g.detachedAt(ctx, r, id)
	}
	g.hint("run %s is requested", id)
	wait, cancel := ask.waiting(ctx)
	defer cancel()
	return g.awaited(ctx, wait, r, ask, id)
}

// check refuses what a server could not carry, before anything is stored. Every fault is told at once.
func (r *requester) check(spec campaign.Spec) error {
	var faults []error
	names := app.ToolNames(r.set)
	for _, t := range spec.Tools {
		if slices.Contains(names, t) {
			continue
		}
		hint := "; there is " + strings.Join(names, ", ")
		if near := diag.Nearest(t, names); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		faults = append(faults, fmt.Errorf("no tool named %q%s", t, hint))
	}
	if slices.Contains(spec.HuntsFiles, "-") {
		faults = append(faults, errors.New("the server carries this run and can not read your standard input; give the hunts as a file"))
	}
	return errors.Join(faults...)
}

// confirm asks back on a terminal: a fleet is many machines of other people.
func (g *globals) confirm(ctx context.Context, r *requester, ask *askFlags, spec campaign.Spec) (bool, error) {
	in, ok := g.in.(*os.File)
	if ask.yes || !ok || !term.IsTerminal(int(in.Fd())) || !isTerminal(g.err) {
		return true, nil
	}
	n, err := r.Store.Enrolled(ctx)
	if err != nil {
		return false, err
	}
	who := count(n, "enrolled machine")
	if spec.Select.Narrows() || len(spec.Select.Exclude) > 0 {
		who = "those of " + who + " that are selected"
	}
	fmt.Fprintf(g.err, "hunt %s asks %s of %s. Go on? [y/N] ", diag.Escape(spec.Hunt), who, strings.Join(spec.Fleets, ", ")) // a question
	line, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && line == "" {
		return false, nil
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", nil
}

// detachedAt tells the id of a run that nobody waits for.
func (g *globals) detachedAt(ctx context.Context, r *requester, id string) (int, error) {
	sum, err := r.Store.Run(ctx, id)
	if err != nil {
		return campaign.ExitError, err
	}
	g.hint("the server goes on with it: hunter runs watch %s", id)
	if g.json {
		return g.outcome(ctx, r.Store, campaign.Outcome{Run: id, Summary: sum, ExitCode: campaign.ExitUnproven, Detached: true}, nil)
	}
	_, err = fmt.Fprintln(g.out, id)
	return campaign.ExitUnproven, err
}

// awaited waits for the end of a run at most as long as wait, and shows it.
func (g *globals) awaited(ctx, wait context.Context, r *requester, ask *askFlags, id string) (int, error) {
	bar := newWatchBar(g)
	gone := false
	sum, err := follow(wait, r.Store, id, func(p point) {
		bar.show(p)
		if live := r.Live(wait); errors.Is(live, app.ErrNoServer) != gone {
			if gone = !gone; gone {
				bar.clear()
				g.hint("%s; the run goes on when it is started again", live)
			}
		}
	})
	bar.clear()
	if wait.Err() != nil { // the waiting is over; where the run stands is still to be told
		reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), readingTime)
		defer cancel()
		_, err = r.Store.Doze(reading, id, time.Now()) // who has not come until now is told as asleep
		if err == nil {
			sum, err = r.Store.Run(reading, id)
		}
	}
	if err != nil {
		return campaign.ExitError, err
	}
	out := campaign.Outcome{Run: id, Summary: sum, ExitCode: campaign.ExitUnproven, Detached: !sum.State.Over()}
	switch {
	case out.Detached:
		if sum.HitsTotal > 0 {
			out.ExitCode = campaign.ExitHits
		}
		g.hint("run %s goes on at the server: hunter runs watch %s", id, id)
	case sum.State == results.RunFailed:
		out.ExitCode = campaign.ExitError
		return g.ended(ctx, r.Store, ask, sum.Hunt, out, errors.New(sum.Error))
	case sum.ExitCode != nil:
		out.ExitCode = *sum.ExitCode
	}
	if sum.Endpoints == 0 && sum.State.Over() {
		g.nobody(ctx, r)
	}
	if sum.State == results.RunStopped {
		g.hint("run %s was stopped: %s", id, strings.TrimPrefix(strings.TrimPrefix(sum.Error, "stopped: "), "stopped "))
	}
	return g.ended(ctx, r.Store, ask, sum.Hunt, out, nil)
}

// nobody says why a run on a fleet had no endpoint: nobody enrolled, or nobody was meant.
func (g *globals) nobody(ctx context.Context, r *requester) {
	switch n, err := r.Store.Enrolled(ctx); {
	case err != nil: // it is a word to a person
	case n == 0:
		g.hint("no machine has enrolled with hunter serve: hunter enroll-kit writes what they need")
	default:
		g.hint("%s enrolled, and none is what --host, --label, --platform or the hunt's targets name; hunter hosts lists them", count(n, "machine"))
	}
}

// unasked says after a run that a fleet is there and was not asked.
func (g *globals) unasked(ctx context.Context, s *results.Store, spec campaign.Spec) {
	if spec.Tools != nil || g.quiet || ctx.Err() != nil {
		return
	}
	if n, err := s.Enrolled(ctx); err == nil && n > 0 {
		g.hint("%s enrolled with hunter serve and not asked; --tool %s asks them", count(n, "machine"), app.Fleet)
	}
}
