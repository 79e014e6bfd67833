//go:build !linux && !windows && !darwin

package agent

// power can not be told there.
func power() Power { return PowerUnknown }
