package carbonblack

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/edr"
	"github.com/hunter-project/hunter/internal/httpx"
	"github.com/hunter-project/hunter/internal/ledger"
)

var _ edr.Checker = (*Tool)(nil)

// Check asks for one sensor and for the control: an md5 that the server lists is searched for, and must be found.
func (t *Tool) Check(ctx context.Context) []diag.Check {
	out, total := t.reached(ctx)
	if !diag.AllOK(out) {
		return out
	}
	switch {
	case total < 0:
		out = append(out, diag.Unknown("endpoints", "the server does not say how many sensors it has", "hunter plan lists them"))
	case total == 0:
		out = append(out, diag.Unknown("endpoints", "no sensor is listed", "look at what the account may see"))
	default:
		out = append(out, diag.OK("endpoints", fmt.Sprintf("%d sensors", total)))
	}
	w, err := t.Window(ctx)
	if err != nil {
		return append(out, diag.Unknown("control", err.Error(), "try again"))
	}
	return append(out, t.controlCheck(ctx, w))
}

// reached asks for the list of sensors; total is -1 when it is not told.
func (t *Tool) reached(ctx context.Context) (out []diag.Check, total int64) {
	unlock, err := t.lock(ctx)
	if err != nil {
		return []diag.Check{diag.Unknown("reachable", err.Error(), "")}, -1
	}
	defer unlock()
	res, err := t.answered(ctx, request(sensorPath, "start", "0", "rows", "1", "sort.col", "id", "sort.dir", "asc"))
	total = -1
	if errors.Is(err, errNotThere) {
		var list []sensor
		if res, err = t.answered(ctx, sensorOldPath); err == nil {
			if err = decode(res.Body, &list); err == nil {
				total = int64(len(list))
			}
		}
	} else if err == nil {
		var p page[sensor]
		if p, err = decodePage[sensor](res.Body); err == nil && p.Total != "" {
			total = p.Total.number()
		}
	}
	if u, ok := errors.AsType[*unableError](err); ok {
		return []diag.Check{diag.Fail("credentials", u.Error(), "look at token")}, -1
	}
	return httpx.Checks(res, err, t.opt.Now(), "look at token: an API token of a user, as its profile page shows it"), total
}

// controlCheck searches for the control as every search of a hunt does.
func (t *Tool) controlCheck(ctx context.Context, w ledger.Window) diag.Check {
	unlock, err := t.lock(ctx)
	if err != nil {
		return diag.Unknown("control", err.Error(), "")
	}
	defer unlock()
	s := &search{tool: t, window: w, asked: map[string]bool{}, said: map[string]bool{}, explained: map[string]bool{}, foreign: map[string]bool{}}
	err = controlled(ctx, s, processPath, processSearch, false, func(process) {})
	const next = "without it every endpoint is unverified: look at the rights of the token, and whether sensors send records"
	var gaps []string
	for _, r := range s.rows {
		switch r["kind"] {
		case "control":
			if len(gaps) == 0 {
				return diag.OK("control", fmt.Sprintf("md5:%s, which the server lists, is found by a search over %s", r["name"], days(w)))
			}
		case "gap":
			gaps = append(gaps, r["name"])
		}
	}
	switch {
	case err != nil:
		return diag.Fail("control", err.Error(), next)
	case len(gaps) > 0:
		return diag.Unknown("control", strings.Join(gaps, "; "), next)
	}
	return diag.Fail("control", "the server lists a file, and a search for it finds nothing", next)
}

// days words the length of a window.
func days(w ledger.Window) string {
	return fmt.Sprintf("%.0f days", w.To.Sub(w.From).Hours()/24)
}
