package indicator

// File is a file object: one file known by up to three digests, which are siblings, with its size and names.
// Empty digests are unknown. Size is in bytes; 0 is unknown (empty files are never hunted).
type File struct {
	MD5    string   `json:"md5,omitempty"`
	SHA1   string   `json:"sha1,omitempty"`
	SHA256 string   `json:"sha256,omitempty"`
	Size   int64    `json:"size,omitempty"`
	Names  []string `json:"names,omitempty"` // sorted, unique
	TLP    TLP      `json:"tlp,omitempty"`   // the strictest label of what it is known from; it is set of files that are hunted
}

// Digest gives the digest of kind k, "" when it is unknown.
func (f File) Digest(k Kind) string {
	switch k {
	case SHA256:
		return f.SHA256
	case SHA1:
		return f.SHA1
	case MD5:
		return f.MD5
	default:
		return ""
	}
}

// SetDigest records value as the digest of kind k; other kinds are ignored.
func (f *File) SetDigest(k Kind, value string) {
	switch k {
	case SHA256:
		f.SHA256 = value
	case SHA1:
		f.SHA1 = value
	case MD5:
		f.MD5 = value
	}
}

// Digests lists the known digests as indicators, strongest first.
func (f File) Digests() []Indicator {
	var out []Indicator
	for _, k := range DigestKinds() {
		if v := f.Digest(k); v != "" {
			out = append(out, Indicator{Kind: k, Value: v})
		}
	}
	return out
}

// Best is the strongest digest that is known; zero when there is none.
func (f File) Best() Indicator {
	if d := f.Digests(); len(d) > 0 {
		return d[0]
	}
	return Indicator{}
}
