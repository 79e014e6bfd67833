package osquery

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/diag"
	"github.com/hunter-project/hunter/internal/ledger"
)

// LeastVersion is the oldest osquery that can be asked: older ones have no denylist for queries, and no cgroup_path.
const LeastVersion = "5.5.1"

// What hunter asks a node for itself.
const (
	lookID     = "look"
	labelsID   = "labels"
	labelID    = "label:" // one alone, with its name behind
	looksMaxMB = 50       // the control is a small file
)

// Looks words what a node is asked before any hunt and once a day: whether it has what hunts need, and which labels it has. It
// reads the answers. A label is a query; a node that gives a row has it. What a node says of itself is what it says: a label
// sorts honest machines, and is no proof.
type Looks struct {
	Labels map[string]string // queries by label
}

// Queries words the questions for a node.
func (l Looks) Queries(n ledger.Node) []ledger.Query {
	if !slices.Contains([]string{"linux", "darwin", "windows"}, n.Platform) {
		return nil // no words for it
	}
	out := []ledger.Query{{ID: lookID, Platform: n.Platform, Text: lookText(n.Platform), MaxSize: looksMaxMB << 20}}
	if len(l.Labels) > 0 {
		out = append(out, ledger.Query{ID: labelsID, Platform: n.Platform, Text: l.labelsText(slices.Sorted(maps.Keys(l.Labels))), MaxSize: looksMaxMB << 20})
	}
	return out
}

// lookText touches every table and column that running and files ask for, so that an agent without one of them says so, and
// looks for the control.
func lookText(platform string) string {
	columns := "pid, name, path, cmdline, uid, start_time, parent, state"
	switch platform {
	case "linux":
		columns += ", euid, on_disk, cgroup_path"
	case "darwin":
		columns += ", euid"
	}
	mounts := "(SELECT m.path, m.type FROM mounts m)"
	if platform == "windows" {
		mounts = "(SELECT d.device_id, d.description FROM logical_drives d)"
	}
	root := quote(ControlPath(platform))
	return statement(
		meta(),
		count("first", "''", "0", "count(*)", "(SELECT "+columns+" FROM processes WHERE pid IN (1,4))"),
		count("file", "''", "coalesce(max(size),0)", "count(*)", "(SELECT path, directory, size, mtime, ctime, uid, type, symlink, hard_links FROM file WHERE path = "+root+")"),
		count("user", "''", "0", "count(*)", "(SELECT uid, username FROM users WHERE uid = '0')"),
		count("mounts", "''", "0", "count(*)", mounts),
		control(platform))
}

// labelsText asks for labels, one row for each that the node has. A query's own comment ends with its line.
func (l Looks) labelsText(names []string) string {
	var arms []string
	for _, name := range names {
		arms = append(arms, "SELECT 'label' AS kind, "+quote(name)+" AS name WHERE EXISTS (\n"+l.Labels[name]+"\n)")
	}
	return strings.Join(arms, "\nUNION ALL ")
}

var labelName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)

// CheckLabels refuses labels that could not be asked for, each fault named.
func CheckLabels(labels map[string]string) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		text := strings.TrimSpace(labels[name])
		word, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(text, "\n", " ")), " ")
		switch {
		case !labelName.MatchString(name):
			faults = append(faults, fmt.Errorf("label %q: a name has at most 63 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit", name))
		case word != "select" && word != "with":
			faults = append(faults, fmt.Errorf("label %s: a query that begins with SELECT is due", name))
		case strings.ContainsAny(text, ";\x00"):
			faults = append(faults, fmt.Errorf("label %s: one query without ';' is due", name))
		case len(text) > maxLabelText:
			faults = append(faults, fmt.Errorf("label %s: its query is over %d bytes", name, maxLabelText))
		}
	}
	if len(labels) > maxLabels {
		faults = append(faults, fmt.Errorf("%d labels: at most %d are asked for", len(labels), maxLabels))
	}
	return errors.Join(faults...)
}

// Bounds of labels, and of what an agent says of itself.
const (
	maxLabels    = 16 // asked one by one they must not be more than errands that may wait for a node
	maxLabelText = 4096
	maxSaid      = 300
)

