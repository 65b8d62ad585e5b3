package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"

	"golang.org/x/crypto/acme/autocert"

	"github.com/fastdrain/fastdrain/tests/compat/client"
)

// cached serves TLS with autocert, whose cache has the certificate already.
func cached(e *env) error {
	dir, err := os.MkdirTemp("", "autocert")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cert := client.Certificate()
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		return err
	}
	var text bytes.Buffer
	_ = pem.Encode(&text, &pem.Block{Type: "EC PRIVATE KEY", Bytes: key})
	_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
	if err := os.WriteFile(filepath.Join(dir, client.ServerName), text.Bytes(), 0o600); err != nil {
		return err
	}
	ln, err := e.listen()
	if err != nil {
		return err
	}
	m := autocert.Manager{
		Prompt:     autocert.AcceptTOS,
		HostPolicy: autocert.HostWhitelist(client.ServerName),
		Cache:      autocert.DirCache(dir),
	}
	conf := m.TLSConfig()
	conf.NextProtos = nil // without HTTP/2, which fasthttp does not speak
	return e.serve(e.server(), tls.NewListener(ln, conf))
}
