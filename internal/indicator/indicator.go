// Package indicator holds the observables that threat intelligence and endpoint tools exchange: typed indicators,
// file objects known by up to three digests, reports and the relations between them. It is a leaf: it imports
// nothing else of hunter.
package indicator

// Kind names the type of an observable.
type Kind string

// The kinds of observable hunter keeps. Only the first three can be hunted on an endpoint.
const (
	SHA256      Kind = "sha256"
	SHA1        Kind = "sha1"
	MD5         Kind = "md5"
	IPv4        Kind = "ipv4"
	IPv6        Kind = "ipv6"
	Domain      Kind = "domain"
	URL         Kind = "url"
	Email       Kind = "email"
	Filename    Kind = "filename"
	UserAgent   Kind = "user_agent"
	Mutex       Kind = "mutex"
	RegistryKey Kind = "registry_key"
)

// Kinds lists every kind, digests first, strongest digest first.
func Kinds() []Kind {
	return []Kind{SHA256, SHA1, MD5, IPv4, IPv6, Domain, URL, Email, Filename, UserAgent, Mutex, RegistryKey}
}

// DigestKinds lists the kinds that are file digests, strongest first.
func DigestKinds() []Kind { return []Kind{SHA256, SHA1, MD5} }

// IsDigest reports whether k is a file digest.
func (k Kind) IsDigest() bool { return k == SHA256 || k == SHA1 || k == MD5 }

// HexLen is the number of hex digits of a digest of kind k, 0 for any other kind.
func (k Kind) HexLen() int {
	switch k {
	case SHA256:
		return 64
	case SHA1:
		return 40
	case MD5:
		return 32
	default:
		return 0
	}
}

// Indicator is one typed observable in its normal form: digests and host names lower case. It is comparable.
type Indicator struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
}

// String gives "kind:value".
func (i Indicator) String() string { return string(i.Kind) + ":" + i.Value }

// IsZero reports whether i is empty.
func (i Indicator) IsZero() bool { return i == Indicator{} }
