package campaign

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// Receiver takes in what agents of a fleet deliver: judged, and committed with all that follows from it before Deliver
// returns. Two deliveries of one endpoint are taken one after the other. It is safe for concurrent use.
type Receiver struct {
	store Inbox
	opt   ReceiverOptions
	seed  maphash.Seed
	locks [256]sync.Mutex
}

// ReceiverOptions are what a receiver works with.
type ReceiverOptions struct {
	Tools []edr.Posted // those whose endpoints come and ask
	// Named gives one of another name, which a run's hunts file defines; nil knows none. It is asked for what was handed out.
	Named func(name string) edr.Posted
	// Own takes what hunter asked for itself, outside of any run; nil acknowledges and drops it. An error makes the agent
	// deliver again.
	Own func(ctx context.Context, n ledger.Node, p results.PostedQuery, d ledger.Delivery) error
}

// NewReceiver makes a receiver that records in store.
func NewReceiver(store Inbox, opt ReceiverOptions) *Receiver {
	return &Receiver{store: store, opt: opt, seed: maphash.MakeSeed()}
}

// Deliver takes in what a node sent in one write. A nil error says that all of it is committed, or was refused for good and
// counted, so that the agent may let it go. What was taken before an error is known again when it comes anew.
func (r *Receiver) Deliver(ctx context.Context, n ledger.Node, got []ledger.Delivery) error {
	defer r.hold(n.ID)()
	var faults faults
	var strange []string
	for _, d := range got {
		known, err := r.take(ctx, n, d)
		if err != nil {
			faults.add(fmt.Errorf("take in %q of node %s: %w", d.Name, n.ID, err))
		} else if !known {
			strange = append(strange, d.Name)
		}
	}
	if len(strange) > 0 { // at once: an agent that makes names up would else cost a commit each
		faults.add(r.store.Foreign(ctx, n.ID, strange, "it was never asked under that name", got[0].ReceivedAt))
	}
	return faults.join()
}

// hold keeps others from an endpoint until the returned function is called: its coverage goes by all verdicts on it.
func (r *Receiver) hold(endpoint string) (release func()) {
	l := &r.locks[maphash.String(r.seed, endpoint)%uint64(len(r.locks))]
	l.Lock()
	return l.Unlock
}

// take takes one answer in; it is not known when the node was never asked under its name.
func (r *Receiver) take(ctx context.Context, n ledger.Node, d ledger.Delivery) (known bool, err error) {
	p, known, err := r.store.Posted(ctx, n.ID, d.Name)
	switch {
	case err != nil || !known:
		return false, err
	case p.Run == "" && r.opt.Own == nil:
		return true, nil
	case p.Run == "":
		return true, r.opt.Own(ctx, n, p, d)
	}
	tool, err := r.tool(p.Tool)
	if err != nil {
		return true, err
	}
	a := tool.Answer(p.Query, d)
	a.StartedAt, a.FinishedAt, a.Doubt = p.HandedAt, d.ReceivedAt, doubt(n, d.Rows)
	return true, r.record(ctx, p, a, word{at: d.ReceivedAt})
}

func (r *Receiver) tool(name string) (edr.Posted, error) {
	i := slices.IndexFunc(r.opt.Tools, func(t edr.Posted) bool { return t.Describe().Name == name })
	switch {
	case i < 0 && r.opt.Named != nil:
		return r.opt.Named(name), nil
	case i < 0:
		return nil, fmt.Errorf("the tool %s is not among those of this server", name)
	}
	return r.opt.Tools[i], nil
}

// doubt says why an answer may be of another machine than its node, "" when nothing says so.
func doubt(n ledger.Node, rows []ledger.Row) string {
	instance := ledger.InstanceOf(rows)
	switch {
	case strings.HasPrefix(n.Twin, ledger.TwoMachines):
		return n.Twin
	case n.Twin != "":
		return ledger.TwoMachines + ": " + n.Twin
	case instance != "" && n.Instance != "" && instance != n.Instance:
		return ledger.TwoMachines + ": the answer is of another instance of the agent than the one that enrolled"
	}
	return ""
}

// word says how an answer came about.
type word struct {
	at      time.Time
	givenUp bool // it is hunter's own, in place of one that never came
}

