package indicator_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/hunter-project/hunter/internal/indicator"
)

const (
	aMD5    = "0cc175b9c0f1b6a831c399e269772661"
	aSHA1   = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
	aSHA256 = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
)

func TestParseHash(t *testing.T) {
	t.Parallel()
	md5Of, sha1Of, sha256Of := indicator.Indicator{Kind: indicator.MD5, Value: aMD5},
		indicator.Indicator{Kind: indicator.SHA1, Value: aSHA1}, indicator.Indicator{Kind: indicator.SHA256, Value: aSHA256}
	for in, want := range map[string]indicator.Indicator{
		aMD5:                                  md5Of,
		strings.ToUpper(aSHA1):                sha1Of,
		"sha256:" + aSHA256:                   sha256Of,
		"SHA256=" + strings.ToUpper(aSHA256):  sha256Of,
		"sha-256: " + aSHA256:                 sha256Of,
		"SHA_1 = " + aSHA1:                    sha1Of,
		"FileHash-MD5:" + aMD5:                md5Of,
		"file.hash.sha256=" + aSHA256:         sha256Of,
		"  \"" + aSHA256 + "\",":              sha256Of,
		"'" + aSHA256 + "',;":                 sha256Of,
		"“" + aMD5 + "”.":                     md5Of,
		"\ufeff" + aMD5 + "\r\n":              md5Of,
		aMD5[:10] + "\u200b" + aMD5[10:]:      md5Of,
		"0x" + aSHA1:                          sha1Of,
		"sha1:0X" + strings.ToUpper(aSHA1):    sha1Of,
		"'" + aMD5:                            md5Of,
		"12345678901234567890123456789012":    {Kind: indicator.MD5, Value: "12345678901234567890123456789012"},
		"0000123412341234123412341234123e12a": {}, // 35 digits
	} {
		got, err := indicator.ParseHash(in)
		if (want == indicator.Indicator{}) != (err != nil) {
			t.Errorf("ParseHash(%q): error %v", in, err)
		}
		if got != want {
			t.Errorf("ParseHash(%q) = %v, want %v", in, got, want)
		}
	}
}

func TestParseHashRefusesByName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                      "empty",
		" \"\" ":                                "empty",
		"imphash=" + aMD5:                       "imphash",
		"IMPHASH: " + aMD5:                      "imphash",
		"pe.imphash:" + aMD5:                    "imphash",
		"authentihash:" + aSHA256:               "authentihash",
		"authenticode-sha256=" + aSHA256:        "authentihash",
		"vhash:" + aMD5:                         "vhash",
		"telfhash:t1" + aMD5:                    "telfhash",
		"T1" + strings.Repeat("A", 70):          "tlsh",
		"tlsh:" + strings.Repeat("A", 70):       "tlsh",
		strings.Repeat("a", 70):                 "tlsh",
		"96:s4Ud1Lj96tHHlZDrwciQmA+4uy1I0G4HY:": "ssdeep",
		"3::":                                   "ssdeep",
		"ssdeep:96:abc:def":                     "ssdeep",
		strings.Repeat("a", 128):                "sha512",
		strings.Repeat("A", 96):                 "sha384",
		strings.Repeat("a", 56):                 "sha224",
		"sha512:" + strings.Repeat("a", 128):    "sha512",
		"sha3-256:" + aSHA256:                   "sha3",
		"ntlm:" + aMD5:                          "password hash",
		"sha256:" + aMD5:                        "no sha256: 32 characters",
		"md5=" + aSHA256:                        "no md5: 64 characters",
		aMD5 + "0":                              "33 hex digits",
		"zz" + aMD5[2:]:                         "not a hash",
		"hello":                                 "not a hash",
		"1.23E+15":                              "not a hash",
		aMD5 + " " + aSHA1:                      "not a hash",
		"foo:" + aMD5:                           "not a hash",
		strings.Repeat("a", 5000):               "too long",
		"ａｂ" + aMD5[2:]:                         "not a hash", // full-width letters
	} {
		_, err := indicator.ParseHash(in)
		var refused *indicator.RefusedError
		if !errors.As(err, &refused) {
			t.Errorf("ParseHash(%q): %v, want a RefusedError", in, err)
			continue
		}
		if !strings.Contains(refused.What, want) {
			t.Errorf("ParseHash(%q) is %q, want %q", in, refused.What, want)
		}
		if refused.Reason == "" || len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("ParseHash(%q): message %q", in, err)
		}
	}
}

