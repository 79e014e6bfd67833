package host

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// maxKeys bounds how many keys or values of one key are read.
const maxKeys = 100_000

// key is an open key of the registry; nil for one that is not there. What is there and may not be read is noted.
type key struct {
	registry.Key
	path  string
	files Files
}

// rootName is how osquery writes a root of the registry.
func rootName(root registry.Key) string {
	if root == registry.USERS {
		return `HKEY_USERS`
	}
	return `HKEY_LOCAL_MACHINE`
}

// openKey opens a key of the 64-bit registry.
func openKey(files Files, root registry.Key, path string) *key {
	full := rootName(root) + `\` + path
	k, err := registry.OpenKey(root, path, registry.READ|registry.WOW64_64KEY)
	if err != nil {
		if !errors.Is(err, registry.ErrNotExist) {
			files.Note(full, err.Error())
		}
		return nil
	}
	return &key{k, full, files}
}

func (k *key) close() {
	if k != nil {
		_ = k.Close() // nothing was written
	}
}

// keys lists the names of the keys below.
func (k *key) keys() []string {
	if k == nil {
		return nil
	}
	names, err := k.ReadSubKeyNames(maxKeys)
	return k.listed(names, err)
}

// values lists the names of the values.
func (k *key) values() []string {
	if k == nil {
		return nil
	}
	names, err := k.ReadValueNames(maxKeys)
	return k.listed(names, err)
}

func (k *key) listed(names []string, err error) []string {
	if len(names) >= maxKeys {
		k.files.Note(k.path, "has more entries than are read")
	} else if err != nil && len(names) == 0 && !strings.Contains(err.Error(), "EOF") {
		k.files.Note(k.path, err.Error())
	}
	slices.Sort(names)
	return names
}

// text gives a value that is a text, or a list of texts joined by blanks; "" for any other.
func (k *key) text(name string) string {
	if k == nil {
		return ""
	}
	if s, _, err := k.GetStringValue(name); err == nil {
		return s
	}
	if list, _, err := k.GetStringsValue(name); err == nil {
		return strings.Join(list, " ")
	}
	return ""
}

// number gives a value that is a number; false when there is none.
func (k *key) number(name string) (uint64, bool) {
	if k == nil {
		return 0, false
	}
	n, _, err := k.GetIntegerValue(name)
	return n, err == nil
}

// bytes gives a value as it is stored; nil when there is none.
func (k *key) bytes(name string) []byte {
	if k == nil {
		return nil
	}
	b, _, err := k.GetBinaryValue(name)
	if err != nil {
		return nil
	}
	return b
}

// windowsFolder is where Windows is, such as C:\Windows.
func windowsFolder() string {
	dir, err := windows.GetSystemWindowsDirectory()
	if err != nil {
		return `C:\Windows`
	}
	return dir
}

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
