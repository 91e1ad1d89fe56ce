package wifidirect

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// identity is a certificate for 127.0.0.1, and for clients; signed by the parent, or by itself.
func identity(t *testing.T, name string, parent *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(time.Now().UnixNano()),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(time.Hour),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  parent == nil,
		BasicConstraintsValid: true,
	}
	signer, signerKey := template, any(key)
	if parent != nil {
		signer, signerKey = parent.Leaf, parent.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, signer, key.Public(), signerKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func write(t *testing.T, certificate tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for kind, bytes := range map[string][]byte{"CERTIFICATE": certificate.Certificate[0], "PRIVATE KEY": der} {
		text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
		if err := os.WriteFile(filepath.Join(folder, kind), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(folder, "CERTIFICATE"), filepath.Join(folder, "PRIVATE KEY")
}

// seesCallers answers with who called.
func seesCallers() *scriptedHost {
	return &scriptedHost{
		get: func(ctx context.Context, _ *wifidirectv1.GetSessionRequest) (*wifidirectv1.GetSessionResponse, error) {
			token, name := caller(ctx)
			return &wifidirectv1.GetSessionResponse{Session: &wifidirectv1.Session{}, Cursor: token + "/" + name}, nil
		},
	}
}

func seen(t *testing.T, client *Client) string {
	t.Helper()
	at, err := client.Sessions.Get(t.Context(), "a-session")
	if err != nil {
		t.Fatal(err)
	}
	return at.Cursor
}

func TestOnThisMachineNothingNeedsToBeSaid(t *testing.T) {
	equal(t, seen(t, connected(t, serve(t, seesCallers()))), "/")
}

func TestTokenGoesWithEachCallAndIsAskedForEachTime(t *testing.T) {
	count := 0
	client := connected(t, serve(t, seesCallers()), WithTokenSource(func(context.Context) (string, error) {
		count++
		return fmt.Sprint("token-", count), nil
	}))
	equal(t, seen(t, client), "Bearer token-1/")
	equal(t, seen(t, client), "Bearer token-2/")
}

func TestTokenThatCannotBeHadFailsTheCall(t *testing.T) {
	client := connected(t, serve(t, seesCallers()), WithTokenSource(func(context.Context) (string, error) {
		return "", errors.New("the vault is sealed")
	}))
	_, err := client.Sessions.Get(t.Context(), "a-session")
	equal(t, asError(err).Code, codes.Unavailable)
	equal(t, strings.Contains(err.Error(), "the vault is sealed"), true)
}

func TestTokenNeverGoesToAnotherMachineInClearText(t *testing.T) {
	for _, address := range []string{
		"host.example:50051", "10.0.0.7:50051", "dns:///host.example", "localhost.example:1",
		"::1:5005", // all of it an address
	} {
		_, err := Connect(address, WithClearText(), WithToken("secret"))
		if err == nil || !strings.Contains(err.Error(), "clear text") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestCertificateNamesTheClient(t *testing.T) {
	authority := identity(t, "authority", nil)
	trusted := x509.NewCertPool()
	trusted.AddCert(authority.Leaf)
	address := serve(t, seesCallers(), grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{identity(t, "host", &authority)},
		ClientCAs:    trusted,
		ClientAuth:   tls.VerifyClientCertIfGiven,
	})))
	caFile, _ := write(t, authority)
	certFile, keyFile := write(t, identity(t, "fleet-agent", &authority))

	config, err := LoadTLS(caFile, certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, seen(t, connected(t, address, WithTLS(config))), "/fleet-agent")
	config, err = LoadTLS(caFile, "", "")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, seen(t, connected(t, address, WithTLS(config), WithToken("secret"))), "Bearer secret/")
	_, err = connected(t, address, WithTLS(&tls.Config{})).Sessions.Get(t.Context(), "a-session")
	equal(t, asError(err).Code, codes.Unavailable)
}
