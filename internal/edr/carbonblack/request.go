package carbonblack

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

// The addresses that are asked. All are reads.
const (
	processPath   = "/api/v1/process"
	binaryPath    = "/api/v1/binary"
	sensorPath    = "/api/v2/sensor"
	sensorOldPath = "/api/v1/sensor"
	partitionPath = "/api/v1/storage/events/partition"
)

const (
	perSearch  = 50     // digests: a request is an address, and 50 keep it below 4 KB
	perPage    = 100    // records
	perSensors = 500    // sensors
	maxRecords = 10_000 // of one search; more is told
	// controlMark stands in a query's text for the control, which is found out when the search is made.
	controlMark = "{control}"
)

var (
	md5Form    = regexp.MustCompile(`^[0-9a-f]{32}$`)
	sensorForm = regexp.MustCompile(`^[1-9][0-9]{0,18}$`)
)

// request words an address: the parameters in the order given, with every value escaped.
func request(path string, pairs ...string) string {
	var b strings.Builder
	b.WriteString(path)
	for i := 0; i+1 < len(pairs); i += 2 {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(pairs[i] + "=" + strings.ReplaceAll(url.QueryEscape(pairs[i+1]), "+", "%20"))
	}
	return b.String()
}

// processes words a question for records of processes.
func processes(w ledger.Window, q, sort string, rows, start int) string {
	pairs := []string{"cb.urlver", "1"}
	if !w.From.IsZero() {
		pairs = append(pairs, "cb.min_last_update", w.From.UTC().Format(time.RFC3339))
	}
	pairs = append(pairs, "cb.group", "id", "facet", "false", "rows", strconv.Itoa(rows))
	if sort != "" {
		pairs = append(pairs, "sort", sort)
	}
	return request(processPath, append(pairs, "start", strconv.Itoa(start), "q", q)...)
}

// byStart is the order in which records are paged through: when a process began never changes, when it was last heard
// of does, and a record that moves to the front between two pages would be missed.
const byStart = "start asc"

// processSearch words one page of the search for md5s in records of processes.
func processSearch(w ledger.Window, md5s []string, start int) string {
	return processes(w, anyOf(md5s), byStart, perPage, start)
}

// binarySearch words one page of the search for md5s in the store of binaries, which knows no window.
func binarySearch(_ ledger.Window, md5s []string, start int) string {
	return request(binaryPath, "cb.urlver", "1", "facet", "false", "rows", strconv.Itoa(perPage), "start", strconv.Itoa(start), "q", anyOf(md5s))
}

// anyOf words the condition that a record has one of the md5s.
func anyOf(md5s []string) string { return "(md5:" + strings.Join(md5s, " OR md5:") + ")" }

// searchText words a search as it goes out, with a mark in the control's place.
func searchText(word func(ledger.Window, []string, int) string, w ledger.Window, md5s []string) string {
	marked := word(w, append(slices.Clip(md5s), strings.Repeat("f", 32)), 0)
	at := strings.LastIndex(marked, strings.Repeat("f", 32))
	return "GET " + marked[:at] + controlMark + marked[at+32:]
}

// presenceText asks for anything of one sensor in the window.
func presenceText(w ledger.Window, sensor string) string {
	return "GET " + processes(w, "sensor_id:"+sensor, "", 1, 0)
}

// sought leaves out the md5 of zeros: the server writes it for every file that it does not know, so looking for it would
// find them all.
func sought(md5s []string) []string {
	return slices.DeleteFunc(slices.Clone(md5s), func(m string) bool { return strings.Trim(m, "0") == "" })
}

// md5sOf gives the md5s of digests, in their order. Nothing else ever gets into an address.
func md5sOf(hashes []indicator.Indicator) ([]string, error) {
	var out []string
	for _, h := range hashes {
		v := strings.ToLower(h.Value)
		if h.Kind != indicator.MD5 || !md5Form.MatchString(v) {
			return nil, fmt.Errorf("%q is no md5, and Carbon Black EDR is asked by nothing else", h.String())
		}
		out = append(out, v)
	}
	if len(out) == 0 {
		return nil, errors.New("a search for nothing")
	}
	return out, nil
}
