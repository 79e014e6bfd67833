package host

import "strings"

// VersionMore are the columns of os_version that only Windows has.
const VersionMore = `install_date:B revision:I`

// productName mends what the registry calls Windows 11, which it took over from Windows 10, and puts the maker before it.
func productName(name string, build uint32) string {
	if build >= 22_000 {
		name = strings.Replace(name, "Windows 10", "Windows 11", 1)
	}
	if name != "" && !strings.HasPrefix(name, "Microsoft") {
		name = "Microsoft " + name
	}
	return name
}
