package remote

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

const (
	maxText   = 256  // bytes of anything that a machine says of itself
	maxSecret = 4096 // bytes of an enroll secret
)

// enrolBody is what is taken of the body of an enrolment.
type enrolBody struct {
	secret   []byte
	host     ledger.Host
	longName bool   // the identifier was cut
	version  string // of osquery
	instance string
	hunter   string // version of hunter's own agent
	mask     string // platform_type
	details  map[string]string
}

// hunterAgent tells hunter's own agent, by its user agent or by a member "hunter" of the body, with its version.
func hunterAgent(r *http.Request, b enrolBody) (version string, ok bool) {
	v, ok := strings.CutPrefix(r.UserAgent(), "hunter/")
	if !ok {
		return b.hunter, b.hunter != ""
	}
	v, _, _ = strings.Cut(v, " ")
	return cmp.Or(b.hunter, clean([]byte(v), maxText), "unknown"), true
}

// enrolment reads the body of an enrolment. Its bytes are as they were sent, but for NULs.
func (s *scanner) enrolment() (b enrolBody, err error) {
	if err := s.take('{'); err != nil {
		return b, err
	}
	b.details = map[string]string{}
	for first := true; ; first = false {
		name, ok, err := s.key(nil, first, 32)
		if err != nil {
			return b, err
		}
		if !ok {
			break
		}
		switch string(name) {
		case "enroll_secret":
			b.secret, _, _, err = s.scalar(b.secret[:0], maxSecret)
		case "host_identifier":
			b.host.Identifier, b.longName, err = s.said()
		case "platform_type":
			b.mask, _, err = s.said()
		case "hunter":
			b.hunter, _, err = s.said()
		case "host_details":
			err = s.tables(b.details)
		default:
			err = s.skip()
		}
		if err != nil {
			return b, err
		}
	}
	b.settle()
	return b, nil
}

// said reads one text of a machine about itself.
func (s *scanner) said() (text string, cut bool, err error) {
	raw, cut, _, err := s.scalar(s.tmp[:0], 16*maxText)
	s.tmp = raw[:0]
	text = clean(raw, maxText)
	return text, cut || len(bytes.Trim(bytes.ReplaceAll(raw, []byte{0}, nil), " ")) > maxText, err
}

// clean takes NULs out, which some tables are padded with, and bounds a text.
func clean(raw []byte, most int) string {
	text := strings.Trim(strings.ReplaceAll(string(raw), "\x00", ""), " ")
	return text[:min(len(text), most)]
}

// wanted are the columns that are kept of host_details.
func wanted(column string) bool {
	switch column {
	case "os_version.name", "os_version.version", "os_version.platform", "os_version.platform_like", "os_version.arch",
		"osquery_info.version", "osquery_info.instance_id", "osquery_info.build_platform",
		"system_info.hostname", "system_info.computer_name", "system_info.uuid", "system_info.hardware_serial",
		"system_info.cpu_logical_cores", "system_info.physical_memory", "system_info.cpu_type":
		return true
	}
	return false
}

// tables reads host_details: the first row of each table.
func (s *scanner) tables(into map[string]string) error {
	return s.members(func(table string) error {
		return s.members(func(column string) error {
			name := table + "." + column
			if !wanted(name) {
				return s.skip()
			}
			text, _, err := s.said()
			into[name] = text
			return err
		})
	})
}

// members hands each member of an object to each, which must read its value. What is no object is skipped.
func (s *scanner) members(each func(name string) error) error {
	c, err := s.peek()
	if err != nil {
		return err
	}
	if c != '{' {
		return s.skip()
	}
	s.pos++
	for first := true; ; first = false {
		name, ok, err := s.key(nil, first, 64)
		if err != nil || !ok {
			return err
		}
		if err := each(string(name)); err != nil {
			return err
		}
	}
}

// settle makes a host of what was read.
func (b *enrolBody) settle() {
	d := func(column string) string { return b.details[column] }
	h := &b.host
	h.Hostname = cmp.Or(d("system_info.hostname"), d("system_info.computer_name"), h.Identifier)
	h.Computer, h.UUID, h.Serial = d("system_info.computer_name"), d("system_info.uuid"), d("system_info.hardware_serial")
	h.Platform = platform(b.mask, d("osquery_info.build_platform"), d("os_version.platform"), d("os_version.platform_like"))
	h.OS = strings.TrimSpace(d("os_version.name") + " " + d("os_version.version"))
	h.Arch = cmp.Or(d("os_version.arch"), d("system_info.cpu_type"))
	if n, err := strconv.Atoi(d("system_info.cpu_logical_cores")); err == nil {
		h.CPUs = max(n, 0)
	}
	if n, err := strconv.ParseInt(d("system_info.physical_memory"), 10, 64); err == nil {
		h.Memory = max(n, 0)
	}
	b.version, b.instance = d("osquery_info.version"), d("osquery_info.instance_id")
}

// Bits of platform_type.
const (
	maskWindows = 2
	maskLinux   = 8
	maskMac     = 16
	maskFreeBSD = 32
)

// platform names the system in hunter's words: by the mask, else by the names that the machine gives, the first first.
func platform(mask string, names ...string) string {
	if n, err := strconv.Atoi(mask); err == nil {
		switch {
		case n&maskWindows != 0:
			return "windows"
		case n&maskMac != 0:
			return "darwin"
		case n&maskLinux != 0:
			return "linux"
		case n&maskFreeBSD != 0:
			return "freebsd"
		}
	}
	for _, name := range names {
		switch strings.ToLower(name) {
		case "":
		case "windows", "darwin", "linux", "freebsd":
			return strings.ToLower(name)
		case "debian", "ubuntu", "rhel", "centos", "fedora", "amzn", "arch", "suse", "opensuse", "alpine", "gentoo", "oracle", "rocky", "almalinux":
			return "linux"
		}
	}
	return strings.ToLower(cmp.Or(names...))
}
