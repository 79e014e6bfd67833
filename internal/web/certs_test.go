package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/web"
)

// read gives the content of a file in the folder of a CA.
func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestSelfSignedIsKeptWhileItIsGood(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tls")
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	make1 := func(names ...string) {
		t.Helper()
		if _, err := web.SelfSigned(dir, names, clock); err != nil {
			t.Fatal(err)
		}
	}
	make1()
	ca, server := read(t, dir, "ca.pem"), read(t, dir, "server.pem")
	for _, f := range []string{"ca.key", "server.key"} {
		if info, err := os.Stat(filepath.Join(dir, f)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f, info.Mode(), err)
		}
	}
	now = now.AddDate(0, 11, 0)
	make1()
	if read(t, dir, "ca.pem") != ca || read(t, dir, "server.pem") != server {
		t.Error("what was good is not kept")
	}
	now = now.AddDate(0, 2, 0)
	make1()
	renewed := read(t, dir, "server.pem")
	if read(t, dir, "ca.pem") != ca || renewed == server {
		t.Error("the server's certificate is not renewed near its end")
	}
	make1("hunter.example", "192.0.2.7")
	named := read(t, dir, "server.pem")
	if named == renewed {
		t.Error("a new name makes no new certificate")
	}
	make1("HUNTER.example")
	if read(t, dir, "server.pem") != named {
		t.Error("a name that is there makes a new certificate")
	}
	remove(t, dir, "server.key")
	make1()
	remove(t, dir, "ca.pem") // its key is there: the same CA again
	make1()
	now = now.AddDate(20, 0, 0)
	if _, err := web.SelfSigned(dir, nil, clock); err == nil || !strings.Contains(err.Error(), "ended on") {
		t.Errorf("a CA that has ended: %v", err)
	}
}

func TestSelfSignedNames(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	certs, err := web.SelfSigned(t.TempDir(), []string{"10.1.2.3"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	leaf := certs.Leaf()
	for _, n := range []string{"127.0.0.1", "[::1]", "localhost", host, "10.1.2.3"} {
		if err := leaf.VerifyHostname(n); err != nil {
			t.Error(err)
		}
	}
	if leaf.IsCA || slices.Contains(leaf.DNSNames, "10.1.2.3") {
		t.Error(leaf.DNSNames, leaf.IsCA)
	}
}

func TestBadFoldersOfCertificates(t *testing.T) {
	t.Parallel()
	fresh := func(t *testing.T) string {
		dir := t.TempDir()
		if _, err := web.SelfSigned(dir, nil, time.Now); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	other := fresh(t)
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		says  string
	}{
		"no key":        {func(t *testing.T, dir string) { remove(t, dir, "ca.key") }, "put the key back"},
		"another's key": {func(t *testing.T, dir string) { put(t, dir, "ca.key", read(t, other, "ca.key")) }, "does not belong"},
		"garbage":       {func(t *testing.T, dir string) { put(t, dir, "ca.pem", "garbage") }, "holds no CERTIFICATE"},
		"a broken key": {func(t *testing.T, dir string) {
			put(t, dir, "ca.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
		}, "ca.key"},
		"a file instead": {func(t *testing.T, dir string) { remove(t, dir, "ca.pem"); mkdir(t, dir, "ca.pem") }, "ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := fresh(t)
			c.spoil(t, dir)
			if _, err := web.SelfSigned(dir, nil, time.Now); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
		})
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func mkdir(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	one, two := t.TempDir(), t.TempDir()
	for _, dir := range []string{one, two} {
		if _, err := web.SelfSigned(dir, nil, time.Now); err != nil {
			t.Fatal(err)
		}
	}
	cert, key := filepath.Join(one, "server.pem"), filepath.Join(one, "server.key")
	certs, err := web.FromFiles(cert, key, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	before := certs.Leaf()
	put(t, one, "server.pem", "garbage")
	if err := certs.Reload(); err == nil || certs.Leaf() != before {
		t.Errorf("a bad file took the good one's place, %v", err)
	}
	put(t, one, "server.pem", read(t, two, "server.pem"))
	put(t, one, "server.key", read(t, two, "server.key"))
	if err := certs.Reload(); err != nil || certs.Leaf().Equal(before) {
		t.Errorf("the new one is not taken, %v", err)
	}
	late := func() time.Time { return time.Now().AddDate(3, 0, 0) }
	if _, err := web.FromFiles(cert, key, late); err == nil || !strings.Contains(err.Error(), "ended on") {
		t.Error(err)
	}
	if _, err := web.FromFiles(filepath.Join(one, "ca.pem"), filepath.Join(one, "ca.key"), time.Now); err == nil || !strings.Contains(err.Error(), "names no host") {
		t.Error(err)
	}
}

// clientPair makes a client's certificate of the CA in dir.
func clientPair(t *testing.T, dir string) tls.Certificate {
	t.Helper()
	ca, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "an agent"}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, ca.Leaf, &key.PublicKey, ca.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ours, theirs := t.TempDir(), t.TempDir()
	for _, dir := range []string{ours, theirs} {
		if _, err := web.SelfSigned(dir, nil, time.Now); err != nil {
			t.Fatal(err)
		}
	}
	s := serve(t, web.Options{ClientCA: web.CAFile(ours), Osquery: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })})
	if code, body := s.post(t, "/api/osquery/enroll"); code != 401 || !refusal(body) {
		t.Errorf("without a certificate: %d %q", code, body)
	}
	if code, _ := s.post(t, "/healthz"); code != 200 {
		t.Errorf("people need one: %d", code)
	}
	servers, err := tls.LoadX509KeyPair(filepath.Join(ours, "server.pem"), filepath.Join(ours, "server.key"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		pair tls.Certificate
		good bool
	}{
		"ours":       {clientPair(t, ours), true},
		"another's":  {clientPair(t, theirs), false},
		"a server's": {servers, false},
	} {
		tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.roots, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return &c.pair, nil // whatever the server asks for
		}}}
		res, err := (&http.Client{Transport: tr}).Post("https://"+s.Address()+"/api/osquery/enroll", "application/json", nil)
		if got := err == nil && res.StatusCode == 200; got != c.good {
			t.Errorf("%s: taken %v, %v", name, got, err)
		}
		if err == nil {
			_ = res.Body.Close()
		}
		tr.CloseIdleConnections()
	}
}
