package httpx

import (
	"errors"
	"fmt"
	"time"

	"github.com/hunter-project/hunter/internal/diag"
)

// maxSkew is how far clocks may be apart. Signatures and windows of days hold the time.
const maxSkew = 30 * time.Second

// Checks words what one question says of a service: whether it is reachable, takes the credentials, and has the same
// time. res is its answer, and err its error when there is none. next says what to look at when credentials are refused.
func Checks(res *Response, err error, now time.Time, next string) []diag.Check {
	if err == nil {
		return append([]diag.Check{diag.OK("reachable", "it answers"), diag.OK("credentials", "they are taken")}, clock(res, now)...)
	}
	there := diag.OK("reachable", "it answers")
	var out []diag.Check
	switch {
	case errors.Is(err, ErrAuth):
		out = []diag.Check{there, diag.Fail("credentials", err.Error(), next)}
	case errors.Is(err, ErrForbidden):
		out = []diag.Check{there, diag.Fail("credentials", err.Error(), "ask whoever gave the account for the right, or wait until the quota begins anew")}
	case errors.Is(err, ErrQuota):
		out = []diag.Check{there, diag.Fail("quota", err.Error(), "wait until the quota begins anew, or ask for a larger one")}
	case errors.Is(err, ErrRefused), errors.Is(err, ErrShape), errors.Is(err, ErrRedirect), errors.Is(err, ErrTooLarge):
		out = []diag.Check{diag.Fail("reachable", err.Error(), "look at url: something else may answer there, such as a proxy")}
	default:
		out = []diag.Check{
			diag.Fail("reachable", err.Error(), "look at url, the network, the name service and a proxy (HTTPS_PROXY)"),
			diag.Unknown("credentials", "nobody was there to take them", ""),
		}
	}
	if e, ok := errors.AsType[*Error](err); ok {
		out = append(out, clock(e.Answer(), now)...)
	}
	return out
}

// clock compares this machine's clock with the time that a service states; nothing when it states none.
func clock(res *Response, now time.Time) []diag.Check {
	switch {
	case res == nil || res.Date.IsZero():
		return nil
	case Skew(now, res.Date) == "":
		return []diag.Check{diag.OK("clock", fmt.Sprintf("within %s of the service's", maxSkew))}
	}
	return []diag.Check{diag.Fail("clock", Skew(now, res.Date), "set this machine's clock, best by NTP")}
}

// Skew says how far this machine's clock is from a server's, "" when that is no trouble or theirs is not known.
func Skew(ours, theirs time.Time) string {
	d := ours.Sub(theirs).Round(time.Second)
	if theirs.IsZero() || d.Abs() < maxSkew {
		return ""
	}
	way := "ahead of"
	if d < 0 {
		way = "behind"
	}
	return "this machine's clock is " + d.Abs().String() + " " + way + " the server's"
}