func TestParseOtherKinds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     indicator.Kind
		in, want string // want "" is refused
	}{
		{indicator.MD5, "MD5=" + strings.ToUpper(aMD5), "md5:" + aMD5},
		{indicator.MD5, aSHA1, ""},
		{indicator.Domain, "Mail.Example.ORG.", "domain:mail.example.org"},
		{indicator.Domain, "_dmarc.example.org", "domain:_dmarc.example.org"},
		{indicator.Domain, "пример.РФ", "domain:пример.рф"},
		{indicator.Domain, "localhost", ""},
		{indicator.Domain, "a..b", ""},
		{indicator.Domain, "10.0.0.1", ""},
		{indicator.Domain, "exa mple.org", ""},
		{indicator.Domain, strings.Repeat("a", 64) + ".org", ""},
		{indicator.IPv4, "192.0.2.1", "ipv4:192.0.2.1"},
		{indicator.IPv4, "::ffff:192.0.2.1", "ipv4:192.0.2.1"},
		{indicator.IPv4, "192.0.2.01", ""},
		{indicator.IPv4, "192.0.2.0/24", ""},
		{indicator.IPv6, "2001:DB8:0:0::1", "ipv6:2001:db8::1"},
		{indicator.IPv6, "fe80::1%eth0", "ipv6:fe80::1"},
		{indicator.URL, " http://Example.org/A?b#c ", "url:http://Example.org/A?b#c"},
		{indicator.Email, "Bad.Guy@Example.ORG", "email:bad.guy@example.org"},
		{indicator.Email, "nobody", ""},
		{indicator.Filename, `C:\Users\x y.exe`, `filename:C:\Users\x y.exe`},
		{indicator.Filename, "a\x1b[31mb", ""},
		{indicator.Mutex, "a\x00b", ""},
		{indicator.RegistryKey, "\xff\xfe", ""},
		{indicator.UserAgent, strings.Repeat("x", 4097), ""},
		{"frobnicate", "x", ""},
	} {
		got, err := indicator.Parse(c.kind, c.in)
		if (err != nil) != (c.want == "") || (err == nil && got.String() != c.want) {
			t.Errorf("Parse(%s, %q) = %v, %v; want %q", c.kind, c.in, got, err, c.want)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		aSHA256:                        "sha256:" + aSHA256,
		"SHA1:" + aSHA1:                "sha1:" + aSHA1,
		"192.0.2.7":                    "ipv4:192.0.2.7",
		"2001:db8::1":                  "ipv6:2001:db8::1",
		"https://evil.example/a.exe":   "url:https://evil.example/a.exe",
		"hxxps://evil[.]example/a.exe": "url:https://evil.example/a.exe",
		"evil[.]example":               "domain:evil.example",
		"evil.example.":                "domain:evil.example",
		"me[at]evil[.]example":         "email:me@evil.example",
		"filename: invoice.exe":        "filename:invoice.exe",
		"mutex:Global\\x":              "mutex:Global\\x",
		"imphash:" + aMD5:              "",
		"evil":                         "",
		"":                             "",
	} {
		got, err := indicator.Detect(in)
		if (err != nil) != (want == "") || (err == nil && got.String() != want) {
			t.Errorf("Detect(%q) = %v, %v; want %q", in, got, err, want)
		}
	}
}

