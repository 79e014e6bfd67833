package report

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// WriteFile writes the report of a run to a file at or below dir, and gives the file's path. In template {hunt}, {run} and
// {date} are filled in, so that they name nothing but a part of a file name. Neither a name nor a link can lead out of dir. The
// file is there whole or not at all; only its owner may read it.
func WriteFile(dir, template string, v View, present func(io.Writer, View) error) (string, error) {
	name, err := fileName(template, v)
	if err != nil {
		return "", err
	}
	shown := filepath.Join(dir, filepath.FromSlash(name))
	root, err := os.OpenRoot(orText(dir, "."))
	if err != nil {
		return "", fmt.Errorf("open the folder of the hunts file: %w", err)
	}
	defer root.Close() // a handle of a folder
	if folder := path.Dir(name); folder != "." {
		if err := root.MkdirAll(folder, 0o700); err != nil {
			return "", fmt.Errorf("make the folder of %s: %w", shown, err)
		}
	}
	part := name + ".part"
	if err := writePart(root, part, v, present); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", shown, err), gone(root.Remove(part)))
	}
	if err := root.Rename(part, name); err != nil {
		return "", errors.Join(fmt.Errorf("write %s: %w", shown, err), gone(root.Remove(part)))
	}
	return shown, nil
}

func writePart(root *os.Root, part string, v View, present func(io.Writer, View) error) (err error) {
	if err := gone(root.Remove(part)); err != nil { // of a run that died while it wrote; a link is removed, not followed
		return err
	}
	f, err := root.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := present(f, v); err != nil {
		return err
	}
	return f.Sync()
}

// gone takes "there is none" for done.
func gone(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// fileName fills in a template and refuses what does not stay below its folder.
func fileName(template string, v View) (string, error) {
	name := strings.NewReplacer("{hunt}", fileWord(v.Run.Hunt), "{run}", fileWord(v.Run.ID), "{date}", v.Run.StartedAt.UTC().Format(time.DateOnly)).Replace(template)
	name = filepath.ToSlash(name)
	if !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) == "." || strings.HasSuffix(name, "/") {
		return "", fmt.Errorf("the path %q of a report does not stay in the folder of the hunts file; write a relative path that does not go up", template)
	}
	return path.Clean(name), nil
}

// fileWord makes a part of a file name of a word from outside: letters, digits, ., _ and - alone, no dot in front, never empty.
func fileWord(s string) string {
	const longest = 100
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, s)
	out = strings.TrimLeft(out, ".-")
	return orText(out[:min(len(out), longest)], "_")
}
