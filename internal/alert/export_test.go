package alert

import "io"

// ReadNamed is Read with the walker switched off: what the readers of formats find by themselves.
func ReadNamed(r io.Reader, name string) ([]*Alert, error) { return readAll(r, name, false) }
