package alert

import "io"

// ReadNamed is Read with the walker switched off: what the readers of formats find by themselves.
func ReadNamed(r io.Reader, name string) ([]*Alert, error) { return readAll(r, name, false) }

// KnownBy names the readers that know each alert of a text.
func KnownBy(text []byte) ([][]string, error) {
	docs, err := parse(text)
	if err != nil {
		return nil, err
	}
	var out [][]string
	for _, doc := range unwrap(docs) {
		var names []string
		for _, r := range readers() {
			if r.known(doc) {
				names = append(names, r.format)
			}
		}
		out = append(out, names)
	}
	return out, nil
}

// ReaderFormats names the formats in the order in which they are tried.
func ReaderFormats() []string {
	var out []string
	for _, r := range readers() {
		out = append(out, r.format)
	}
	return out
}
