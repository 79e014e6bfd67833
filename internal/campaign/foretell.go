package campaign

import (
	"context"
	"slices"
	"time"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/ledger"
)

// Forecast is what a run will read, as far as that can be counted beforehand. It says nothing about what is proven.
type Forecast struct {
	Cost  edr.Cost                     // of all questions that can be counted
	Each  map[Pair]map[string]edr.Cost // of each, by the id of its query
	Takes time.Duration                // about how long; 0 is not known
}

// Estimate counts what the questions of a plan would read on the endpoints that can tell; ok is false when none can. How
// long that takes is told from how long the walk took just now, and from how fast earlier runs read there.
func (c *Campaign) Estimate(ctx context.Context, p *Prepared) (f Forecast, ok bool) {
	f.Each = map[Pair]map[string]edr.Cost{}
	timed := true
	for _, tp := range p.Plan.Tools {
		i := slices.IndexFunc(c.Tools, func(t edr.Tool) bool { return t.Describe().Name == tp.Tool.Name })
		if i < 0 {
			continue
		}
		estimator, can := c.Tools[i].(edr.Estimator)
		if !can {
			continue
		}
		for _, ep := range tp.Endpoints {
			each, counted, err := c.count(ctx, estimator, ep)
			if err != nil {
				return Forecast{}, false
			}
			if len(each) == 0 {
				continue
			}
			ok = true
			pair := Pair{ep.Endpoint.ID, tp.Tool.Name}
			f.Each[pair] = each
			var sum edr.Cost
			for _, one := range each {
				sum = sum.Plus(one)
			}
			f.Cost = f.Cost.Plus(sum)
			takes, known := c.takes(ctx, pair, p.Spec.Gentle, sum, counted)
			f.Takes, timed = f.Takes+takes, timed && known
		}
	}
	if !timed || f.Cost.Least {
		f.Takes = 0
	}
	return f, ok
}

// count asks for the cost of each files question of an endpoint, and says how long that took. Nothing is none can be counted.
func (c *Campaign) count(ctx context.Context, e edr.Estimator, ep edr.EndpointPlan) (map[string]edr.Cost, time.Duration, error) {
	began := c.Now()
	each := map[string]edr.Cost{}
	for _, q := range ep.Queries {
		cost, known, err := e.Estimate(ctx, ep.Endpoint, []ledger.Query{q})
		if err != nil {
			return nil, 0, err
		}
		if known {
			each[q.ID] = cost
		}
	}
	return each, c.Now().Sub(began), nil
}

// takes says about how long it takes to read so much; known is false when nobody has read there before.
func (c *Campaign) takes(ctx context.Context, pair Pair, gentle bool, cost edr.Cost, counted time.Duration) (d time.Duration, known bool) {
	if cost.Bytes == 0 {
		return counted, true
	}
	speed, err := c.Store.ReadSpeed(context.WithoutCancel(ctx), pair.Endpoint, pair.Tool, gentle)
	if err != nil { // it is about a word to a person
		return 0, false
	}
	if gentle && c.Cap > 0 && (speed == 0 || speed > c.Cap) {
		speed = c.Cap
	}
	if speed == 0 {
		return 0, false
	}
	return counted + time.Duration(float64(cost.Bytes)/float64(speed)*float64(time.Second)), true
}
