package indicator

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxValue bounds the length of any indicator's value, in bytes.
const MaxValue = 4096

// RefusedError says why a text is not taken as an indicator, by name.
type RefusedError struct {
	Value  string // as given, cut to 200 bytes
	What   string // what it is, with its article: "an imphash, which is no file hash", "a sha512", "not a hash"
	Reason string // what to give instead
	Name   string // its name alone when it has one: "imphash", "sha512", "authentihash"
}

// Error gives "VALUE is WHAT; REASON", on one line and safe for any terminal.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("%q is %s; %s", e.Value, e.What, e.Reason)
}

func refuse(value, what, reason string) *RefusedError {
	if len(value) > 200 {
		value = strings.ToValidUTF8(value[:200], "") + "…"
	}
	return &RefusedError{Value: value, What: what, Reason: reason}
}

var (
	hexText   = regexp.MustCompile(`^[0-9a-fA-F]+$`)
	tlshText  = regexp.MustCompile(`^[Tt]1[0-9a-fA-F]{70}$`)
	deepText  = regexp.MustCompile(`^\d{1,9}:[A-Za-z0-9+/]*:[A-Za-z0-9+/]*$`)
	prefixed  = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9_ .-]{0,30}?)\s*[:=]\s*(\S.*)$`)
	labelText = regexp.MustCompile(`^[\p{L}\p{N}\p{M}_]([\p{L}\p{N}\p{M}_-]*[\p{L}\p{N}\p{M}_])?$`)
)

// clean strips what pastes and feeds put around a value, in any nesting: spaces, quotes, zero-width marks, a BOM, trailing
// punctuation.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '\u200b', '\u200c', '\u200d', '\u2060', '\ufeff':
			return -1
		}
		return r
	}, s)
	s = strings.TrimLeftFunc(s, wraps)
	return strings.TrimRightFunc(s, func(r rune) bool { return wraps(r) || r == ',' || r == ';' || r == '.' })
}

func wraps(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("\"'`“”‘’", r)
}

// ParseHash reads a file digest in any case, with or without a prefix such as "sha256:" or "SHA256=", and tells its
// kind by prefix and length. What is no file hash is refused by name with a *RefusedError.
func ParseHash(s string) (Indicator, error) {
	if ind, ok := plainDigest(s); ok {
		return ind, nil
	}
	if len(s) > MaxValue {
		return Indicator{}, refuse(s, "too long", "give one digest of 32, 40 or 64 hex digits")
	}
	text := clean(s)
	if text == "" {
		return Indicator{}, refuse(s, "empty", "give a digest of 32 (md5), 40 (sha1) or 64 (sha256) hex digits")
	}
	if tlshText.MatchString(text) {
		return Indicator{}, refuseNamed(s, "tlsh")
	}
	if !hexText.MatchString(text) {
		if m := prefixed.FindStringSubmatch(text); m != nil {
			return parsePrefixed(s, m[1], clean(m[2]))
		}
		if deepText.MatchString(text) {
			return Indicator{}, refuseNamed(s, "ssdeep")
		}
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X")
	return byLength(s, text)
}

// plainDigest knows the usual form without a look at all others: nothing but hex digits, as many as a kind of digest has.
func plainDigest(s string) (Indicator, bool) {
	var kind Kind
	switch len(s) {
	case 32:
		kind = MD5
	case 40:
		kind = SHA1
	case 64:
		kind = SHA256
	default:
		return Indicator{}, false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return Indicator{}, false
		}
	}
	return Indicator{Kind: kind, Value: strings.ToLower(s)}, true
}

func parsePrefixed(whole, name, value string) (Indicator, error) {
	if what, ok := RefusedName(name); ok {
		return Indicator{}, refuseNamed(whole, what)
	}
	kind, ok := KindOfName(name)
	if !ok || !kind.IsDigest() {
		return Indicator{}, refuse(whole, "not a hash", "write md5:, sha1: or sha256: before the digest, or the digest alone")
	}
	value = strings.TrimPrefix(strings.TrimPrefix(value, "0x"), "0X")
	if !hexText.MatchString(value) || len(value) != kind.HexLen() {
		return Indicator{}, refuse(whole, fmt.Sprintf("no %s: %d characters", kind, len(value)), fmt.Sprintf("%s has %d hex digits", kind, kind.HexLen()))
	}
	return Indicator{Kind: kind, Value: strings.ToLower(value)}, nil
}

