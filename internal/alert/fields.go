package alert

import (
	"strconv"
	"strings"
	"time"
)

// describe fills what an alert says about itself, by the names that products use, best first.
func (a *Alert) describe(doc *node) {
	roots := []*node{doc}
	for _, wrapper := range []string{"_source", "fields"} {
		if in := doc.member(wrapper); in != nil && in.object {
			roots = append(roots, in)
		}
	}
	text := func(paths ...string) string {
		for _, p := range paths {
			for _, r := range roots {
				if n := r.get(p); n != nil && n.text != "" {
					return cut(n.text, maxText)
				}
			}
		}
		return ""
	}
	a.ID = text("kibana.alert.uuid", "_id", "signal.id", "event.id", "alert_id", "alert.id", "alertid", "incident_id", "id", "uuid", "event_id")
	a.ID = cut(a.ID, 256)
	a.Rule = text("kibana.alert.rule.name", "signal.rule.name", "rule.name", "rule.description", "rule_name", "alert.signature", "alert_name",
		"alert.name", "watchlist_name", "title", "rule", "name")
	a.Source = text("event.module", "event.dataset", "observer.product", "observer.vendor", "agent.type", "data_stream.dataset", "product", "vendor",
		"source_name", "provider_name", "winlog.provider_name", "source")
	a.Severity = text("kibana.alert.severity", "signal.rule.severity", "event.severity_label", "severity", "rule.level", "alert.severity", "level", "event.severity", "priority")
	a.Host = text("host.name", "host.hostname", "hostname", "computer_name", "winlog.computer_name", "computer", "device.hostname", "device_name",
		"devicename", "agent.name", "endpoint", "host", "agent.hostname")
	a.User = text("user.name", "winlog.event_data.user", "data.win.eventdata.user", "user_name", "username", "account_name", "user")
	a.Time = timeOf(text("@timestamp", "kibana.alert.original_time", "timestamp", "event.created", "created_at", "time", "utctime", "date"))
	for _, r := range roots {
		for _, p := range []string{"kibana.alert.rule.tags", "tags"} {
			if n := r.get(p); n != nil && len(a.Tags) == 0 {
				a.Tags = textsOf(n)
			}
		}
	}
}

// textsOf gives the texts of the array that a value stands in, or the value alone.
func textsOf(n *node) []string {
	if n.up != nil && n.up.array {
		n = n.up
	}
	var out []string
	n.leaves(func(l *node) bool {
		if l.text != "" {
			out = append(out, cut(l.text, maxText))
		}
		return len(out) < 100
	})
	return out
}

// timeOf reads the times that products write: RFC 3339, Sysmon's, syslog's and osquery's, a date, seconds or milliseconds since 1970.
func timeOf(s string) time.Time {
	for _, layout := range []string{
		time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999",
		"Mon Jan _2 15:04:05 2006 MST", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	if seconds, err := strconv.ParseFloat(s, 64); err == nil && strings.Contains(s, ".") && seconds > 0 && seconds < 1e11 {
		return time.UnixMilli(int64(seconds * 1000)).UTC()
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0:
		return time.Time{}
	case n > 1e11:
		return time.UnixMilli(n).UTC()
	default:
		return time.Unix(n, 0).UTC()
	}
}

// container is the object that digests stand in: a JSON object, and the part of dotted keys before the last dot.
type container struct {
	in     *node
	prefix string // "file.hash" of the key "file.hash.md5", else ""
}

// split gives the container of a field and the last part of its name.
func split(field *node) (container, string) {
	i := strings.LastIndexByte(field.key, '.')
	if i <= 0 || i == len(field.key)-1 {
		return container{in: field.up}, field.key
	}
	return container{in: field.up, prefix: field.key[:i]}, field.key[i+1:]
}

// above gives the container around this one, and the name of this one in it.
func (c container) above() (container, string) {
	if i := strings.LastIndexByte(c.prefix, '.'); i >= 0 {
		return container{c.in, c.prefix[:i]}, c.prefix[i+1:]
	}
	if c.prefix != "" {
		return container{in: c.in}, c.prefix
	}
	if c.in == nil || c.in.up == nil {
		return container{}, ""
	}
	field := c.in.field()
	if field.up == nil {
		return container{}, ""
	}
	return split(field)
}

// text gives the first of some members of a container that has a text.
func (c container) text(names ...string) string {
	if c.in == nil {
		return ""
	}
	for _, name := range names {
		if c.prefix != "" {
			name = strings.ToLower(c.prefix) + "." + name
		}
		if m := c.in.member(name); m != nil {
			for m.array && len(m.subs) > 0 {
				m = m.subs[0]
			}
			if m.text != "" {
				return cut(m.text, maxText)
			}
		}
	}
	return ""
}

// parts lists the names around a field in lower case, outermost first, itself last; indexes and wrappers are left out.
func parts(field *node) []string {
	var keys []string
	for at := field; at != nil && at.up != nil; at = at.up {
		if at.pos < 0 {
			keys = append(keys, cut(at.key, 256))
		}
	}
	var out []string
	for i := len(keys) - 1; i >= 0; i-- {
		if len(out) == 0 && (keys[i] == "_source" || keys[i] == "fields") {
			continue
		}
		out = append(out, strings.Split(strings.ToLower(keys[i]), ".")...)
	}
	return out
}

// about takes along what the alert says of a file: the members beside its digests, or beside the object that holds them.
func (f *FileSeen) about(c container) {
	name := func(c container) string {
		return c.text("name", "file_name", "filename", "originalfilename", "original_file_name", "process_name")
	}
	path := func(c container) string {
		return c.text("path", "executable", "file_path", "filepath", "fullpath", "full_path", "image_path", "imageloaded", "targetfilename", "image", "process_path")
	}
	size := func(c container) string {
		return c.text("size", "file_size", "filesize", "size_after", "file_size_bytes")
	}
	around, _ := c.above()
	last := c.prefix
	if last == "" && c.in != nil && c.in.up != nil {
		last = c.in.field().key
	}
	if i := strings.LastIndexByte(last, '.'); i >= 0 {
		last = last[i+1:]
	}
	places := []container{c}
	if l := strings.ToLower(last); strings.Contains(l, "hash") || strings.Contains(l, "digest") || strings.Contains(l, "checksum") {
		places = append(places, around) // file.hash.md5: size and name are those of file
	}
	for _, p := range places {
		if n, err := strconv.ParseInt(size(p), 10, 64); err == nil && n > 0 && n < 1<<50 && f.File.Size == 0 {
			f.File.Size = n
		}
		if f.Path == "" {
			f.Path = path(p)
		}
		if n := name(p); n != "" && len(f.File.Names) == 0 {
			f.File.Names = []string{base(n)}
		}
	}
	if len(f.File.Names) == 0 && f.Path != "" && base(f.Path) != "" {
		f.File.Names = []string{base(f.Path)}
	}
}

// base is the last part of a path of any platform.
func base(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}
