package wifidirect

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
)

// LoadTLS reads PEM files and returns a configuration for WithTLS. caFile contains the CA
// certificates to verify the host with, or the certificate of the host itself; if it is empty, the
// CAs of the system are used. certFile and keyFile are for mutual TLS: the client certificate with
// its chain, and its key without a password. Keys can be PKCS#8, PKCS#1 or SEC1.
func LoadTLS(caFile, certFile, keyFile string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		_, blocks, err := readPEM(caFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		if err := addCertificates(config.RootCAs, caFile, blocks); err != nil {
			return nil, err
		}
	}
	if certFile == "" && keyFile == "" {
		return config, nil
	}
	if certFile == "" || keyFile == "" {
		return nil, invalid("tls", "has a certificate without its key, or a key without its certificate")
	}
	own, err := loadIdentity(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	config.Certificates = []tls.Certificate{own}
	return config, nil
}

func addCertificates(pool *x509.CertPool, file string, blocks []*pem.Block) error {
	found := false
	for _, block := range blocks {
		if block.Type != "CERTIFICATE" {
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return invalid("tls", "%s contains an invalid certificate: %v", file, err)
		}
		pool.AddCert(certificate)
		found = true
	}
	if !found {
		return invalid("tls", "%s contains no certificate, but %s%s", file, listed(blocks), adviceFor(blocks))
	}
	return nil
}

func loadIdentity(certFile, keyFile string) (tls.Certificate, error) {
	certPEM, certBlocks, err := readPEM(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, keyBlocks, err := readPEM(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	if advice := adviceFor(keyBlocks); advice != "" {
		return tls.Certificate{}, invalid("tls", "%s can't be used%s", keyFile, advice)
	}
	own, wrong := tls.X509KeyPair(certPEM, keyPEM)
	if wrong != nil {
		return own, invalid("tls", "%s (%s) and %s (%s) are not a certificate and its key: %v",
			certFile, listed(certBlocks), keyFile, listed(keyBlocks), wrong)
	}
	return own, nil
}

func readPEM(file string) ([]byte, []*pem.Block, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, invalid("tls", "%v", err)
	}
	blocks := []*pem.Block{}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks = append(blocks, block)
	}
	if len(blocks) > 0 {
		return data, blocks, nil
	}
	if len(data) > 0 && data[0] == 0x30 {
		return nil, nil, invalid("tls", "%s is binary, but must be PEM. To convert DER of a certificate: openssl x509 -inform DER "+
			"-in FILE -out FILE.pem; of a key: openssl pkey -inform DER -in FILE -out FILE.pem; PKCS#12 (.pfx, .p12): "+
			"openssl pkcs12 -nodes -in FILE -out FILE.pem", file)
	}
	return nil, nil, invalid("tls", `%s is not PEM: it has no "-----BEGIN ...-----" with its END`, file)
}

// adviceFor returns how to convert a file that Go can't read. It is empty if Go can read it.
func adviceFor(blocks []*pem.Block) string {
	for _, block := range blocks {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return ": it is encrypted; decrypt it: openssl pkey -in KEY -out PLAIN.pem"
		case block.Type == "OPENSSH PRIVATE KEY":
			return ": it is an OpenSSH key; convert a copy: ssh-keygen -p -N '' -m PKCS8 -f COPY"
		case block.Type == "TRUSTED CERTIFICATE":
			return "; convert it: openssl x509 -in FILE -out FILE.pem"
		}
	}
	return ""
}

func listed(blocks []*pem.Block) string {
	types := []string{}
	for _, block := range blocks {
		types = append(types, block.Type)
	}
	return strings.Join(types, ", ")
}
