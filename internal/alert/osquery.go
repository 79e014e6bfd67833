package alert

// knownOsquery knows a line of osquery's result log: a differential, a snapshot, or a batch of changes.
func knownOsquery(doc *node) bool {
	return doc.has("hostidentifier") && doc.has("columns", "snapshot", "diffresults")
}

func readOsquery(t *taker) {
	a, doc := t.alert, t.doc
	a.Source = "osquery"
	a.Rule = doc.textAt("name")
	a.Host = doc.textAt("decorations.hostname", "hostidentifier")
	a.Time = timeOf(doc.textAt("unixtime"))
	if a.Time.IsZero() {
		a.Time = timeOf(doc.textAt("calendartime"))
	}
	const gone = "of a row that went away: no seed"
	note := ""
	if doc.textAt("action") == "removed" {
		note = gone
	}
	t.record(doc.at("columns")).files(note)
	for _, row := range append(doc.items("snapshot"), doc.items("diffresults.added")...) {
		t.record(row).files("")
	}
	for _, row := range doc.items("diffresults.removed") {
		t.record(row).files(gone)
	}
}
