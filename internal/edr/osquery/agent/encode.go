package agent

import (
	"strconv"

	"github.com/hunter-project/hunter/internal/ledger"
)

// appendText appends a JSON string. Bytes that are no UTF-8 stay as they are, as osquery sends them: a path is bytes.
func appendText[T string | []byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// appendRow appends a row as a JSON object with its columns in the order of the answer. Of two columns of one name there is one.
func appendRow(b []byte, columns []string, row map[string]string) []byte {
	b = append(b, '{')
	done := 0
next:
	for i, c := range columns {
		for _, before := range columns[:i] {
			if before == c {
				continue next
			}
		}
		if done > 0 {
			b = append(b, ',')
		}
		done++
		b = append(appendText(b, c), ':')
		b = appendText(b, row[c])
	}
	return append(b, '}')
}

// appendBeside appends what hunter's own agent tells beside its rows, as a JSON object.
func appendBeside(b []byte, unread []ledger.Unread, total int, remembered int64, cut string) []byte {
	b = append(b, `{"unread":[`...)
	for i, u := range unread {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, `{"path":`...), u.Path)
		b = appendText(append(b, `,"op":`...), u.Op)
		b = appendText(append(b, `,"reason":`...), u.Reason)
		b = append(strconv.AppendInt(append(b, `,"size":`...), u.Size, 10), '}')
	}
	b = strconv.AppendInt(append(b, `],"unread_total":`...), int64(total), 10)
	b = strconv.AppendInt(append(b, `,"remembered":`...), remembered, 10)
	if cut != "" {
		b = appendText(append(b, `,"cut":`...), cut)
	}
	return append(b, '}')
}
