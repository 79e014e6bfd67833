package host

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// MaxTask is the biggest task file that is read; Windows writes some KiB.
const MaxTask = 4 << 20

// Task is what a file of the Windows Task Scheduler says (MS-TSCH, task schema).
type Task struct {
	Action  string // as osquery writes it: working folder, program and arguments of each, joined by commas
	Enabled bool
	Hidden  bool
}

// errNoTask says that a file of the scheduler's folder is none of its tasks.
var errNoTask = errors.New("is no task of the Task Scheduler")

// ParseTask reads a task file, which is XML in UTF-16 or UTF-8.
func ParseTask(data []byte) (Task, error) {
	var file struct {
		XMLName  xml.Name `xml:"Task"`
		Settings struct {
			Enabled string `xml:"Enabled"`
			Hidden  string `xml:"Hidden"`
		} `xml:"Settings"`
		Actions struct {
			Exec []struct {
				Command   string `xml:"Command"`
				Arguments string `xml:"Arguments"`
				Folder    string `xml:"WorkingDirectory"`
			} `xml:"Exec"`
		} `xml:"Actions"`
	}
	d := xml.NewDecoder(bytes.NewReader(text(data)))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now, whatever it says
	if err := d.Decode(&file); err != nil {
		return Task{}, fmt.Errorf("%w: %w", errNoTask, err)
	}
	var actions []string
	for _, e := range file.Actions.Exec {
		actions = append(actions, strings.TrimSpace(e.Folder)+" "+strings.TrimSpace(e.Command)+" "+strings.TrimSpace(e.Arguments))
	}
	return Task{
		Action:  strings.Join(actions, ","),
		Enabled: !strings.EqualFold(strings.TrimSpace(file.Settings.Enabled), "false"),
		Hidden:  strings.EqualFold(strings.TrimSpace(file.Settings.Hidden), "true"),
	}, nil
}

// text gives bytes that may be UTF-16 with a byte order mark as UTF-8.
func text(data []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	}
	return []byte(wide(data[2:], order))
}

// wide decodes UTF-16, up to the first NUL.
func wide(data []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(data)/2)
	for ; len(data) >= 2; data = data[2:] {
		u := order.Uint16(data)
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}