// Read says what an answer to one of these questions tells about its node.
func (l Looks) Read(n ledger.Node, q ledger.Query, d ledger.Delivery) ledger.Look {
	name, alone := strings.CutPrefix(q.ID, labelID)
	switch {
	case q.ID == lookID:
		return readLook(n, d)
	case alone:
		return l.readLabels([]string{name}, false, q, d)
	case q.ID == labelsID:
		return l.readLabels(slices.Sorted(maps.Keys(l.Labels)), true, q, d)
	default:
		return ledger.Look{Note: "an answer to a question that is not known"}
	}
}

func readLook(n ledger.Node, d ledger.Delivery) ledger.Look {
	if d.Status != 0 {
		if f := Failure(d.Message); f.State == ledger.Unsupported {
			return ledger.Look{Able: true, Cannot: "its tables are not those of osquery " + LeastVersion + " or newer: " + said(d.Message)}
		}
		return ledger.Look{Note: "the first look failed: " + said(cmp.Or(d.Message, "no reason was given"))}
	}
	out, controls := ledger.Look{Able: true}, 0
	good := false
	for _, r := range d.Rows {
		switch r["kind"] {
		case "meta":
			out.Version = said(r["name"])
		case "control":
			controls++
			good = ledger.GoodControl(r)
		}
	}
	switch {
	case out.Version == "" || d.Cut != "":
		return ledger.Look{Note: "the first look came without its rows: " + said(cmp.Or(d.Cut, "no meta row"))}
	case TooOld(n.Agent, out.Version) != "":
		out.Cannot = TooOld(n.Agent, out.Version)
	case controls == 0:
		out.Note = "no file " + ControlPath(n.Platform) + ": what it answers will be unverified"
	case !good:
		out.Cannot = "hash gives nothing: " + ControlPath(n.Platform) + " has empty digests"
	}
	return out
}

// readLabels reads which of the labels a node has. Together they fail when one does, such as for a table of another platform;
// then each is asked for alone, and one that fails alone is not the node's.
func (l Looks) readLabels(asked []string, all bool, q ledger.Query, d ledger.Delivery) ledger.Look {
	switch {
	case d.Status != 0 && all && len(asked) > 1:
		var out ledger.Look
		for _, name := range asked {
			again := q
			again.ID, again.Text = labelID+name, l.labelsText([]string{name})
			out.Again = append(out.Again, again)
		}
		return out
	case d.Cut != "":
		return ledger.Look{Note: "labels: the answer was cut short: " + said(d.Cut)}
	case d.Status != 0:
		out := ledger.Look{Note: "label " + strings.Join(asked, ", ") + ": " + said(d.Message)}
		if Failure(d.Message).State == ledger.Unsupported {
			out.Labels, out.Note = map[string]bool{}, ""
			for _, name := range asked {
				out.Labels[name] = false
			}
		}
		return out
	}
	out := ledger.Look{Labels: map[string]bool{}, All: all}
	for _, name := range asked {
		out.Labels[name] = slices.ContainsFunc(d.Rows, func(r ledger.Row) bool { return r["kind"] == "label" && r["name"] == name })
	}
	return out
}

// TooOld says that an agent is older than what can be asked; "" when it is not, or when its version is no number. hunter's own
// agents are all new enough.
func TooOld(agent, version string) string {
	if agent != ledger.AgentOsquery || !olderThan(version, LeastVersion) {
		return ""
	}
	return "osquery " + said(version) + " is older than " + LeastVersion
}

// olderThan compares versions by their numbers, such as 5.5.1 and 5.12.0-3-gabc.
func olderThan(a, b string) bool {
	x, y := numbersOf(a), numbersOf(b)
	return len(x) > 0 && slices.Compare(x, y) < 0
}

func numbersOf(version string) []int {
	version, _, _ = strings.Cut(version, "-")
	var out []int
	for part := range strings.SplitSeq(version, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// said bounds and escapes what an agent says of itself.
func said(text string) string {
	text = diag.Escape(strings.TrimSpace(text))
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "…"
	}
	return text
}
