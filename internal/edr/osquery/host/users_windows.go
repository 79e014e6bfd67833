package host

import (
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// UserColumns are the columns of the table users.
const UserColumns = `uid:B gid:B uid_signed:B gid_signed:B username:T description:T directory:T shell:T uuid:T type:T`

const profileList = `SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList`

// Profiles gives the folder of each profile by its owner's id.
func Profiles(files Files) map[string]string {
	out := map[string]string{}
	top := openKey(files, registry.LOCAL_MACHINE, profileList)
	defer top.close()
	for _, sid := range top.keys() {
		k := openKey(files, registry.LOCAL_MACHINE, profileList+`\`+sid)
		out[sid] = Expand(k.text("ProfileImagePath"), Environment())
		k.close()
	}
	return out
}

// Users lists the local accounts and those that have a profile.
func Users(files Files) [][]any {
	profiles := Profiles(files)
	seen := map[string]bool{}
	var out rows
	for _, u := range localUsers(files) {
		sid, _, _, err := windows.LookupSID("", u.name)
		if err != nil {
			files.Note("account "+u.name, err.Error())
			continue
		}
		seen[sid.String()] = true
		out = append(out, userRow(sid, u.name, u.comment, profiles[sid.String()], "local"))
	}
	for id, dir := range profiles {
		sid, err := windows.StringToSid(id)
		if err != nil || seen[id] {
			continue
		}
		kind := "roaming"
		if !strings.HasPrefix(id, "S-1-5-21-") && !strings.HasPrefix(id, "S-1-12-") {
			kind = "special"
		}
		out = append(out, userRow(sid, accountName(id), "", dir, kind))
	}
	return out
}

// Known is a row of the table users for an id that was met as an owner and is no local account: a group, a service, an account of a
// domain that never logged in here. osquery has none.
func Known(id string) []any {
	sid, err := windows.StringToSid(id)
	if err != nil {
		return nil
	}
	name, domain, _, err := sid.LookupAccount("")
	if err != nil {
		return nil
	}
	if domain != "" {
		name = domain + `\` + name
	}
	return userRow(sid, name, "", "", "known")
}

func userRow(sid *windows.SID, name, comment, dir, kind string) []any {
	uid := rid(sid)
	return []any{
		uid, uid, int64(int32(uid)), int64(int32(uid)), name, comment, dir, `C:\Windows\system32\cmd.exe`, sid.String(), kind, //nolint:gosec // the signed reading is a column
	}
}

// accountName gives the name behind an id, the id itself where nobody knows it.
func accountName(id string) string {
	sid, err := windows.StringToSid(id)
	if err != nil {
		return id
	}
	name, _, _, err := sid.LookupAccount("")
	if err != nil {
		return id
	}
	return name
}

type localUser struct{ name, comment string }

// localUsers asks for the accounts of this machine.
func localUsers(files Files) []localUser {
	var out []localUser
	var resume uint32
	for {
		var buf *byte
		var n, total uint32
		err := windows.NetUserEnum(nil, 0, filterNormal, &buf, maxPreferred, &n, &total, &resume)
		if err != nil && err != windows.ERROR_MORE_DATA { //nolint:errorlint // bare errno
			files.Note("accounts", err.Error())
			return out
		}
		if buf == nil {
			return out
		}
		for _, name := range unsafe.Slice((**uint16)(unsafe.Pointer(buf)), n) {
			out = append(out, localUser{windows.UTF16PtrToString(name), comment(name)})
		}
		_ = windows.NetApiBufferFree(buf) // frees memory, cannot fail otherwise
		if err == nil || n == 0 {
			return out
		}
	}
}

// comment gives what stands beside a name in the list of accounts.
func comment(name *uint16) string {
	var buf *byte
	if err := windows.NetUserGetInfo(nil, name, 10, &buf); err != nil || buf == nil {
		return ""
	}
	defer func() { _ = windows.NetApiBufferFree(buf) }() // frees memory, cannot fail otherwise
	return windows.UTF16PtrToString((*windows.UserInfo10)(unsafe.Pointer(buf)).Comment)
}

const (
	filterNormal = 2
	maxPreferred = 1 << 16
)
