package host

import (
	"net/url"
	"strconv"
	"strings"
)

// Account is a user.
type Account struct {
	UID, GID                      int64
	Name, Full, Home, Shell, UUID string
	Hidden                        bool
}

// localAccounts is where a Mac keeps its own accounts, one property list each, for root alone.
const localAccounts = "/private/var/db/dslocal/nodes/Default/users"

// Accounts lists the accounts of a Mac that can be read: its own, and those of /etc/passwd where only these can.
func Accounts(files Files) []Account {
	var out []Account
	for _, name := range files.Names(localAccounts) {
		if !strings.HasSuffix(name, ".plist") {
			continue
		}
		file := localAccounts + "/" + name
		data := files.Read(file, MaxPlist)
		if data == nil {
			continue
		}
		a, err := account(data)
		if err != nil {
			files.Note(file, err.Error())
			continue
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return Passwd(string(files.Read("/etc/passwd", MaxPlist)))
	}
	return out
}

func account(data []byte) (Account, error) {
	var p struct {
		Name   words `plist:"name"`
		UID    words `plist:"uid"`
		GID    words `plist:"gid"`
		Full   words `plist:"realname"`
		Home   words `plist:"home"`
		Shell  words `plist:"shell"`
		UUID   words `plist:"generateduid"`
		Hidden words `plist:"IsHidden"`
	}
	if err := parsePlist(data, &p); err != nil {
		return Account{}, err
	}
	a := Account{Name: p.Name.first(), Full: p.Full.first(), Home: p.Home.first(), Shell: p.Shell.first(), UUID: p.UUID.first(), UID: -2, GID: -2}
	if n, err := strconv.ParseInt(p.UID.first(), 10, 64); err == nil {
		a.UID = n
	}
	if n, err := strconv.ParseInt(p.GID.first(), 10, 64); err == nil {
		a.GID = n
	}
	switch strings.ToLower(p.Hidden.first()) {
	case "1", "yes", "true":
		a.Hidden = true
	}
	return a, nil
}

// Passwd reads lines of /etc/passwd (passwd(5)).
func Passwd(text string) []Account {
	var out []Account
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimRight(line, "\n"), ":")
		if len(f) != 7 || strings.HasPrefix(line, "#") {
			continue
		}
		uid, err1 := strconv.ParseInt(f[2], 10, 64)
		gid, err2 := strconv.ParseInt(f[3], 10, 64)
		if err1 == nil && err2 == nil {
			out = append(out, Account{UID: uid, GID: gid, Name: f[0], Full: f[4], Home: f[5], Shell: f[6]})
		}
	}
	return out
}

// MacUserColumns are the columns of the table users on macOS.
const MacUserColumns = `uid:B gid:B uid_signed:B gid_signed:B username:T description:T directory:T shell:T uuid:T is_hidden:I`

// MacUserRow is a row of the table users.
func MacUserRow(a Account) []any {
	return []any{
		int64(uint32(a.UID)), int64(uint32(a.GID)), int64(int32(a.UID)), int64(int32(a.GID)), a.Name, a.Full, a.Home, a.Shell, a.UUID, flag(a.Hidden), //nolint:gosec // both readings are columns
	}
}

// MacVersion is a row of os_version, without its arch: name, version, three numbers, build, extra.
func MacVersion(files Files) (name, version string, numbers [3]int, build, extra string) {
	var p struct {
		Name    scalar `plist:"ProductName"`
		Version scalar `plist:"ProductVersion"`
		Build   scalar `plist:"ProductBuildVersion"`
		Extra   scalar `plist:"ProductVersionExtra"`
	}
	const file = "/System/Library/CoreServices/SystemVersion.plist"
	if data := files.Read(file, MaxPlist); data != nil {
		if err := parsePlist(data, &p); err != nil {
			files.Note(file, err.Error())
		}
	}
	for i, part := range strings.SplitN(string(p.Version), ".", 3) {
		numbers[i], _ = strconv.Atoi(part) // not a number: 0, as in osquery
	}
	return string(p.Name), string(p.Version), numbers, string(p.Build), string(p.Extra)
}

// MacNames gives the names that a Mac's owner gave it: of the computer, and in the local network.
func MacNames(files Files) (computer, local string) {
	var p struct {
		System struct {
			Network struct {
				HostNames struct {
					Local scalar `plist:"LocalHostName"`
				} `plist:"HostNames"`
			} `plist:"Network"`
			System struct {
				Computer scalar `plist:"ComputerName"`
			} `plist:"System"`
		} `plist:"System"`
	}
	const file = "/Library/Preferences/SystemConfiguration/preferences.plist"
	if data := files.Read(file, MaxPlist); data != nil {
		if err := parsePlist(data, &p); err != nil {
			files.Note(file, err.Error())
		}
	}
	return string(p.System.System.Computer), string(p.System.Network.HostNames.Local)
}

// filePath gives the path of a file URL; "" for any other.
func filePath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return u.Path
}

// ParseArguments takes apart what the kernel tells of a program's start (sysctl kern.procargs2): the path that was given, and
// its arguments joined by blanks.
func ParseArguments(data []byte) (path, cmdline string) {
	if len(data) < 4 {
		return "", ""
	}
	n := int(int32(uint32(data[0]) | uint32(data[1])<<8 | uint32(data[2])<<16 | uint32(data[3])<<24)) //nolint:gosec // the kernel's int
	path, rest, _ := strings.Cut(string(data[4:]), "\x00")
	rest = strings.TrimLeft(rest, "\x00") // padding
	if n <= 0 {
		return path, ""
	}
	var args []string
	for part := range strings.SplitSeq(rest, "\x00") {
		if len(args) == n {
			break
		}
		args = append(args, part)
	}
	return path, strings.Join(args, " ")
}
