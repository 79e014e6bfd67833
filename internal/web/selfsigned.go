package web

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The files of a local CA, and how long its certificates hold. Agents are given ca.pem once, so it holds long.
const (
	caFile, caKeyFile         = "ca.pem", "ca.key"
	serverFile, serverKeyFile = "server.pem", "server.key"

	caYears     = 10
	serverDays  = 397
	serverRenew = 30 * 24 * time.Hour
	clockSlack  = time.Hour // agents whose clock is late
)

// CAFile gives the path of the CA's certificate in the folder of SelfSigned.
func CAFile(dir string) string { return filepath.Join(dir, caFile) }

// authority is a CA.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// selfSigned gives the server certificate of the CA in dir, and makes of both what is missing or no longer good.
func selfSigned(dir string, names []string, now time.Time) (*tls.Certificate, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of certificates: %w", err)
	}
	ca, err := loadCA(dir, now)
	if err != nil {
		return nil, err
	}
	names = machineNames(names)
	if pair, ok := goodServer(dir, ca, names, now); ok {
		return pair, nil
	}
	return makeServer(dir, ca, names, now)
}

// machineNames are those by which agents on this machine and beside it know it, and others that were given.
func machineNames(more []string) []string {
	out := []string{"127.0.0.1", "::1", "localhost"}
	if host, err := os.Hostname(); err == nil && host != "" {
		out = append(out, host)
	}
	for _, n := range more {
		if ip := net.ParseIP(n); ip != nil {
			n = ip.String()
		}
		out = append(out, n)
	}
	for i := range out {
		out[i] = strings.ToLower(out[i])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// loadCA reads the CA in dir. A key without its certificate is given the same certificate again: agents that have the old one
// still trust it. A certificate without its key is an error, as a new CA would lock all agents out.
func loadCA(dir string, now time.Time) (*authority, error) {
	key, err := readKey(filepath.Join(dir, caKeyFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := os.Stat(CAFile(dir)); there == nil {
			return nil, fmt.Errorf("%s is there and its key %s is not; put the key back, or move the folder away and give all agents the new CA", CAFile(dir), caKeyFile)
		}
		if key, err = newKey(filepath.Join(dir, caKeyFile)); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of the local CA: %w", err)
	}
	cert, err := readCert(CAFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		cert, err = newCA(dir, key, now)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the local CA: %w", err)
	case !key.PublicKey.Equal(cert.PublicKey):
		return nil, fmt.Errorf("%s does not belong to %s; put back the one that does", caKeyFile, CAFile(dir))
	case now.After(cert.NotAfter):
		return nil, fmt.Errorf("the local CA %s ended on %s; move its folder away for a new one, and give it to all agents", CAFile(dir), cert.NotAfter.UTC().Format(time.DateOnly))
	}
	return &authority{cert: cert, key: key}, nil
}

func newCA(dir string, key *ecdsa.PrivateKey, now time.Time) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "hunter local CA", Organization: []string{"hunter"}},
		NotBefore: now.Add(-clockSlack), NotAfter: now.AddDate(caYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make the local CA: %w", err)
	}
	if err := writePEM(CAFile(dir), "CERTIFICATE", der, 0o644); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// goodServer reads the server certificate in dir, when it is still good.
func goodServer(dir string, ca *authority, names []string, now time.Time) (*tls.Certificate, bool) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, serverFile), filepath.Join(dir, serverKeyFile))
	if err != nil || now.Add(serverRenew).After(pair.Leaf.NotAfter) {
		return nil, false
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	for _, n := range names {
		if strings.Contains(n, ":") {
			n = "[" + n + "]"
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{DNSName: n, Roots: roots, CurrentTime: now}); err != nil {
			return nil, false
		}
	}
	return &pair, true
}

func makeServer(dir string, ca *authority, names []string, now time.Time) (*tls.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	key, err := newKey(filepath.Join(dir, serverKeyFile))
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "hunter server"}, NotBefore: now.Add(-clockSlack), NotAfter: now.AddDate(0, 0, serverDays),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	if t.NotAfter.After(ca.cert.NotAfter) {
		t.NotAfter = ca.cert.NotAfter
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, ca.cert, &key.PublicKey, ca.key)
	if err != nil {
		return nil, fmt.Errorf("make the server's certificate: %w", err)
	}
	if err := writePEM(filepath.Join(dir, serverFile), "CERTIFICATE", der, 0o644); err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, serverFile), filepath.Join(dir, serverKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read the server's certificate: %w", err)
	}
	return &pair, nil
}

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("make a serial number: %w", err)
	}
	return n, nil
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return key, writePEM(path, "PRIVATE KEY", der, 0o600)
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	der, err := readPEM(path, "PRIVATE KEY")
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s is no key of an elliptic curve, so hunter did not make it", path)
	}
	return ec, nil
}

func readCert(path string) (*x509.Certificate, error) {
	der, err := readPEM(path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return cert, nil
}

func readPEM(path, kind string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != kind {
		return nil, fmt.Errorf("%s holds no %s in PEM", path, kind)
	}
	return block.Bytes, nil
}

// writePEM puts a file in place as a whole: a crash leaves the old one or the new one.
func writePEM(path, kind string, der []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is what matters
		}
	}()
	err = errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
