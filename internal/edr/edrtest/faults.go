package edrtest

import (
	"slices"

	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// neverNo: in this world nothing may look like a "no", whether the hunted file is there or not, and each endpoint says why.
func (c *check) neverNo(w World) {
	for _, content := range []string{"something else", Hunted} {
		w.Planted = []string{content}
		o := c.hunt(c.ctx, c.make(w), []indicator.File{FileOf(Hunted), sample(1)}, nil)
		c.noNo(o)
		if content == Hunted {
			continue
		}
		for id, cov := range o.coverage {
			if cov.State == ledger.Hit || cov.Reason == "" {
				c.errorf("endpoint %s: %+v, hits %+v", id, cov, o.hits[id])
			}
		}
	}
}

// noNo: no endpoint is absent, not seen or proven.
func (c *check) noNo(o outcome) {
	for id, cov := range o.coverage {
		if cov.State == ledger.Absent || cov.State == ledger.NotSeen || cov.Proven {
			c.errorf("endpoint %s looks like a \"no\": %+v; errors %v", id, cov, o.errs)
		}
	}
}

// cutInventory: a part of the endpoints is no denominator.
func cutInventory(c *check) {
	m := c.make(World{Fault: CutInventory})
	if eps, err := m.Tool.Endpoints(c.ctx); err == nil || len(eps) > 0 {
		c.errorf("%d endpoints of a list that broke off, %v", len(eps), err)
	}
}

// cutAnswer: a hit that came before an answer broke off is a hit, and nothing is proven by it.
func cutAnswer(c *check) {
	m := c.make(World{Planted: []string{Hunted}, Fault: CutAnswer})
	o := c.hunt(c.ctx, m, []indicator.File{FileOf(Hunted), sample(1)}, nil)
	if len(o.hits[m.First]) == 0 || o.coverage[m.First].State != ledger.Hit {
		c.errorf("the hit is lost: %+v, errors %v, %v", o.coverage[m.First], o.err, o.errs)
	}
	c.noNo(o)
	c.neverNo(World{Fault: CutAnswer})
}

// vanished: an endpoint that is gone when its turn comes was not looked at.
func vanished(c *check) {
	m := c.make(World{Planted: []string{Hunted}, Fault: Vanished})
	o := c.hunt(c.ctx, m, []indicator.File{FileOf(Hunted)}, m.Vanish)
	if !slices.ContainsFunc(o.plan.Endpoints, func(ep edr.EndpointPlan) bool { return ep.Endpoint.ID == m.First }) {
		c.errorf("the endpoint was not planned: %v", o.err)
	}
	if cov := o.coverage[m.First]; cov.State == ledger.Absent || cov.State == ledger.NotSeen || cov.State == ledger.Hit || cov.Proven || cov.Reason == "" {
		c.errorf("%+v", cov)
	}
}