// record judges an answer and stores it with all that follows. The endpoint is held.
func (r *Receiver) record(ctx context.Context, p results.PostedQuery, a ledger.Answer, w word) error {
	tool, err := r.tool(p.Tool)
	if err != nil {
		return err
	}
	queries, err := r.store.EndpointQueries(ctx, p.Run, p.Node, p.Tool)
	if err != nil {
		return err
	}
	acc := account{queries: queries}
	i := acc.find(p.ID)
	if i < 0 {
		return r.store.Foreign(ctx, p.Node, []string{p.Name}, "it is not in the run's plan any more", w.at)
	}
	v, err := r.judge(ctx, p, a)
	if err != nil {
		return err
	}
	more, err := acc.more(tool, i, p.Query, v)
	if err != nil { // the agent would send its answer for ever; as it is, it is partial
		v.Notes = append(v.Notes, p.ID+" could not be asked in parts: "+err.Error())
	}
	rec := results.DeliveryRecord{
		AnswerRecord: results.AnswerRecord{
			Run: p.Run, Endpoint: p.Node, Tool: p.Tool, Query: queries[i].Query, Answer: a, Verdict: v, Hunt: p.Hunt, Hostname: p.Hostname, More: more,
		},
		Name: p.Name, At: w.at, GivenUp: w.givenUp,
	}
	if !w.givenUp {
		rec.Denylisted = a.Failure != nil && a.Failure.State == ledger.Denylisted
		switch {
		case rec.Denylisted && queries[i].Attempts > p.Attempt:
			rec.Open = true
		case rec.Denylisted:
			if rec.Repost, err = lighter(tool, p.Query, queries[i], p.Attempt); err != nil {
				rec.Verdict.Notes = append(rec.Verdict.Notes, p.ID+" could not be asked in a lighter form: "+err.Error())
			}
		}
	}
	rec.Coverage = acc.cover(p.ID, rec.Verdict, rec.More, unasked(p.RunState))
	_, err = r.store.RecordDelivery(ctx, rec)
	if errors.Is(err, results.ErrNotPlanned) {
		return r.store.Foreign(ctx, p.Node, []string{p.Name}, "it is not in the run's plan any more", w.at)
	}
	return err
}

// judge says what an answer proves; one that looks again at what had vanished does so together with the first.
func (r *Receiver) judge(ctx context.Context, p results.PostedQuery, a ledger.Answer) (ledger.Verdict, error) {
	if len(p.Query.Recheck) == 0 {
		return ledger.Judge(p.Query, a), nil
	}
	first := p.Query
	first.ID, first.Recheck = firstLook(p.ID), nil
	answers, err := r.store.Answers(ctx, p.Run, p.Node, p.Tool, first.ID)
	if err != nil {
		return ledger.Verdict{}, err
	}
	for _, old := range slices.Backward(answers) {
		if v := ledger.Judge(first, old.Answer); len(v.Recheck) > 0 && slices.Equal(v.Recheck[:min(len(v.Recheck), len(p.Query.Recheck))], p.Query.Recheck) {
			return ledger.Rejudge(first, old.Answer, p.Query, a), nil
		}
	}
	v := ledger.Judge(p.Query, a) // by itself it proves nothing about what the first look saw
	v.Proven = false
	if v.State == ledger.Absent {
		v.State, v.Reason = ledger.Unverified, "the answer that it looks again at is not there"
	}
	return v, nil
}

// unasked says why a query has no answer, as far as the run's state tells.
func unasked(s results.RunState) string {
	switch s {
	case results.RunFinished:
		return "not answered before the run's end"
	case results.RunStopped, results.RunFailed:
		return "the run was stopped"
	default:
		return reasonNotYet
	}
}

// reasonNotYet is what coverage says of queries whose answers may still come.
const reasonNotYet = "not answered yet"

// giveUp records in an endpoint's name that a query will not be answered; an answer that comes all the same still counts.
func (r *Receiver) giveUp(ctx context.Context, run string, o results.OpenPost, f ledger.Failure, at time.Time) error {
	defer r.hold(o.Node)()
	p := results.PostedQuery{
		Node: o.Node, Name: o.Name, Run: run, RunState: results.RunRunning, Tool: o.Tool, Hostname: o.Hostname, ID: o.ID, Query: o.Query,
		Attempt: o.Attempt, HandedAt: o.HandedAt,
	}
	return r.record(ctx, p, failed(o.HandedAt, at, f.State, f.Message), word{at: at, givenUp: true})
}
