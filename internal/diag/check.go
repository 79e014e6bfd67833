package diag

import "slices"

// CheckState says how one thing was found that was looked at before anybody relies on it.
type CheckState string

// The states of a check. What could not be found out is no OK.
const (
	CheckOK      CheckState = "ok"
	CheckFail    CheckState = "fail"
	CheckUnknown CheckState = "unknown"
)

// Check is one thing that was looked at, such as whether a service is reachable. Its texts may hold foreign words: escape
// them for a terminal.
type Check struct {
	What   string     `json:"check"` // reachable, credentials, control, …
	State  CheckState `json:"state"`
	Detail string     `json:"detail"`
	Next   string     `json:"next,omitempty"` // what to do, when it is not OK
}

// OK is a check that found everything well.
func OK(what, detail string) Check { return Check{What: what, State: CheckOK, Detail: detail} }

// Fail is a check that found a fault, with what to do about it.
func Fail(what, detail, next string) Check {
	return Check{What: what, State: CheckFail, Detail: detail, Next: next}
}

// Unknown is a check that could not tell, or tells that something can not be relied on.
func Unknown(what, detail, next string) Check {
	return Check{What: what, State: CheckUnknown, Detail: detail, Next: next}
}

// AllOK reports whether every check is OK; none at all prove nothing.
func AllOK(checks []Check) bool {
	return len(checks) > 0 && !slices.ContainsFunc(checks, func(c Check) bool { return c.State != CheckOK })
}
