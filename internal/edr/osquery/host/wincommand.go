package host

import "strings"

// maxWords bounds what a command line is taken apart into; Windows itself allows 32,767 characters.
const maxWords = 1024

// Expand replaces %NAME% by what value gives for the name; what it does not know stays, as in Windows.
func Expand(s string, value func(name string) (string, bool)) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "%")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		name, after, ok := strings.Cut(rest, "%")
		if !ok {
			b.WriteString("%" + rest)
			return b.String()
		}
		if v, known := value(name); known && name != "" {
			b.WriteString(v)
			s = after
			continue
		}
		b.WriteString("%" + name)
		s = "%" + after
	}
}

// Image gives the Win32 form of a path as services and drivers hold it: \SystemRoot\x, System32\x and \??\C:\x stand for files
// under the folder of Windows, or for themselves. value gives environment variables.
func Image(path, windows string, value func(name string) (string, bool)) string {
	path = Expand(path, value)
	if rest, ok := cutPrefix(path, ntPrefix, verbatim); ok {
		return rest
	}
	if rest, ok := cutFold(path, `\SystemRoot\`); ok {
		return windows + `\` + rest
	}
	for _, relative := range []string{`System32\`, `SysWOW64\`, `\System32\`, `\SysWOW64\`} {
		if _, ok := cutFold(path, relative); ok {
			return windows + `\` + strings.TrimPrefix(path, `\`)
		}
	}
	return path
}

// Program guesses which file a command line starts, and with which arguments, as osquery does: the whole text if there is such a
// file, else the first word, else the longest run of words that is a file. What names no file comes back whole.
func Program(command string, exists func(path string) bool) (path, args string) {
	command = strings.TrimSpace(command)
	if command == "" || exists(command) {
		return command, ""
	}
	words := Words(command)
	if len(words) == 1 || exists(words[0]) {
		return words[0], strings.Join(words[1:], " ")
	}
	if command[0] == '"' {
		return words[0], strings.Join(words[1:], " ")
	}
	for n := min(len(words), 32); n > 1; n-- {
		if p := strings.Join(words[:n], " "); exists(p) {
			return p, strings.Join(words[n:], " ")
		}
	}
	return command, ""
}

// Words takes a command line apart at its blanks; quotes hold words together and are dropped.
func Words(command string) []string {
	var out []string
	var word strings.Builder
	quoted, begun := false, false
	flush := func() {
		if begun {
			out = append(out, word.String())
		}
		word.Reset()
		begun = false
	}
	for i := 0; i < len(command) && len(out) < maxWords; i++ {
		switch c := command[i]; {
		case c == '"':
			quoted, begun = !quoted, true
		case !quoted && (c == ' ' || c == '\t'):
			flush()
		default:
			word.WriteByte(c)
			begun = true
		}
	}
	flush()
	if len(out) == 0 {
		return []string{""}
	}
	return out
}
