package agent

// Power says what a machine runs on.
type Power int

// What a machine may run on.
const (
	PowerUnknown Power = iota
	Mains
	Battery
)
