package osquery

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/indicator"
	"github.com/hunter-project/hunter/internal/ledger"
)

var driveRoot = regexp.MustCompile(`^([A-Za-z]:\\|\\\\[^\\])`)

// check refuses a question whose text would not ask for what it says.
func (q Question) check() error {
	if !slices.Contains([]string{"linux", "darwin", "windows"}, q.Platform) {
		return fmt.Errorf("no words for the platform %q", q.Platform)
	}
	if len(q.Hashes) == 0 {
		return errors.New("no hash to ask for")
	}
	for _, h := range q.Hashes {
		if err := checkHash(h); err != nil {
			return err
		}
	}
	switch q.Stage {
	case ledger.Running, ledger.Autoruns:
		return nil
	case ledger.Files:
		return q.checkFiles()
	default:
		return fmt.Errorf("osquery has no stage %q", q.Stage)
	}
}

func checkHash(h indicator.Indicator) error {
	switch {
	case !h.Kind.IsDigest(), len(h.Value) != h.Kind.HexLen(), strings.Trim(h.Value, "0123456789abcdef") != "":
		return fmt.Errorf("%q is no %s in lower case", h.Value, h.Kind)
	case indicator.IsEmptyFileDigest(h):
		return fmt.Errorf("%s is the digest of every empty file", h)
	}
	return nil
}

func (q Question) checkFiles() error {
	absolute := strings.HasPrefix(q.Root, "/")
	if q.Platform == "windows" {
		absolute = q.Root == DriveRoots || driveRoot.MatchString(q.Root)
	}
	switch {
	case q.Blind && q.Part.Of == "" && namesHash(q.Root, q.Hashes): // what an answer named is known there
		return fmt.Errorf("root %q names a digest that its endpoint is not to learn; name the folder above it", q.Root)
	case strings.ContainsRune(q.Root, 0):
		return fmt.Errorf("root %q holds a zero byte", q.Root)
	case !absolute:
		return fmt.Errorf("root %q is no absolute path on %s", q.Root, q.Platform)
	case q.MaxSize <= 0:
		return fmt.Errorf("root %s: no file is as small as max_size %d", q.Root, q.MaxSize)
	case q.MaxDepth <= 0:
		return fmt.Errorf("root %s: a walk of depth %d sees nothing", q.Root, q.MaxDepth)
	case len(q.Sizes) > 0 && slices.Min(q.Sizes) <= 0:
		return fmt.Errorf("root %s: size %d is no file's", q.Root, slices.Min(q.Sizes))
	}
	return nil
}

// namesHash tells whether a path holds a hunted digest, as samples are often named.
func namesHash(path string, hashes []indicator.Indicator) bool {
	path = strings.ToLower(path)
	return slices.ContainsFunc(hashes, func(h indicator.Indicator) bool { return strings.Contains(path, h.Value) })
}
