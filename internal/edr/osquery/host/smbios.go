package host

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// Firmware is what a machine's SMBIOS says of it (DMTF DSP0134, structures 1 and 2).
type Firmware struct {
	UUID                                               string
	Vendor, Model, Version, Serial                     string
	BoardVendor, BoardModel, BoardVersion, BoardSerial string
}

// ParseSMBIOS reads the table of structures. What is cut or damaged ends it: the rest is unknown.
func ParseSMBIOS(table []byte) Firmware {
	var f Firmware
	for len(table) >= 4 {
		kind, size := table[0], int(table[1])
		if size < 4 || size > len(table) {
			return f
		}
		body := table[:size]
		end := bytes.Index(table[size:], []byte{0, 0})
		if end < 0 {
			return f
		}
		strs := bytes.Split(table[size:size+end], []byte{0})
		str := func(at int) string {
			if at >= len(body) || body[at] == 0 || int(body[at]) > len(strs) {
				return ""
			}
			return strings.ToValidUTF8(strings.TrimSpace(string(strs[body[at]-1])), "\ufffd")
		}
		switch kind {
		case 1:
			f.Vendor, f.Model, f.Version, f.Serial = str(4), str(5), str(6), str(7)
			if len(body) >= 0x18 {
				f.UUID = firmwareUUID(body[8:24])
			}
		case 2:
			if f.BoardVendor == "" {
				f.BoardVendor, f.BoardModel, f.BoardVersion, f.BoardSerial = str(4), str(5), str(6), str(7)
			}
		case 127:
			return f
		}
		table = table[size+end+2:]
	}
	return f
}

// firmwareUUID writes the id with its first three fields in the machine's order; "" where the maker left none.
func firmwareUUID(b []byte) string {
	if bytes.Count(b, []byte{0}) == 16 || bytes.Count(b, []byte{0xff}) == 16 {
		return ""
	}
	le := binary.LittleEndian
	return strings.ToUpper(fmt.Sprintf("%08x-%04x-%04x-%x-%x", le.Uint32(b), le.Uint16(b[4:]), le.Uint16(b[6:]), b[8:10], b[10:16]))
}
