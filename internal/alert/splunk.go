package alert

import "cmp"

// knownSplunk knows what Splunk's webhook action posts, which holds the first row of the search, and exported rows, each an
// object with the row below "result".
func knownSplunk(doc *node) bool {
	return doc.at("result").isObject() && doc.has("sid", "search_name", "results_link", "preview") ||
		doc.at("results").isArray() && doc.has("search_name", "sid", "results_link")
}

func readSplunk(t *taker) {
	a := t.alert
	rows := t.doc.items("result")
	rows = append(rows, t.doc.items("results")...)
	a.Source = "splunk"
	a.ID, a.Rule = t.doc.textAt("sid"), t.doc.textAt("search_name")
	a.Severity = t.doc.textAt("severity", "urgency")
	for _, row := range rows {
		if in := row.at("result"); in.isObject() {
			row = in
		}
		r := t.record(row)
		a.Rule = cmp.Or(a.Rule, r.col("searchname"), r.col("rulename"), r.col("signature"))
		a.ID = cmp.Or(a.ID, r.col("eventid", "alertid"))
		r.host = r.col("desthost", "destnthost", "dest", "dvchost", "dvc", "computername", "computer", "host")
		a.Host = cmp.Or(a.Host, r.host)
		a.User = cmp.Or(a.User, r.col("user", "username", "srcuser"))
		a.Severity = cmp.Or(a.Severity, r.col("severity", "urgency"))
		if a.Time.IsZero() {
			a.Time = timeOf(r.col("time"))
		}
		r.files("")
	}
}
