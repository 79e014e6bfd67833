package indicator

import "strings"

// TLP is a Traffic Light Protocol 2.0 label; "" is none.
type TLP string

// The labels of FIRST's TLP 2.0, least restrictive first.
const (
	TLPClear       TLP = "clear"
	TLPGreen       TLP = "green"
	TLPAmber       TLP = "amber"
	TLPAmberStrict TLP = "amber+strict"
	TLPRed         TLP = "red"
)

// TLPs lists the labels, least restrictive first.
func TLPs() []TLP { return []TLP{TLPClear, TLPGreen, TLPAmber, TLPAmberStrict, TLPRed} }

// ParseTLP reads a label in any case, with or without "tlp:"; "white" is "clear". ok is false for anything else.
func ParseTLP(s string) (t TLP, ok bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.TrimPrefix(s, "tlp:")
	if s == "white" {
		return TLPClear, true
	}
	for _, t := range TLPs() {
		if string(t) == s {
			return t, true
		}
	}
	return "", false
}

// Rank orders labels: 0 for none, 1 for clear up to 5 for red.
func (t TLP) Rank() int {
	for i, x := range TLPs() {
		if x == t {
			return i + 1
		}
	}
	return 0
}

// Stricter gives the more restrictive of the two labels.
func Stricter(a, b TLP) TLP {
	if b.Rank() > a.Rank() {
		return b
	}
	return a
}
