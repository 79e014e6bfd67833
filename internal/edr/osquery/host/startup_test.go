package host

import "testing"

func TestStartupState(t *testing.T) {
	t.Parallel()
	for hex, want := range map[string]string{
		"": "enabled", "020000000000000000000000": "enabled", "030000006a1b2c3d4e5fd801": "disabled", "060000000000000000000000": "enabled", "0300000000000000000000a0": "disabled",
	} {
		if got := startupState(hex); got != want {
			t.Errorf("%s: %s instead of %s", hex, got, want)
		}
	}
	for name, want := range map[string]string{"Windows 10 Pro": "Microsoft Windows 11 Pro", "": ""} {
		if got := productName(name, 22631); got != want {
			t.Errorf("%q: %q instead of %q", name, got, want)
		}
	}
	if got := productName("Windows 10 Pro", 19045); got != "Microsoft Windows 10 Pro" {
		t.Error(got)
	}
	if serviceType(0xd0)+startType(2)+serviceState(4)+startType(9) != "USER_OWN_PROCESS(Instance)AUTO_STARTRUNNINGUNKNOWN" {
		t.Error("services are named otherwise than in osquery")
	}
	if plain("@oem1.inf,%x%;A device") != "A device" || plain("@x") != "@x" || plain("B;C") != "B;C" {
		t.Error("a text with a reference is shown otherwise than in osquery")
	}
	if got := macState(2) + macState(5) + macState(0); got != "RZ?" {
		t.Error(got)
	}
	b := make([]byte, usageSize)
	b[16], b[24] = 240, 24 // ticks
	if u := parseUsage(b, 24_000); u.user != 10 || u.system != 1 {
		t.Errorf("%+v", u)
	}
	if u := parseUsage(nil, 1); u.user != -1 || u.read != -1 {
		t.Errorf("%+v", u)
	}
	folders := make([]byte, vnodePathSize)
	copy(folders[vnodePathAt:], "/a\x00b")
	copy(folders[vnodePathOne+vnodePathAt:], "/r\x00")
	if cwd, root := parseFolders(folders); cwd != "/a" || root != "/r" {
		t.Error(cwd, root)
	}
}
