package report

import "fmt"

// carriedText says how much of the proof is old: an earlier run's, which the hunt lets stand.
func carriedText(v View) string {
	if v.Run.Carried == 0 {
		return ""
	}
	oldest := ""
	for _, t := range v.Targets {
		if at := Stamp(t.AnsweredAt); t.Carried != "" && at != nil && (oldest == "" || *at < oldest) {
			oldest = *at
		}
	}
	return fmt.Sprintf(" (%d carried from earlier runs, the oldest proof of %s)", v.Run.Carried, oldest)
}
