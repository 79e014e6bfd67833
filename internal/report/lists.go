package report

import (
	"io"
	"strconv"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
	"github.com/hunter-project/hunter/internal/results"
)

// FindingJSON is one finding as --json prints it; the fields are the columns of report_findings.
type FindingJSON struct {
	Finding   int64   `json:"finding"`
	Endpoint  string  `json:"endpoint"`
	Hostname  string  `json:"hostname"`
	Path      string  `json:"path"`
	SHA256    *string `json:"sha256"`
	Matched   string  `json:"matched_value"`
	FirstSeen *string `json:"first_seen"`
	LastSeen  *string `json:"last_seen"`
	Runs      int     `json:"runs"`
	Verdict   string  `json:"verdict"`
	Owner     *string `json:"owner"`
	Note      *string `json:"note"`
}

// FindingOf gives the JSON form of a finding.
func FindingOf(x results.Finding) FindingJSON {
	return FindingJSON{
		Finding: x.ID, Endpoint: x.Endpoint, Hostname: x.Hostname, Path: x.Path, SHA256: optional(x.SHA256), Matched: x.Matched, FirstSeen: Stamp(x.FirstSeen),
		LastSeen: Stamp(x.LastSeen), Runs: x.Runs, Verdict: x.Verdict, Owner: optional(x.Owner), Note: optional(x.Note),
	}
}

// FindingsCSV writes findings as CSV with the columns of report_findings.
func FindingsCSV(w io.Writer, found []results.Finding) error {
	rows := make([][]string, len(found))
	for i, x := range found {
		j := FindingOf(x)
		rows[i] = []string{
			strconv.FormatInt(j.Finding, 10), j.Endpoint, j.Hostname, j.Path, text(j.SHA256), j.Matched, text(j.FirstSeen), text(j.LastSeen),
			strconv.Itoa(j.Runs), j.Verdict, text(j.Owner), text(j.Note),
		}
	}
	return WriteCSV(w, []string{
		"finding", "endpoint", "hostname", "path", "sha256", "matched_value", "first_seen", "last_seen", "runs", "verdict", "owner", "note",
	}, rows)
}

// HostJSON is one (endpoint, tool) of a run as --json prints it; the fields are the columns of report_coverage. A node that no run
// ever asked has the run, tool and state "".
type HostJSON struct {
	Run         string  `json:"run"`
	Endpoint    string  `json:"endpoint"`
	Hostname    string  `json:"hostname"`
	Tool        string  `json:"tool"`
	Mode        string  `json:"mode"`
	Platform    string  `json:"platform"`
	State       string  `json:"state"`
	Proven      bool    `json:"proven"`
	Reason      *string `json:"reason"`
	Scope       string  `json:"scope"`
	Hashset     string  `json:"hashset"`
	FilesSeen   int64   `json:"files_seen"`
	FilesHashed int64   `json:"files_hashed"`
	BytesHashed int64   `json:"bytes_hashed"`
	FilesUnread int64   `json:"files_unread"`
	WindowFrom  *string `json:"window_from"`
	WindowTo    *string `json:"window_to"`
	AnsweredAt  *string `json:"answered_at"`

	Node *NodeJSON `json:"node"` // the agent that enrolled for the endpoint; null when none did
}

// HostOf gives the JSON form of an (endpoint, tool) of a run.
func HostOf(h results.HostRow) HostJSON {
	c := h.Coverage
	return HostJSON{
		Run: h.Run, Endpoint: h.Endpoint, Hostname: diag.Escape(h.Hostname), Tool: h.Tool, Mode: string(h.Mode), Platform: diag.Escape(h.Platform), State: string(c.State),
		Proven: c.Proven, Reason: optional(c.Reason), Scope: diag.Escape(h.Scope), Hashset: h.Hashset, FilesSeen: c.Counts.FilesSeen,
		FilesHashed: c.Counts.FilesHashed, BytesHashed: c.Counts.BytesHashed, FilesUnread: c.Counts.FilesUnread, WindowFrom: Stamp(h.WindowFrom),
		WindowTo: Stamp(h.WindowTo), AnsweredAt: Stamp(h.AnsweredAt), Node: nodeOf(h.Node),
	}
}

// HostsCSV writes (endpoint, tool) pairs as CSV with the columns of report_coverage, and those of nodes behind them.
func HostsCSV(w io.Writer, hosts []results.HostRow) error {
	rows := make([][]string, len(hosts))
	for i, h := range hosts {
		j := HostOf(h)
		rows[i] = append([]string{
			j.Run, j.Endpoint, j.Hostname, j.Tool, j.Mode, j.Platform, j.State, strconv.FormatBool(j.Proven), text(j.Reason), j.Scope, j.Hashset,
			strconv.FormatInt(j.FilesSeen, 10), strconv.FormatInt(j.FilesHashed, 10), strconv.FormatInt(j.BytesHashed, 10),
			strconv.FormatInt(j.FilesUnread, 10), text(j.WindowFrom), text(j.WindowTo), text(j.AnsweredAt),
		}, nodeCells(j.Node)...)
	}
	return WriteCSV(w, append([]string{
		"run", "endpoint", "hostname", "tool", "mode", "platform", "state", "proven", "reason", "scope", "hashset", "files_seen", "files_hashed",
		"bytes_hashed", "files_unread", "window_from", "window_to", "answered_at",
	}, nodeColumns()...), rows)
}

// countedStates are the states that report_runs counts live pairs by, in the order of its columns.
func countedStates() []ledger.State {
	return []ledger.State{
		ledger.Hit, ledger.Absent, ledger.Partial, ledger.Unverified, ledger.Error, ledger.Denylisted, ledger.Unsupported, ledger.Timeout,
		ledger.Unasked, ledger.Asleep, ledger.Excluded,
	}
}

// RunsCSV writes runs as CSV with the columns of report_runs.
func RunsCSV(w io.Writer, runs []results.RunSummary) error {
	header := []string{"run", "hunt", "state", "started_at", "finished_at", "exit_code", "pivot_complete", "hunted", "refused", "narrowed", "unaskable", "endpoints"}
	for _, s := range countedStates() {
		header = append(header, string(s))
	}
	header = append(header, "not_seen", "proven", "verified_ratio", "title", "tlp", "case_id", "scope")
	rows := make([][]string, len(runs))
	for i, r := range runs {
		exit := ""
		if r.ExitCode != nil {
			exit = strconv.Itoa(*r.ExitCode)
		}
		row := []string{r.ID, r.Hunt, string(r.State), text(Stamp(r.StartedAt)), text(Stamp(r.FinishedAt)), exit, strconv.FormatBool(r.PivotComplete)}
		for _, n := range []int{r.Hunted, r.Refused, r.Narrowed, r.Unaskable, r.Endpoints} {
			row = append(row, strconv.Itoa(n))
		}
		for _, s := range countedStates() {
			row = append(row, strconv.Itoa(r.States[s]))
		}
		rows[i] = append(row, strconv.Itoa(r.NotSeen), strconv.Itoa(r.Proven), strconv.FormatFloat(r.VerifiedRatio, 'f', -1, 64),
			diag.Escape(r.Title), string(r.TLP), diag.Escape(r.Case), diag.Escape(r.Scope))
	}
	return WriteCSV(w, header, rows)
}
