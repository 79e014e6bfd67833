package indicator

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Detect tells what a person typed: a hash, an IP address, a URL, an email address or a domain, also defanged
// ("hxxp://evil[.]example"), or any kind written as "kind:value". The error is ParseHash's for what looks like a hash.
func Detect(s string) (Indicator, error) {
	if len(s) > MaxValue {
		return Indicator{}, refuse(s, "too long", "give one indicator of at most 4096 bytes")
	}
	if name, value, ok := strings.Cut(s, ":"); ok {
		if k := Kind(strings.ToLower(strings.TrimSpace(name))); slices.Contains(Kinds(), k) {
			return Parse(k, value)
		}
	}
	text := clean(s)
	ind, hashErr := ParseHash(text)
	if hashErr == nil {
		return ind, nil
	}
	text = refang(text)
	if _, err := netip.ParseAddr(text); err == nil {
		return Parse(IPv4, text)
	}
	if u, err := url.Parse(text); err == nil && u.Host != "" && u.Scheme != "" {
		return Parse(URL, text)
	}
	if mail, err := Parse(Email, text); err == nil {
		return mail, nil
	}
	if d, err := Parse(Domain, text); err == nil {
		return d, nil
	}
	return Indicator{}, hashErr
}

// refang undoes the usual ways of writing an indicator so that nobody clicks it.
func refang(s string) string {
	s = strings.NewReplacer("[.]", ".", "(.)", ".", "[dot]", ".", "[:]", ":", "[://]", "://", "[@]", "@", "[at]", "@").Replace(s)
	if len(s) > 4 && strings.EqualFold(s[:4], "hxxp") {
		s = "http" + s[4:]
	}
	return s
}
