package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// maxSecretFile is the largest file that a credential is read from, in bytes.
const maxSecretFile = 64 << 10

// ErrLiteral says that a credential stands where a reference to one is due. It never contains what was written.
var ErrLiteral = errors.New("a secret written out; use env:NAME or file:/path")

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,255}$`)

// Ref says where a credential is kept: in an environment variable or in a file. It holds no credential and may be printed.
// The zero Ref is none.
type Ref struct {
	scheme  string // env or file
	name    string // the variable, or the path as written
	dir     string // what a relative path is relative to
	setting string // whose credential it is, for errors
}

// ParseRef reads "env:NAME" or "file:/path". Anything else is refused with ErrLiteral, without repeating it.
func ParseRef(s string) (Ref, error) {
	scheme, name, ok := strings.Cut(s, ":")
	if !ok {
		return Ref{}, ErrLiteral
	}
	switch scheme {
	case "env":
		if !envName.MatchString(name) {
			return Ref{}, errors.New("no variable name after env:; a name has letters, digits and '_'")
		}
	case "file":
		if name == "" || strings.ContainsAny(name, "\x00\n") {
			return Ref{}, errors.New("no path after file:; write file:/path")
		}
	default:
		return Ref{}, ErrLiteral
	}
	return Ref{scheme: scheme, name: name}, nil
}

// For gives r with the setting it stands in, such as `private_key of provider "threatscape"`, for the errors of Resolve.
func (r Ref) For(setting string) Ref {
	r.setting = setting
	return r
}

// In gives r with the folder that a relative path is relative to; without it that is the working folder.
func (r Ref) In(dir string) Ref {
	r.dir = dir
	return r
}

// IsZero reports whether r is no reference.
func (r Ref) IsZero() bool { return r.scheme == "" }

// String gives the reference as written, "" for the zero Ref.
func (r Ref) String() string {
	if r.IsZero() {
		return ""
	}
	return r.scheme + ":" + r.name
}

// MarshalText gives the reference as written.
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText gives; empty text is the zero Ref.
func (r *Ref) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*r = Ref{}
		return nil
	}
	ref, err := ParseRef(string(text))
	if err != nil {
		return err
	}
	*r = ref
	return nil
}

// Resolve fetches the credential. Its errors name the setting and the variable or path, never a value. One line end at
// the end of a file is not part of the credential.
func (r Ref) Resolve() (String, error) {
	prefix := ""
	if r.setting != "" {
		prefix = r.setting + ": "
	}
	var value string
	var err error
	switch r.scheme {
	case "env":
		var ok bool
		if value, ok = os.LookupEnv(r.name); !ok {
			return String{}, fmt.Errorf("%senvironment variable %s is not set", prefix, r.name)
		}
	case "file":
		if value, err = r.read(); err != nil {
			return String{}, fmt.Errorf("%s%w", prefix, err)
		}
	default:
		return String{}, fmt.Errorf("%sno credential given; use env:NAME or file:/path", prefix)
	}
	if value == "" {
		return String{}, fmt.Errorf("%s%s is empty", prefix, r)
	}
	return New(value), nil
}

// read reads a regular, small file; a pipe would hang and a device would never end.
func (r Ref) read() (string, error) {
	path := r.name
	if !filepath.IsAbs(path) && r.dir != "" {
		path = filepath.Join(r.dir, path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", r, err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("read %s: not a regular file", r)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read %s: %w", r, err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", r, err)
	}
	if len(data) > maxSecretFile {
		return "", fmt.Errorf("read %s: larger than %d KiB", r, maxSecretFile>>10)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}
