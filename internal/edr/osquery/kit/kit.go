// Package kit writes what osquery's agents need to enrol with a server of hunter: a flagfile for each platform, the CA, the secret,
// a drop-in for systemd and a page that says what goes where.
package kit

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/hunter-project/hunter/internal/secret"
)

// Kit says what agents are told.
type Kit struct {
	Server   string        // host:port, as agents reach it
	CA       []byte        // PEM
	Secret   secret.String // the enroll secret
	Interval time.Duration // of their polls; 0 is a minute
	Dir      string        // where agents of all platforms keep the kit; "" is each platform's own place
}

// The files of a kit.
const (
	CAFile     = "hunter-ca.pem"
	SecretFile = "hunter.secret"
	UnitFile   = "osqueryd.service.d/hunter.conf"
	NotesFile  = "INSTALL.md"
)

// defaultInterval is how often agents poll.
const defaultInterval = time.Minute

// maxSecret is how long a secret may be, in bytes.
const maxSecret = 1024

// platform is where osquery lives on one.
type platform struct {
	name string // as osquery has it
	file string // of the kit
	dir  string // its configuration
	sep  string
}

func platforms() []platform {
	return []platform{
		{name: "linux", file: "hunter.flags", dir: "/etc/osquery", sep: "/"},
		{name: "darwin", file: "hunter-darwin.flags", dir: "/private/var/osquery", sep: "/"},
		{name: "windows", file: "hunter-windows.flags", dir: `C:\Program Files\osquery`, sep: `\`},
	}
}

// Write makes the folder dir and writes the kit into it. It gives the files' paths, relative to dir. Every fault of the kit is told
// at once, and then nothing is written. A kit that is there is replaced.
func (k Kit) Write(dir string) ([]string, error) {
	ca, err := k.check()
	if err != nil {
		return nil, err
	}
	if k.Interval <= 0 {
		k.Interval = defaultInterval
	}
	type file struct {
		name string
		text []byte
		mode os.FileMode
	}
	files := []file{{CAFile, ca, 0o644}, {SecretFile, []byte(strings.TrimSpace(k.Secret.Reveal()) + "\n"), 0o600}}
	for _, p := range platforms() {
		files = append(files, file{p.file, []byte(k.flags(p)), 0o644})
	}
	linux := platforms()[0]
	files = append(files, file{UnitFile, []byte(k.unit(linux)), 0o644}, file{NotesFile, []byte(k.notes()), 0o644})
	var names []string
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return names, fmt.Errorf("make the folder of the kit: %w", err)
		}
		if err := replace(path, f.text, f.mode); err != nil {
			return names, err
		}
		names = append(names, f.name)
	}
	return names, nil
}

// check finds every fault, and gives the certificates of the CA alone.
func (k Kit) check() (ca []byte, err error) {
	var faults []error
	faults = append(faults, checkServer(k.Server))
	value := strings.TrimSpace(k.Secret.Reveal())
	switch {
	case value == "":
		faults = append(faults, errors.New("the enroll secret is empty"))
	case len(value) > maxSecret:
		faults = append(faults, fmt.Errorf("the enroll secret is longer than %d bytes", maxSecret))
	case strings.ContainsAny(value, "\r\n\x00"):
		faults = append(faults, errors.New("the enroll secret has more than one line; an agent takes one"))
	}
	if strings.ContainsAny(k.Dir, "\r\n\x00") {
		faults = append(faults, errors.New("the folder of agents has more than one line"))
	}
	ca, err = certificates(k.CA)
	return ca, errors.Join(append(faults, err)...)
}

// checkServer reads host:port.
func checkServer(s string) error {
	if scheme, _, ok := strings.Cut(s, "://"); ok {
		return fmt.Errorf("the server %q begins with %s://; give host:port alone, agents always speak HTTPS", s, scheme)
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("the server %q is not host:port, such as hunter.example:8443", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("the server %q: %q is no port from 1 to 65535", s, port)
	}
	if net.ParseIP(host) == nil && !hostName(host) {
		return fmt.Errorf("the server %q: %q is no host name and no address", s, host)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("the server %q is where it listens, not where agents reach it; give its name or address", s)
	}
	return nil
}

func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		ok := label != "" && len(label) <= 63 && strings.Trim(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
		if !ok || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// certificates takes the certificates out of a PEM file. One that holds a private key is refused: the kit goes to every agent.
func certificates(text []byte) ([]byte, error) {
	var out bytes.Buffer
	for rest := text; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		if strings.Contains(block.Type, "PRIVATE KEY") {
			return nil, errors.New("the CA file holds a private key, which no agent may have; give the file with the certificate alone")
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("the CA file: %w", err)
		}
		if err := pem.Encode(&out, &pem.Block{Type: block.Type, Bytes: block.Bytes}); err != nil {
			return nil, fmt.Errorf("the CA file: %w", err)
		}
	}
	if out.Len() == 0 {
		return nil, errors.New("the CA file holds no certificate in PEM")
	}
	return out.Bytes(), nil
}

// place gives where an agent keeps a file of the kit.
func (k Kit) place(p platform, name string) string {
	dir, sep := p.dir, p.sep
	if k.Dir != "" {
		dir = strings.TrimRight(k.Dir, `/\`)
		if !strings.Contains(dir, `\`) {
			sep = "/"
		}
	}
	return dir + sep + name
}

// flags gives the flagfile.
func (k Kit) flags(p platform) string {
	seconds := max(int64((k.Interval+time.Second-1)/time.Second), 1)
	lines := []string{
		"--tls_hostname=" + k.Server,
		"--tls_server_certs=" + k.place(p, CAFile),
		"--enroll_secret_path=" + k.place(p, SecretFile),
		"--enroll_tls_endpoint=/api/osquery/enroll",
		"--config_plugin=tls",
		"--config_tls_endpoint=/api/osquery/config",
		"--config_refresh=300",
		"--logger_plugin=tls",
		"--logger_tls_endpoint=/api/osquery/log",
		"--logger_tls_period=60",
		"--disable_distributed=false",
		"--distributed_plugin=tls",
		"--distributed_tls_read_endpoint=/api/osquery/distributed/read",
		"--distributed_tls_write_endpoint=/api/osquery/distributed/write",
		"--distributed_interval=" + strconv.FormatInt(seconds, 10),
		"--host_identifier=uuid",
	}
	return strings.Join(lines, "\n") + "\n"
}

// replace puts a file in place as a whole.
func replace(path string, text []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*") // with mode 0600
	if err != nil {
		return fmt.Errorf("write the kit: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write the kit: %w", err), os.Remove(f.Name()))
	}
	return nil
}
