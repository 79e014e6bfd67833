package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// bareChild is the name under which this program is a bare handler.
const bareChild = "bare"

// bare is the least that a poll can cost in Go: TLS, decode the body, look the key up in a map, answer.
func bare(ctx context.Context, args []string) error {
	var dir string
	var hosts int
	if err := flags(bareChild, args, func(f *flag.FlagSet) {
		f.StringVar(&dir, "dir", "", "folder for ca.pem")
		f.IntVar(&hosts, "hosts", 2000, "keys in the map: bare-0, bare-1, …")
	}); err != nil {
		return err
	}
	cert, err := selfSigned(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return err
	}
	known := make(map[[sha256.Size]byte]int, hosts)
	for i := range hosts {
		known[sha256.Sum256([]byte(bareKey(i)))] = i
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: barePoll(known), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}},
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	fmt.Fprintf(os.Stderr, "ready https://%s\n", listener.Addr())
	if err := server.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func bareKey(i int) string { return fmt.Sprintf("bare-%d", i) }

// barePoll answers every known key with an empty list of queries.
func barePoll(known map[[sha256.Size]byte]int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<18))
		var got struct {
			NodeKey string `json:"node_key"`
		}
		if err == nil {
			err = json.Unmarshal(body, &got)
		}
		_, ok := known[sha256.Sum256([]byte(got.NodeKey))]
		w.Header().Set("Content-Type", "application/json")
		if err != nil || !ok {
			_, _ = io.WriteString(w, `{"node_invalid":true}`)
			return
		}
		_, _ = io.WriteString(w, `{"queries":{}}`)
	}
}

// selfSigned makes a certificate for localhost, and writes it for the clients.
func selfSigned(file string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bare"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	err = os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
