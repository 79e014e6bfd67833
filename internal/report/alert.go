package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/alert"
	"github.com/hunter-project/hunter/internal/diag"
)

// AlertLines say for people what was taken from alerts: format, rule and host, and each file with the field that it was in;
// more counts alerts that are not listed. They are safe for any terminal.
func AlertLines(alerts []alert.Taken, more int) []string {
	var out []string
	for _, a := range alerts {
		head := []string{"format " + a.Format}
		if !a.Time.IsZero() {
			head = append(head, a.Time.Format(time.RFC3339))
		}
		for _, x := range []struct{ name, text string }{{"rule", a.Rule}, {"severity", a.Severity}, {"host", a.Host}, {"user", a.User}, {"from", a.Source}} {
			if x.text != "" {
				head = append(head, x.name+" "+diag.Escape(x.text))
			}
		}
		out = append(out, "alert     "+diag.Escape(a.ID)+": "+strings.Join(head, ", "))
		for _, f := range a.Files {
			out = append(out, takenLine(f, a.Host))
		}
		if a.More > 0 {
			out = append(out, fmt.Sprintf("          and %s", count(a.More, "more file", "more files")))
		}
	}
	if more > 0 {
		out = append(out, "alert     and "+count(more, "more alert", "more alerts"))
	}
	return out
}

func takenLine(f alert.TakenFile, host string) string {
	line := "taken     "
	if !f.Seed {
		line = "not taken "
	}
	line += diag.Escape(f.Field) + ": " + fileText(f.File)
	switch {
	case f.Path != "":
		line += "  " + diag.Escape(f.Path)
	case len(f.Names) > 0:
		line += "  " + diag.Escape(strings.Join(f.Names, ", "))
	}
	if f.Host != host && f.Host != "" {
		line += "  on " + diag.Escape(f.Host)
	}
	if f.Note != "" {
		line += "  (" + diag.Escape(f.Note) + ")"
	}
	return line
}
