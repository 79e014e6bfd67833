package indicator

import "strings"

// PlainName gives a column or field name without case and punctuation: sha256hash of SHA-256_Hash.
func PlainName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// lastPart gives what follows the last dot or slash of a field path such as file.hash.sha256.
func lastPart(name string) string {
	if i := strings.LastIndexAny(name, "./"); i >= 0 && i < len(name)-1 {
		return name[i+1:]
	}
	return name
}

// KindOfName tells which kind a column or field of that name holds: md5, FileHash-MD5, hash_md5, sha256_hash, SHA-256,
// attachmentMD5, file.hash.sha256, filename, url, domain and their like. Names that RefusedName knows are no kind.
func KindOfName(name string) (Kind, bool) {
	if _, no := RefusedName(name); no {
		return "", false
	}
	n := PlainName(lastPart(name))
	switch n {
	case "ip", "ipv4", "ipdst", "ipsrc", "ipaddress", "ipv4addr":
		return IPv4, true
	case "ipv6", "ipv6addr":
		return IPv6, true
	case "domain", "hostname", "fqdn", "domainname":
		return Domain, true
	case "url", "uri":
		return URL, true
	case "email", "emailaddr", "emailaddress", "emailsrc", "emaildst":
		return Email, true
	case "filename":
		return Filename, true
	case "useragent":
		return UserAgent, true
	case "mutex":
		return Mutex, true
	case "regkey", "registrykey", "windowsregistrykey":
		return RegistryKey, true
	case "file", "name":
		return Filename, lastPart(name) == name // host.name is none
	}
	n = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(n, "hash"), "sum"), "digest"), "hex")
	for _, k := range DigestKinds() {
		if strings.HasSuffix(n, string(k)) {
			return k, true
		}
	}
	return "", false
}

// RefusedName tells whether a column or field of that name holds something that looks like a file hash and is none that
// endpoints can be asked, and what it is.
func RefusedName(name string) (what string, ok bool) {
	path := strings.ToLower(name)
	n := PlainName(lastPart(name))
	for _, w := range []string{"imphash", "impfuzzy", "authentihash", "ssdeep", "tlsh", "telfhash", "pehash", "permhash", "symhash", "sha512", "sha384", "sha224"} {
		if strings.Contains(n, w) {
			return w, true
		}
	}
	switch n {
	case "vhash", "dhash", "cdhash", "quickxorhash":
		return n, true
	case "sha256ac", "sha265ac", "sha1ac": // Microsoft's names of the Authenticode digest; its reference misspells the second
		return "authentihash", true
	case "ctph":
		return "ssdeep", true
	case "importhash", "goimporthash":
		return "imphash", true
	case "sha3", "sha3224", "sha3256", "sha3384", "sha3512":
		return "sha3", true
	}
	switch {
	case strings.Contains(n, "authenticode"), strings.HasPrefix(n, "authentisha"):
		return "authentihash", true
	case strings.Contains(n, "fingerprint"), strings.Contains(n, "thumbprint"), strings.Contains(n, "certificate"),
		strings.HasPrefix(n, "cert"), n == "sslhash", strings.HasPrefix(n, "ja3"), strings.HasPrefix(n, "ja4"),
		strings.HasPrefix(path, "tls."), strings.Contains(path, ".tls."), strings.Contains(path, "x509"):
		return "certificate or TLS fingerprint", true
	case strings.HasPrefix(n, "hassh"):
		return "SSH fingerprint", true
	case strings.Contains(n, "ntlm"), strings.Contains(n, "password"):
		return "password hash", true
	}
	return "", false
}
