package indicator

// Junk tells whether a digest is of a file that says nothing: an empty one, a single newline, a single zero byte. Such a
// digest would hit on every machine, so it is never hunted. The EICAR test file is no junk: it makes a good control.
func Junk(i Indicator) (reason string, ok bool) {
	switch i.Value {
	case "d41d8cd98f00b204e9800998ecf8427e", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855":
		return "digest of the empty file", true
	case "68b329da9893e34099c7d8ad5cb9c940", "adc83b19e793491b1c6ea0fd8b46cd9f32e592fc",
		"01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b":
		return "digest of a single newline", true
	case "93b885adfe0da089cdf634904fd59f71", "5ba93c9db0cff93f52b521d7420e43f6eda2784f",
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d":
		return "digest of a single zero byte", true
	}
	return "", false
}

// IsEmptyFileDigest reports whether i is a digest of the empty file.
func IsEmptyFileDigest(i Indicator) bool {
	reason, ok := Junk(i)
	return ok && reason == "digest of the empty file"
}
