package host_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/hunter-project/hunter/internal/edr/osquery/host"
)

const task = `<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Settings><Enabled>false</Enabled><Hidden>true</Hidden></Settings>
  <Actions Context="Author">
    <Exec><Command>C:\évil.exe</Command><Arguments>-x &quot;a b&quot;</Arguments></Exec>
    <ComHandler><ClassId>{0}</ClassId></ComHandler>
    <Exec><Command>b.exe</Command><WorkingDirectory>C:\dir</WorkingDirectory></Exec>
  </Actions>
</Task>`

// utf16File writes a text as Windows does.
func utf16File(text string, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

func TestParseTask(t *testing.T) {
	t.Parallel()
	want := host.Task{Action: ` C:\évil.exe -x "a b",C:\dir b.exe `, Hidden: true}
	for name, data := range map[string][]byte{
		"UTF-16": utf16File(task, binary.LittleEndian), "UTF-16, the other order": utf16File(task, binary.BigEndian), "UTF-8": []byte(task),
		"UTF-8 with a mark": []byte("\xef\xbb\xbf" + task),
	} {
		got, err := host.ParseTask(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got, err := host.ParseTask([]byte(`<Task/>`)); err != nil || !got.Enabled || got.Hidden || got.Action != "" {
		t.Errorf("a task that says nothing: %+v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "<Other/>", "<Task><Settings>", strings.Repeat("<Task>", 100_000)} {
		if got, err := host.ParseTask([]byte(bad)); err == nil {
			t.Errorf("%.40q: %+v instead of an error", bad, got)
		}
	}
}
