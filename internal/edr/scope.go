package edr

import (
	"cmp"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hunter-project/hunter/internal/ledger"
)

// Roots lists the folders in which files are looked for by default on a platform.
func Roots(platform string) []string {
	switch platform {
	case "darwin":
		return []string{"/Users", "/Applications", "/Library", "/private/tmp", "/private/var/tmp", "/opt", "/usr/local"}
	case "windows":
		return []string{`C:\Users`, `C:\ProgramData`, `C:\Windows\Temp`, `C:\Windows\Tasks`, `C:\PerfLogs`, `C:\inetpub`}
	default:
		return []string{"/home", "/root", "/tmp", "/var/tmp", "/dev/shm", "/opt", "/srv", "/usr/local", "/var/www", "/var/spool/cron"}
	}
}

// SizedRoots lists the folders that are walked as well for files whose exact size is known: there only those of that
// size are read, so big system folders are cheap.
func SizedRoots(platform string) []string {
	switch platform {
	case "darwin":
		return []string{"/usr", "/System/Library"}
	case "windows":
		return []string{`C:\Program Files`, `C:\Program Files (x86)`, `C:\Windows\System32`}
	default:
		return []string{"/usr"}
	}
}

// Places gives the roots of a search on a platform; explicit says that a person named them. Of places that are named for every
// platform those are taken that are paths on this one: there may be none.
func (s Search) Places(platform string) (roots []string, explicit bool) {
	if p := s.Paths[""]; len(p) > 0 {
		return Unnested(slices.DeleteFunc(slices.Clone(p), func(r string) bool { return !isAbsolute(r, platform) }), platform), true
	}
	if p := s.Paths[platform]; len(p) > 0 {
		return Unnested(p, platform), true
	}
	return Unnested(Roots(platform), platform), false
}

// nowhere says why files can not be looked for on a platform: none of the places that a person named is a path there.
func (s Search) nowhere(platform string) string {
	if roots, _ := s.Places(platform); len(roots) > 0 || !slices.Contains(s.Where, ledger.Files) {
		return ""
	}
	return "no path on " + cmp.Or(platform, "its platform") + ": " + strings.Join(s.Paths[""], ", ")
}

// isAbsolute tests whether a place is an absolute path on a platform.
func isAbsolute(path, platform string) bool {
	if platform == "windows" {
		return drive.MatchString(path)
	}
	return strings.HasPrefix(path, "/")
}

var drive = regexp.MustCompile(`^[A-Za-z]:[\\/]`)

