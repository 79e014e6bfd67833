package host

import "strings"

// Prefixes of Windows paths that are taken literally, and what stands for a network share behind them.
const (
	verbatim    = `\\?\`
	verbatimUNC = `\\?\UNC\`
	ntPrefix    = `\??\`
)

// Long gives the form of a Windows path that has no limit of length and is taken literally: \\?\C:\x. Both separators do.
// It is false for what names no file: a path that is relative, a device, a pipe, an alternate stream, a wildcard.
func Long(path string) (long string, ok bool) {
	if strings.ContainsRune(path, 0) {
		return "", false
	}
	p := path
	if rest, cut := cutPrefix(p, verbatim, ntPrefix); cut {
		if unc, isUNC := cutFold(rest, `UNC\`); isUNC {
			p = `\\` + unc
		} else {
			p = rest
		}
	} else {
		p = strings.ReplaceAll(p, "/", `\`)
	}
	if strings.HasPrefix(p, `\\`) {
		return longUNC(p[2:])
	}
	if !hasDrive(p) || len(p) < 3 || p[2] != '\\' {
		return "", false
	}
	parts, ok := clean(p[3:])
	return verbatim + strings.ToUpper(p[:1]) + `:\` + strings.Join(parts, `\`), ok
}

func longUNC(p string) (string, bool) {
	server, rest, _ := strings.Cut(p, `\`)
	share, rest, _ := strings.Cut(rest, `\`)
	for _, s := range []string{server, share} {
		if s == "" || s == "." || s == ".." || s == "?" || !named(s) {
			return "", false
		}
	}
	switch strings.ToLower(share) {
	case "pipe", "mailslot", "ipc$":
		return "", false
	}
	parts, ok := clean(rest)
	return verbatimUNC + strings.Join(append([]string{server, share}, parts...), `\`), ok
}

// clean takes a path behind its root apart; .. does not lead above the root.
func clean(rest string) (parts []string, ok bool) {
	for part := range strings.SplitSeq(rest, `\`) {
		switch {
		case part == "" || part == ".":
		case part == "..":
			parts = parts[:max(0, len(parts)-1)]
		case !named(part):
			return nil, false
		default:
			parts = append(parts, part)
		}
	}
	return parts, true
}

// named reports whether a part of a path can be the name of a file: no stream, and none of what matches other names.
func named(part string) bool { return !strings.ContainsAny(part, `:*?"<>|/`) }

// Short undoes Long, for showing.
func Short(path string) string {
	if rest, ok := cutFold(path, verbatimUNC); ok {
		return `\\` + rest
	}
	rest, _ := cutPrefix(path, verbatim, ntPrefix)
	return rest
}

// Volume gives the drive or share of a path as Long has it: `C:` or `\\server\share`.
func Volume(path string) string {
	long, ok := Long(path)
	if !ok {
		return ""
	}
	if rest, ok := cutFold(long, verbatimUNC); ok {
		parts := strings.SplitN(rest, `\`, 3)
		return `\\` + parts[0] + `\` + parts[1]
	}
	return long[len(verbatim) : len(verbatim)+2]
}

// OnShare reports whether a path lies on a network share by its name.
func OnShare(path string) bool { return strings.HasPrefix(Volume(path), `\\`) }

func hasDrive(p string) bool {
	return len(p) >= 2 && p[1] == ':' && (p[0] >= 'A' && p[0] <= 'Z' || p[0] >= 'a' && p[0] <= 'z')
}

// cutPrefix removes the first prefix that is there.
func cutPrefix(s string, prefixes ...string) (string, bool) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok {
			return rest, true
		}
	}
	return s, false
}

// cutFold is strings.CutPrefix, with ASCII letters of either case.
func cutFold(s, prefix string) (string, bool) {
	if len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		return s[len(prefix):], true
	}
	return s, false
}