func TestParseSysmon(t *testing.T) {
	t.Parallel()
	in := "SHA1=" + strings.ToUpper(aSHA1) + ",MD5=" + aMD5 + ",SHA256=" + aSHA256 + ",IMPHASH=" + aMD5
	digests, refused, err := indicator.ParseSysmon(in)
	if err != nil {
		t.Fatal(err)
	}
	want := []indicator.Indicator{{Kind: indicator.SHA1, Value: aSHA1}, {Kind: indicator.MD5, Value: aMD5}, {Kind: indicator.SHA256, Value: aSHA256}}
	if d := cmp.Diff(want, digests); d != "" {
		t.Error(d)
	}
	if len(refused) != 1 || refused[0].Name != "imphash" {
		t.Errorf("refused %v", refused)
	}
	for _, bad := range []string{"", "-", aMD5, "MD5=" + aMD5 + ",rubbish", "MD5=" + aMD5 + ",MD5=" + strings.Repeat("1", 32), strings.Repeat("MD5=1,", 2000)} {
		if _, _, err := indicator.ParseSysmon(bad); err == nil {
			t.Errorf("ParseSysmon(%.40q) is taken", bad)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]indicator.Kind{
		"md5": indicator.MD5, "MD5": indicator.MD5, "FileHash-MD5": indicator.MD5, "hash_md5": indicator.MD5, "md5sum": indicator.MD5,
		"attachmentMD5": indicator.MD5, "sha256_hash": indicator.SHA256, "SHA-256": indicator.SHA256, "hash.sha256": indicator.SHA256,
		"file.hash.sha1": indicator.SHA1, "FileItem/Sha1sum": indicator.SHA1, "hashes.'SHA-256'": indicator.SHA256,
		"InitiatingProcessSHA256": indicator.SHA256, "domain": indicator.Domain, "IP": indicator.IPv4, "file_name": indicator.Filename,
		"imphash": "", "file.pe.imphash": "", "authentihash": "", "hash.sha512": "", "tls.server.hash.sha256": "", "ja3_md5": "",
		"x509-fingerprint-sha1": "", "host.name": "", "id": "", "": "", ".": "", "hash": "",
	} {
		if got, ok := indicator.KindOfName(name); got != want && (ok || want != "") {
			t.Errorf("KindOfName(%q) = %q %v, want %q", name, got, ok, want)
		}
	}
	for name, want := range map[string]string{
		"imphash": "imphash", "IMPHASH": "imphash", "file.pe.imphash": "imphash", "authentihash": "authentihash", "ssdeep": "ssdeep",
		"TLSH": "tlsh", "fileDetails.sha256Ac": "authentihash", "sha265Ac": "authentihash", "CTPH": "ssdeep", "cdhash": "cdhash", "hassh-md5": "SSH fingerprint", "vhash": "vhash", "telfhash": "telfhash", "FileHash-PEHASH": "pehash", "hashes.SHA-512": "sha512", "SHA3-384": "sha3",
		"md5": "", "sha256": "", "sha1": "", "hash": "",
	} {
		if got, ok := indicator.RefusedName(name); got != want || ok != (want != "") {
			t.Errorf("RefusedName(%q) = %q %v, want %q", name, got, ok, want)
		}
	}
}

func TestJunk(t *testing.T) {
	t.Parallel()
	for content, junk := range map[string]bool{
		"": true, "\n": true, "\x00": true, "a": false,
		`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*`: false,
	} {
		for _, text := range []string{
			fmt.Sprintf("%x", md5.Sum([]byte(content))), fmt.Sprintf("%x", sha1.Sum([]byte(content))), fmt.Sprintf("%x", sha256.Sum256([]byte(content))),
		} {
			i, err := indicator.ParseHash(text)
			if err != nil {
				t.Fatal(err)
			}
			if reason, ok := indicator.Junk(i); ok != junk || (ok && reason == "") {
				t.Errorf("Junk(%v of %q) = %q %v", i.Kind, content, reason, ok)
			}
			if indicator.IsEmptyFileDigest(i) != (content == "") {
				t.Errorf("IsEmptyFileDigest(%v of %q)", i.Kind, content)
			}
		}
	}
	if reason, ok := indicator.Junk(indicator.Indicator{Kind: indicator.MD5, Value: strings.Repeat("0", 32)}); ok {
		t.Errorf("32 zeros match no file, so nothing speaks against asking; refused: %s", reason)
	}
}

// What is parsed once parses to itself: the normal form is stable.
func TestParseIsIdempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.SampledFrom([]int{32, 40, 64}).Draw(t, "len")
		raw := rapid.StringMatching(fmt.Sprintf("[0-9a-fA-F]{%d}", n)).Draw(t, "hex")
		one, err := indicator.ParseHash(rapid.SampledFrom([]string{"", " ", "\"", "\ufeff"}).Draw(t, "left") + raw + rapid.SampledFrom([]string{"", ",", "\";", " "}).Draw(t, "right"))
		if err != nil {
			t.Fatal(err)
		}
		two, err := indicator.ParseHash(one.String())
		if err != nil || one != two || one.Value != strings.ToLower(raw) {
			t.Fatalf("%v %v %v", one, two, err)
		}
	})
}

func FuzzDetect(f *testing.F) {
	for _, s := range []string{aMD5, "sha256:" + aSHA256, "hxxp://a[.]b/", "IMPHASH=" + aMD5, "\ufeff'", "a@b.cd", "::1", "url:", "\xff\xfe1", "MD5=" + aMD5 + ",SHA1=" + aSHA1} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		i, err := indicator.Detect(s)
		if err == nil {
			again, err := indicator.Detect(i.String())
			if err != nil || again != i {
				t.Fatalf("%q gives %v, which gives %v, %v", s, i, again, err)
			}
			if i.Kind.IsDigest() && len(i.Value) != i.Kind.HexLen() {
				t.Fatalf("%q gives %v", s, i)
			}
		}
		if digests, _, err := indicator.ParseSysmon(s); err == nil {
			for _, d := range digests {
				if !d.Kind.IsDigest() || len(d.Value) != d.Kind.HexLen() {
					t.Fatalf("%q gives %v", s, d)
				}
			}
		}
	})
}