// Unnested drops doubles and folders inside of others, and trailing separators; the order stays. Windows has no case there, and
// two separators.
func Unnested(roots []string, platform string) []string {
	var clean []string
	for _, r := range roots {
		if platform != "windows" {
			r = filepath.Clean(r)
		} else if r = strings.ReplaceAll(r, "/", `\`); len(r) > 3 {
			r = strings.TrimRight(r, `\`)
		}
		if !slices.ContainsFunc(clean, func(other string) bool { return r == other || platform == "windows" && strings.EqualFold(r, other) }) {
			clean = append(clean, r)
		}
	}
	return slices.DeleteFunc(slices.Clone(clean), func(r string) bool {
		return slices.ContainsFunc(clean, func(other string) bool { return under(r, other, platform) })
	})
}

// under reports whether a path lies inside of a folder.
func under(path, folder, platform string) bool {
	sep := "/"
	if platform == "windows" {
		sep = `\`
		path, folder = strings.ToLower(path), strings.ToLower(folder)
	}
	return path != folder && strings.HasPrefix(path, strings.TrimSuffix(folder, sep)+sep)
}

// scopeFor says in words what a search for these targets covers on a platform: "running, autoruns, files up to 50 MiB in
// /home, /tmp". Files of which no size is known and that are skipped are not in it.
func scopeFor(s Search, platform string, targets []Target) string {
	sized := slices.ContainsFunc(targets, func(t Target) bool { return t.File.Size > 0 })
	unsized := slices.ContainsFunc(targets, func(t Target) bool { return t.File.Size <= 0 })
	var out []string
	for _, stage := range s.Where {
		switch {
		case stage == ledger.Files && s.nowhere(platform) != "":
		case stage != ledger.Files:
			out = append(out, string(stage))
		case s.Unsized != UnsizedSkip:
			out = append(out, "files up to "+ledger.Size(s.MaxSize)+" in "+places(s, platform, sized, unsized))
		case sized:
			out = append(out, "files of known size up to "+ledger.Size(s.MaxSize)+" in "+places(s, platform, true, false))
		}
	}
	text := strings.Join(out, ", ")
	if text != "" && !strings.Contains(text, " up to ") {
		text += " up to " + ledger.Size(s.MaxSize)
	}
	return text
}

// scopeOn is scopeFor with what is looked at on that endpoint alone.
func scopeOn(s Search, ep Endpoint, targets []Target) string {
	text := scopeFor(s, ep.Platform, targets)
	if first := s.FirstOn(ep); len(first) > 0 && len(targets) > 0 && slices.Contains(s.Where, ledger.Files) {
		text += "; first the alert's own " + strings.Join(first, ", ")
	}
	return text
}

// places names the roots of the files stage, and the further ones that only files of known size are looked for in.
func places(s Search, platform string, sized, unsized bool) string {
	roots, explicit := s.Places(platform)
	if explicit {
		return strings.Join(roots, ", ")
	}
	drives := ""
	if platform == "windows" {
		drives = ", drive roots one level deep"
	}
	wide := Unnested(append(slices.Clone(roots), SizedRoots(platform)...), platform)
	if s.Unsized == UnsizedFull || (sized && !unsized) {
		return strings.Join(wide, ", ") + drives
	}
	text := strings.Join(roots, ", ") + drives
	if sized {
		text += " (files of known size also in " + strings.Join(SizedRoots(platform), ", ") + ")"
	}
	return text
}

// scopeOf joins the scopes of all endpoints, each once.
func scopeOf(p Plan) string {
	var out []string
	for _, t := range p.Tools {
		for _, ep := range t.Endpoints {
			if ep.Excluded == "" && ep.Scope != "" && !slices.Contains(out, ep.Scope) {
				out = append(out, ep.Scope)
			}
		}
	}
	return strings.Join(out, "; ")
}

// FirstOn gives the paths that are looked at first on an endpoint: those of its own host; where a person named the places
// to look at, those inside of them alone. Host names are compared without case and, when one of them has no domain, by
// their first label.
func (s Search) FirstOn(ep Endpoint) []string {
	var out []string
	roots, explicit := s.Places(ep.Platform)
	for _, p := range s.First {
		if explicit && !slices.ContainsFunc(roots, func(r string) bool { return under(p.Path, r, ep.Platform) }) {
			continue
		}
		if sameHost(p.Host, ep.Hostname) && isPathOf(p.Path, ep.Platform) && !slices.Contains(out, p.Path) && len(out) < maxFirst {
			out = append(out, p.Path)
		}
	}
	return out
}

// maxFirst bounds how many paths of alerts are looked at first on one endpoint.
const maxFirst = 20

func sameHost(a, b string) bool {
	a, b = strings.ToLower(strings.TrimSuffix(a, ".")), strings.ToLower(strings.TrimSuffix(b, "."))
	if a == "" || b == "" {
		return false
	}
	shortA, domainA, _ := strings.Cut(a, ".")
	shortB, domainB, _ := strings.Cut(b, ".")
	return a == b || (shortA == shortB && (domainA == "" || domainB == ""))
}

// isPathOf tests an absolute path that has a file's name behind its last separator.
func isPathOf(path, platform string) bool {
	if len(path) > maxPath || strings.ContainsRune(path, 0) {
		return false
	}
	if platform == "windows" {
		return drivePath.MatchString(path)
	}
	return strings.HasPrefix(path, "/") && !strings.HasSuffix(path, "/") && filepath.Clean(path) == path
}

const maxPath = 4096

var drivePath = regexp.MustCompile(`^[A-Za-z]:\\[^/:*?"<>|]*[^/:*?"<>|\\]$`)