func byLength(whole, text string) (Indicator, error) {
	if hexText.MatchString(text) {
		for _, k := range DigestKinds() {
			if len(text) == k.HexLen() {
				return Indicator{Kind: k, Value: strings.ToLower(text)}, nil
			}
		}
		switch len(text) {
		case 70, 72:
			return Indicator{}, refuseNamed(whole, "tlsh")
		case 56:
			return Indicator{}, refuseNamed(whole, "sha224")
		case 96:
			return Indicator{}, refuseNamed(whole, "sha384")
		case 128:
			return Indicator{}, refuseNamed(whole, "sha512")
		}
		return Indicator{}, refuse(whole, fmt.Sprintf("no file hash: %d hex digits", len(text)), "a digest has 32 (md5), 40 (sha1) or 64 (sha256)")
	}
	return Indicator{}, refuse(whole, "not a hash", "a digest has 32 (md5), 40 (sha1) or 64 (sha256) hex digits")
}

// refuseNamed refuses what is known by name to be no file hash that an endpoint can be asked.
func refuseNamed(value, name string) error {
	what, reason := "a "+name+", which is no file hash", "give the file's sha256, sha1 or md5"
	switch {
	case strings.HasPrefix(name, "sha"):
		what, reason = "a "+name, "no endpoint tool takes it; "+reason
	case name == "authentihash":
		what, reason = "an "+name+", which is no file hash", "it leaves the signature out; "+reason
	case strings.HasPrefix(name, "imp"):
		what, reason = "an "+name+", which is no file hash", "many files share one; "+reason
	}
	r := refuse(value, what, reason)
	r.Name = name
	return r
}

// Parse reads a value of a known kind into its normal form: digests, domains and email addresses lower case, IPv6
// compressed (an address decides itself between ipv4 and ipv6). Values are at most MaxValue bytes of valid UTF-8 without
// control characters.
func Parse(kind Kind, value string) (Indicator, error) {
	if kind.IsDigest() {
		ind, err := ParseHash(value)
		if err != nil {
			return Indicator{}, err
		}
		if ind.Kind != kind {
			return Indicator{}, refuse(value, "no "+string(kind), fmt.Sprintf("%s has %d hex digits", kind, kind.HexLen()))
		}
		return ind, nil
	}
	v := strings.TrimSpace(value)
	if v == "" || len(v) > MaxValue || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl) {
		return Indicator{}, refuse(value, "no "+string(kind), "it is empty, too long or holds control characters")
	}
	switch kind {
	case IPv4, IPv6:
		a, err := netip.ParseAddr(v)
		if err != nil {
			return Indicator{}, refuse(value, "no IP address", "write 192.0.2.1 or 2001:db8::1")
		}
		if a = a.Unmap().WithZone(""); a.Is4() {
			return Indicator{Kind: IPv4, Value: a.String()}, nil
		}
		return Indicator{Kind: IPv6, Value: a.String()}, nil
	case Domain:
		d := strings.TrimSuffix(strings.ToLower(v), ".")
		if !isDomain(d) {
			return Indicator{}, refuse(value, "no domain", "write a host name such as mail.example.org")
		}
		return Indicator{Kind: Domain, Value: d}, nil
	case Email:
		local, host, ok := strings.Cut(strings.ToLower(v), "@")
		if !ok || local == "" || strings.ContainsFunc(local, unicode.IsSpace) || !isDomain(host) {
			return Indicator{}, refuse(value, "no email address", "write name@example.org")
		}
		return Indicator{Kind: Email, Value: local + "@" + host}, nil
	case URL, Filename, UserAgent, Mutex, RegistryKey:
		return Indicator{Kind: kind, Value: v}, nil
	default:
		return Indicator{}, refuse(string(kind), "no kind of indicator", "kinds are sha256, sha1, md5, ipv4, ipv6, domain, url, email, filename, user_agent, mutex, registry_key")
	}
}

// isDomain reports whether d, in lower case, is a host name of two labels or more whose last one is no number.
func isDomain(d string) bool {
	labels := strings.Split(d, ".")
	if len(d) > 253 || len(labels) < 2 {
		return false
	}
	for _, l := range labels {
		if !labelText.MatchString(l) || len(l) > 63 {
			return false
		}
	}
	last := labels[len(labels)-1]
	return utf8.RuneCountInString(last) > 1 && strings.ContainsFunc(last, unicode.IsLetter)
}
