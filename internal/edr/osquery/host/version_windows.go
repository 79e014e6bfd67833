package host

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// originalName reads the name that a program's maker gave its file, in the first language that it has.
func originalName(block []byte) string {
	at := unsafe.Pointer(&block[0])
	var languages *[2]uint16
	var length uint32
	if err := windows.VerQueryValue(at, `\VarFileInfo\Translation`, unsafe.Pointer(&languages), &length); err != nil || length < 4 {
		return ""
	}
	var name *uint16
	key := fmt.Sprintf(`\StringFileInfo\%04x%04x\OriginalFilename`, languages[0], languages[1])
	if err := windows.VerQueryValue(at, key, unsafe.Pointer(&name), &length); err != nil || length == 0 {
		return ""
	}
	return windows.UTF16ToString(unsafe.Slice(name, length))
}

// quad writes a version of four numbers.
func quad(high, low uint32) string {
	return fmt.Sprintf("%d.%d.%d.%d", high>>16, high&0xffff, low>>16, low&0xffff)
}
