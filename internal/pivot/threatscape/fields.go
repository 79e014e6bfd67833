package threatscape

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hunter-project/hunter/internal/indicator"
)

// member is one indicator that a row names.
type member struct {
	ind        indicator.Indicator
	confidence int
	victim     bool // it belongs to who was attacked
	at         time.Time
}

// trust says what a tag is worth. A row without one is worth what its report is about.
func (r row) trust(identifiers ...string) (confidence int, victim bool) {
	for _, name := range identifiers {
		switch strings.ToLower(r.get(name)) {
		case "attacker":
			return 90, false
		case "compromised":
			return 80, false
		case "related":
			return 50, false
		case "victim":
			return 0, true
		}
	}
	if strings.EqualFold(r.get("intelligenceType"), "malware") {
		return 60, false
	}
	return 40, false
}

// members lists what a row names. Of a file it is the strongest digest: the others are its siblings. A row has one group
// of fields as a rule; a field of a group without a tag goes by the row's other tags.
func (r row) members() []member {
	var out []member
	add := func(ind indicator.Indicator, identifiers ...string) {
		confidence, victim := r.trust(identifiers...)
		out = append(out, member{ind: ind, confidence: confidence, victim: victim, at: r.time()})
	}
	parsed := func(kind indicator.Kind, value string, identifiers ...string) {
		if ind, err := indicator.Parse(kind, value); err == nil && !isNone(value) {
			add(ind, identifiers...)
		}
	}
	address := func(field string, identifiers ...string) {
		if ind, ok := addressOf(r.get(field)); ok {
			add(ind, identifiers...)
		}
	}
	file := []string{"fileIdentifier", "networkIdentifier", "emailIdentifier"}
	f, malformed := r.digests()
	for _, ind := range malformed { // refused by name before anything is asked
		add(ind, file...)
	}
	if best := f.Best(); !best.IsZero() {
		add(best, file...)
	}
	for _, name := range r.names() {
		parsed(indicator.Filename, name, file...)
	}
	parsed(indicator.RegistryKey, r.registry(), file...)
	parsed(indicator.UserAgent, r.get("userAgent"), file...)
	network := []string{"networkIdentifier", "fileIdentifier", "emailIdentifier"}
	address("domain", network...)
	address("ip", network...)
	parsed(indicator.URL, r.get("url"), network...)
	email := []string{"emailIdentifier", "networkIdentifier", "fileIdentifier"}
	parsed(indicator.Email, r.get("senderAddress"), email...)
	address("sourceDomain", email...)
	address("sourceIp", email...)
	return out
}

// isNone reports whether a value stands for none.
func isNone(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "unavailable", "unknown", "n/a", "none", "null", "-":
		return true
	}
	return false
}

// digests gives the file object of a row without size and names, and the digests that are none. Fuzzy hashes are no
// indicators.
func (r row) digests() (f indicator.File, malformed []indicator.Indicator) {
	for _, k := range indicator.DigestKinds() {
		value := r.get(string(k))
		if isNone(value) {
			continue
		}
		ind, err := indicator.Parse(k, value)
		if err != nil {
			malformed = append(malformed, indicator.Indicator{Kind: k, Value: value[:min(len(value), indicator.MaxValue)]})
			continue
		}
		f.SetDigest(k, ind.Value)
	}
	return f, malformed
}

// file gives the file object of a row; ok is false when it holds no digest.
func (r row) file() (f indicator.File, ok bool) {
	f, _ = r.digests()
	if f.Best().IsZero() {
		return f, false
	}
	if n, err := strconv.ParseInt(r.get("fileSize"), 10, 64); err == nil && n > 0 {
		f.Size = n
	}
	f.Names = r.names()
	return f, true
}

// names gives the file's names, without folders.
func (r row) names() []string {
	var out []string
	for _, field := range []string{"fileName", "filePath"} {
		if name := lastPart(r.get(field)); !isNone(name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// registry gives the registry key, in one field or in its parts.
func (r row) registry() string {
	if whole := r.get("registry"); whole != "" {
		return whole
	}
	var parts []string
	for _, field := range []string{"registryHive", "registryKey", "registryValue"} {
		if part := strings.Trim(r.get(field), `\`); part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, `\`)
}

// time is when the indicator was observed, else when its report was published.
func (r row) time() time.Time {
	if at := timeOf(r.get("observationTime")); !at.IsZero() {
		return at
	}
	return timeOf(r.get("publishDate"))
}

// timeOf reads seconds of the epoch, or a date as reports write it, which has no zone and is taken for UTC.
func timeOf(text string) time.Time {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		const year9999 = 253402300799
		if n <= 0 || n > year9999 {
			return time.Time{}
		}
		return time.Unix(n, 0).UTC()
	}
	at, err := time.Parse("January 2, 2006 03:04:05 PM", text)
	if err != nil {
		return time.Time{}
	}
	return at
}

// isID reports whether a text can be the id of a report.
func isID(id string) bool {
	const longest = 200
	return id != "" && len(id) <= longest && utf8.ValidString(id) &&
		!strings.ContainsFunc(id, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}
