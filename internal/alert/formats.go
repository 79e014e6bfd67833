package alert

import (
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
)

// reader reads one format. known looks at keys that the format alone has.
type reader struct {
	format string
	known  func(doc *node) bool
	read   func(t *taker)
}

// readers lists the formats that have a reader of their own, in the order in which an alert is tried against them.
func readers() []reader {
	return []reader{
		{FormatSTIX, knownSTIX, readSTIX},
		{FormatMISP, knownMISP, readMISP},
		{FormatOCSF, knownOCSF, readOCSF},
		{FormatGraph, knownGraph, readGraph},
		{FormatSentinel, knownSentinel, readSentinel},
		{FormatSuricata, knownSuricata, readSuricata},
		{FormatWazuh, knownWazuh, readWazuh},
		{FormatOsquery, knownOsquery, readOsquery},
		{FormatTheHive, knownTheHive, readTheHive},
		{FormatSplunk, knownSplunk, readSplunk},
	}
}

// readOne takes one alert out of its JSON: by the first reader that knows it, else by walking. Without walk it holds nothing
// when no reader knows it.
func readOne(doc *node, walk bool) (*Alert, error) {
	body := doc
	if in := doc.member("_source"); in != nil && in.object {
		body = in
	}
	for _, r := range readers() {
		if !r.known(body) {
			continue
		}
		t := &taker{alert: newBook(r.format), doc: body, seen: map[string]bool{}}
		r.read(t)
		t.refuseByName()
		if t.full() {
			return nil, errDigests
		}
		if t.alert.ID == "" && body != doc {
			t.alert.ID = doc.textAt("_id")
		}
		t.alert.ID = cut(t.alert.ID, 256)
		if walk {
			if err := t.others(); err != nil {
				return nil, err
			}
		}
		return t.alert.Alert, nil
	}
	if !walk {
		return &Alert{Format: FormatGeneric}, nil
	}
	w := newWalker()
	w.alert.describe(doc)
	if err := w.walk(doc); err != nil {
		return nil, err
	}
	return w.alert.Alert, nil
}

// refusedField tells whether a field of that path holds what looks like a file hash and is none, and what it is.
func refusedField(names []string) (what string, ok bool) {
	if what, no := indicator.RefusedName(strings.Join(names, ".")); no {
		return what, true
	}
	return "", slices.Contains(names, "code_signature")
}
