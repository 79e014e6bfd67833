package kit_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hunter-project/hunter/internal/edr/osquery/kit"
	"github.com/hunter-project/hunter/internal/secret"
)

func ca(t *testing.T) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}

// flags are those of osqueryd 5.23.0 that have to do with a server, as its sources and its documentation name them.
func flags() []string {
	return []string{
		"tls_hostname", "tls_server_certs", "tls_client_cert", "tls_client_key", "tls_session_reuse", "tls_session_timeout", "tls_accept_gzip",
		"enroll_secret_path", "enroll_secret_env", "enroll_tls_endpoint", "enroll_always", "disable_enrollment",
		"config_plugin", "config_tls_endpoint", "config_tls_max_attempts", "config_refresh", "config_accelerated_refresh",
		"logger_plugin", "logger_tls_endpoint", "logger_tls_period", "logger_tls_max_lines", "logger_tls_max_linesize", "logger_tls_compress", "logger_tls_backoff_max",
		"disable_distributed", "distributed_plugin", "distributed_interval", "distributed_tls_read_endpoint", "distributed_tls_write_endpoint",
		"distributed_tls_max_attempts", "distributed_denylist_duration", "distributed_loginfo", "host_identifier", "specified_identifier", "read_max",
	}
}

func TestKit(t *testing.T) {
	t.Parallel()
	cert, _ := ca(t)
	dir := filepath.Join(t.TempDir(), "kit")
	k := kit.Kit{Server: "hunter.example:8443", CA: cert, Secret: secret.New("the secret\n"), Interval: 30 * time.Second}
	names, err := k.Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, name := range names {
		if name != kit.SecretFile && strings.Contains(read(name), "the secret") {
			t.Errorf("%s tells the secret", name)
		}
	}
	if read(kit.SecretFile) != "the secret\n" || read(kit.CAFile) != string(cert) {
		t.Error("the secret or the CA is not as it was given")
	}
	if info, err := os.Stat(filepath.Join(dir, kit.SecretFile)); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	for file, place := range map[string]string{
		"hunter.flags": "/etc/osquery/", "hunter-darwin.flags": "/private/var/osquery/", "hunter-windows.flags": `C:\Program Files\osquery\`,
	} {
		said := map[string]string{}
		for line := range strings.Lines(read(file)) {
			name, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "--"), "=")
			if !ok || !strings.HasPrefix(line, "--") || !slices.Contains(flags(), name) || said[name] != "" {
				t.Errorf("%s: %q is no flag, or is said twice", file, line)
			}
			said[name] = value
		}
		for name, want := range map[string]string{
			"tls_hostname": "hunter.example:8443", "tls_server_certs": place + "hunter-ca.pem", "enroll_secret_path": place + "hunter.secret",
			"enroll_tls_endpoint": "/api/osquery/enroll", "config_plugin": "tls", "config_tls_endpoint": "/api/osquery/config",
			"logger_plugin": "tls", "logger_tls_endpoint": "/api/osquery/log", "disable_distributed": "false", "distributed_plugin": "tls",
			"distributed_tls_read_endpoint": "/api/osquery/distributed/read", "distributed_tls_write_endpoint": "/api/osquery/distributed/write",
			"distributed_interval": "30", "host_identifier": "uuid",
		} {
			if said[name] != want {
				t.Errorf("%s: %s is %q, not %q", file, name, said[name], want)
			}
		}
	}
	if !strings.Contains(read(kit.UnitFile), "ExecStart=\nExecStart=/opt/osquery/bin/osqueryd --flagfile=/etc/osquery/hunter.flags\n") {
		t.Error(read(kit.UnitFile))
	}
	if notes := read(kit.NotesFile); !strings.Contains(notes, "https://hunter.example:8443") || strings.Contains(notes, "%!") {
		t.Error(notes)
	}
	if _, err := k.Write(dir); err != nil {
		t.Errorf("once more: %v", err)
	}
}

func TestFolderOfAgents(t *testing.T) {
	t.Parallel()
	cert, _ := ca(t)
	dir := t.TempDir()
	if _, err := (kit.Kit{Server: "[::1]:8443", CA: cert, Secret: secret.New("s"), Dir: "/opt/kit/"}).Write(dir); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "hunter.flags"))
	if err != nil || !strings.Contains(string(text), "\n--enroll_secret_path=/opt/kit/hunter.secret\n") || !strings.Contains(string(text), "\n--distributed_interval=60\n") {
		t.Errorf("%s, %v", text, err)
	}
}

func TestBadKits(t *testing.T) {
	t.Parallel()
	cert, key := ca(t)
	good := kit.Kit{Server: "hunter.example:8443", CA: cert, Secret: secret.New("s")}
	for name, c := range map[string]struct {
		spoil func(k *kit.Kit)
		says  string
	}{
		"a scheme":     {func(k *kit.Kit) { k.Server = "https://hunter.example:8443" }, "host:port alone"},
		"no port":      {func(k *kit.Kit) { k.Server = "hunter.example" }, "not host:port"},
		"a big port":   {func(k *kit.Kit) { k.Server = "hunter.example:70000" }, "no port"},
		"no host":      {func(k *kit.Kit) { k.Server = ":8443" }, "no host name"},
		"a bad host":   {func(k *kit.Kit) { k.Server = "hunter example\n--x:8443" }, "no host name"},
		"any address":  {func(k *kit.Kit) { k.Server = "0.0.0.0:8443" }, "not where agents reach it"},
		"a key":        {func(k *kit.Kit) { k.CA = slices.Concat(cert, key) }, "private key"},
		"no CA":        {func(k *kit.Kit) { k.CA = []byte("hello") }, "no certificate"},
		"no secret":    {func(k *kit.Kit) { k.Secret = secret.New(" \n") }, "is empty"},
		"two secrets":  {func(k *kit.Kit) { k.Secret = secret.New("a\nb") }, "more than one line"},
		"an odd place": {func(k *kit.Kit) { k.Dir = "/etc\n--x" }, "more than one line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := good
			c.spoil(&k)
			dir := filepath.Join(t.TempDir(), "kit")
			if _, err := k.Write(dir); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Error(err)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("something was written")
			}
		})
	}
	all := kit.Kit{Server: "x"}
	if _, err := all.Write(t.TempDir()); err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("not every fault is told: %v", err)
	}
}
