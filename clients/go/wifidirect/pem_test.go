package wifidirect

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
)

// made is a folder of what these commands make, a command a line.
func made(t *testing.T, commands string) func(name string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("there is no openssl")
	}
	folder := t.TempDir()
	for _, command := range strings.Split(strings.TrimSpace(commands), "\n") {
		run := exec.Command("sh", "-c", command)
		run.Dir = folder
		if told, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, told)
		}
	}
	return func(name string) string { return filepath.Join(folder, name) }
}

const authorities = `
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=The CA" -addext keyUsage=keyCertSign -keyout ca.key -out ca.pem
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=The CA" -addext keyUsage=keyCertSign -keyout other.key -out other.pem
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' >leaf.ext`

// signed is the command that makes a certificate for a key.
func signed(name string) string {
	return "\nopenssl req -new -key " + name + ".key -subj /CN=" + name +
		" | openssl x509 -req -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out " + name + ".pem"
}

const keys = `
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out pkcs8.key
openssl genrsa -traditional -out pkcs1.key 2048
openssl ecparam -name prime256v1 -genkey -out ecparam.key
openssl ec -in ecparam.key -out sec1.key
openssl genpkey -algorithm ed25519 -out ed25519.key
openssl pkcs8 -topk8 -in pkcs8.key -passout pass:secret -out encrypted.key
openssl rsa -in pkcs1.key -traditional -aes128 -passout pass:secret -out old-encrypted.key
openssl x509 -in ca.pem -trustout -out trusted.pem
openssl x509 -in ca.pem -outform DER -out ca.der
cat other.pem ca.pem >both.pem
cat ca.pem other.pem >other-way-round.pem
sed 's/^MII/MI!/' ca.pem >damaged.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout self.key -out self.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE -keyout leaf.key -out leaf.pem`

// certificates is a folder of keys and certificates as people make them.
func certificates(t *testing.T) func(name string) string {
	t.Helper()
	return made(t, authorities+keys+
		signed("pkcs8")+signed("pkcs1")+signed("ecparam")+signed("sec1")+signed("ed25519"))
}

// hostWith is a host with this certificate that sees who calls, by the name "localhost".
func hostWith(t *testing.T, path func(string) string, name string) string {
	t.Helper()
	own, err := tls.LoadX509KeyPair(path(name+".pem"), path(name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(path("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	config := &tls.Config{Certificates: []tls.Certificate{own}, ClientCAs: trusted, ClientAuth: tls.VerifyClientCertIfGiven}
	address := serve(t, seesCallers(), grpc.Creds(credentials.NewTLS(config)))
	return strings.Replace(address, "127.0.0.1", "localhost", 1)
}

func TestKeysAndCertificatesAreTakenAsPeopleHaveThem(t *testing.T) {
	path := certificates(t)
	for what, files := range map[string]struct{ host, ca, own string }{
		"PKCS#8":                               {"pkcs8", "ca", "pkcs8"},
		"PKCS#1":                               {"pkcs1", "ca", "pkcs1"},
		"SEC1":                                 {"sec1", "ca", "sec1"},
		"EC PARAMETERS first":                  {"ecparam", "ca", "ecparam"},
		"Ed25519":                              {"ed25519", "ca", "ed25519"},
		"self-signed, CA:TRUE":                 {"self", "self", ""},
		"self-signed, CA:FALSE":                {"leaf", "leaf", ""},
		"the host's own, alone":                {"pkcs8", "pkcs8", ""},
		"two authorities of one name":          {"pkcs8", "both", ""},
		"two authorities, the other way round": {"pkcs8", "other-way-round", ""},
	} {
		t.Run(what, func(t *testing.T) {
			certFile, keyFile := "", ""
			if files.own != "" {
				certFile, keyFile = path(files.own+".pem"), path(files.own+".key")
			}
			config, err := LoadTLS(path(files.ca+".pem"), certFile, keyFile)
			if err != nil {
				t.Fatal(err)
			}
			equal(t, seen(t, connected(t, hostWith(t, path, files.host), WithTLS(config))), "/"+files.own)
		})
	}
}

func TestCertificateThatIsNotTrustedIsNamed(t *testing.T) {
	path := certificates(t)
	config, err := LoadTLS(path("other.pem"), "", "")
	equal(t, err, nil)
	_, err = connected(t, hostWith(t, path, "pkcs8"), WithTLS(config)).Sessions.Get(t.Context(), "a-session")
	equal(t, asError(err).Code, codes.Unavailable)
	equal(t, strings.Contains(err.Error(), "certificate signed by unknown authority"), true)
}

func TestFilesThatCannotBeUsedAreNamedWithWhatToDo(t *testing.T) {
	path := certificates(t)
	for _, files := range []struct{ ca, cert, key, want string }{
		{"no-such.pem", "", "", "no-such.pem"},
		{"pkcs8.key", "", "", "contains no certificate, but PRIVATE KEY"},
		{"trusted.pem", "", "", "openssl x509 -in FILE"},
		{"ca.der", "", "", "openssl x509 -inform DER"},
		{"leaf.ext", "", "", "is not PEM"},
		{"damaged.pem", "", "", "is not PEM"},
		{"", "pkcs8.pem", "", "without its key"},
		{"", "", "pkcs8.key", "without its certificate"},
		{"", "pkcs8.pem", "pkcs1.key", "private key type does not match"},
		{"", "pkcs8.key", "pkcs8.pem", "switched"},
		{"", "pkcs8.pem", "encrypted.key", "openssl pkey -in KEY -out PLAIN.pem"},
		{"", "pkcs1.pem", "old-encrypted.key", "openssl pkey -in KEY -out PLAIN.pem"},
	} {
		named := func(name string) string {
			if name == "" {
				return ""
			}
			return path(name)
		}
		_, err := LoadTLS(named(files.ca), named(files.cert), named(files.key))
		if err == nil || asError(err).Code != codes.InvalidArgument || !strings.Contains(err.Error(), files.want) {
			t.Errorf("%v is not about %q", err, files.want)
		}
	}
}
