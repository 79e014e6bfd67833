package host

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// MaxShortcut is the biggest shortcut that is read; the shell writes some KiB.
const MaxShortcut = 1 << 20

// Shortcut is what a .lnk file says (MS-SHLLINK).
type Shortcut struct {
	Target, Arguments, Folder, Comment, Run string
}

// Bits of the header's LinkFlags.
const (
	linkIDList       = 1 << 0
	linkInfo         = 1 << 1
	linkName         = 1 << 2
	linkRelativePath = 1 << 3
	linkWorkingDir   = 1 << 4
	linkArguments    = 1 << 5
	linkUnicode      = 1 << 7
)

// ParseShortcut reads a shortcut; false for what is none.
func ParseShortcut(data []byte) (Shortcut, bool) {
	var s Shortcut
	class := []byte{1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46}
	if len(data) < 0x4c || binary.LittleEndian.Uint32(data) != 0x4c || !bytes.Equal(data[4:20], class) {
		return s, false
	}
	flags := binary.LittleEndian.Uint32(data[20:])
	switch binary.LittleEndian.Uint32(data[60:]) {
	case 3:
		s.Run = "Maximized"
	case 2, 7:
		s.Run = "Minimized"
	default:
		s.Run = "Normal window"
	}
	rest := data[0x4c:]
	if flags&linkIDList != 0 {
		if len(rest) < 2 {
			return s, true
		}
		rest = after(rest, 2+int(binary.LittleEndian.Uint16(rest)))
	}
	if flags&linkInfo != 0 && len(rest) >= 4 {
		size := int(binary.LittleEndian.Uint32(rest))
		if size < 4 || size > len(rest) {
			return s, true
		}
		s.Target = infoTarget(rest[:size])
		rest = rest[size:]
	}
	s.texts(rest, flags)
	return s, true
}

// texts reads the texts that flags say are there, each behind its length.
func (s *Shortcut) texts(rest []byte, flags uint32) {
	for _, field := range []struct {
		bit uint32
		to  *string
	}{{linkName, &s.Comment}, {linkRelativePath, nil}, {linkWorkingDir, &s.Folder}, {linkArguments, &s.Arguments}} {
		if flags&field.bit == 0 || len(rest) < 2 {
			continue
		}
		n := int(binary.LittleEndian.Uint16(rest))
		rest = rest[2:]
		var value string
		if flags&linkUnicode != 0 {
			n *= 2
			value = wide(rest[:min(n, len(rest))], binary.LittleEndian)
		} else {
			value = narrow(rest[:min(n, len(rest))])
		}
		rest = after(rest, n)
		if field.to != nil {
			*field.to = value
		}
	}
}

// infoTarget gives the path of a LinkInfo: the Unicode form where there is one.
func infoTarget(info []byte) string {
	at := func(offset int) int {
		if len(info) < offset+4 {
			return 0
		}
		return int(binary.LittleEndian.Uint32(info[offset:]))
	}
	if at(8)&1 == 0 { // no local volume: on a share
		return ""
	}
	if at(4) >= 0x24 {
		if base := at(0x1c); base > 0 && base < len(info) {
			suffix := ""
			if from := at(0x20); from > 0 && from < len(info) {
				suffix = wide(info[from:], binary.LittleEndian)
			}
			return wide(info[base:], binary.LittleEndian) + suffix
		}
	}
	var target strings.Builder
	for _, offset := range []int{0x10, 0x18} { // LocalBasePath, CommonPathSuffix
		if from := at(offset); from > 0 && from < len(info) {
			target.WriteString(narrow(info[from:]))
		}
	}
	return target.String()
}

// narrow reads text of the machine's own code page up to its NUL; what is not ASCII can not be told here.
func narrow(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return strings.ToValidUTF8(string(b), "\ufffd")
}

func after(b []byte, n int) []byte {
	if n < 0 || n > len(b) {
		return nil
	}
	return b[n:]
}
