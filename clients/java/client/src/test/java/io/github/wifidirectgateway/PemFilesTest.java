package io.github.wifidirectgateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.wifidirectgateway.v1.GetSessionResponse;
import io.github.wifidirectgateway.v1.Session;
import io.grpc.Status;
import io.grpc.TlsServerCredentials;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With the files that openssl makes. */
@Timeout(60)
class PemFilesTest {
    @TempDir
    private Path folder;

    @BeforeEach
    void hasOpenssl() {
        try {
            openssl("version");
        } catch (IOException e) {
            Assumptions.abort("this machine has no openssl");
        }
    }

    private void openssl(String line) throws IOException {
        var process = new ProcessBuilder(("openssl " + line).split(" "))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        var told = new String(process.getInputStream().readAllBytes());
        try {
            assertEquals(0, process.waitFor(), line + ": " + told);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Path path(String name) {
        return folder.resolve(name);
    }

    /** A certificate of this name, by its own key. */
    private void selfSigned(String name, String subject) throws IOException {
        openssl(
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -keyout %s.key -out %s.pem -days 9 -subj /CN=%s -addext subjectAltName=DNS:localhost"
                        .formatted(name, name, subject));
    }

    @ParameterizedTest
    @CsvSource({
        "sec1, ecparam -name prime256v1 -genkey -out, EC PARAMETERS",
        "pkcs1, genrsa -traditional -out, RSA PRIVATE KEY",
        "pkcs8, genpkey -algorithm rsa -out, BEGIN PRIVATE KEY",
        "ec8, genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384 -out, BEGIN PRIVATE KEY"
    })
    void hostKnowsWhoeverShowsACertificateOfAnyKind(String name, String recipe, String looksLike) throws IOException {
        openssl(recipe + " agent.key");
        assertTrue(Files.readString(path("agent.key")).contains(looksLike));
        openssl("req -x509 -key agent.key -out agent.pem -days 9 -subj /CN=" + name);
        selfSigned("host", "localhost");
        try (var host = new ScriptedHost(credentials()
                        .trustManager(path("agent.pem").toFile())
                        .clientAuth(TlsServerCredentials.ClientAuth.REQUIRE)
                        .build());
                var client = GatewayClient.builder(host.addressByName())
                        .caFile(path("host.pem"))
                        .identityFiles(path("agent.pem"), path("agent.key"))
                        .connect()) {
            host.get = request -> GetSessionResponse.newBuilder()
                    .setSession(Session.getDefaultInstance())
                    .setCursor("seen")
                    .build();
            assertEquals("seen", client.sessions().get("a-session").cursor());
        }
    }

    /** Which servers on BoringSSL, such as this test's, don't take; those on OpenSSL, such as a host, do. */
    @Test
    void ed25519IsTakenToo() throws IOException {
        openssl("req -x509 -newkey ed25519 -noenc -keyout agent.key -out agent.pem -days 9 -subj /CN=agent");
        assertEquals("EdDSA", PemFiles.privateKey(path("agent.key")).getAlgorithm());
        PemFiles.credentials(path("agent.pem"), path("agent.pem"), path("agent.key"));
    }

    private TlsServerCredentials.Builder credentials() throws IOException {
        return TlsServerCredentials.newBuilder()
                .keyManager(path("host.pem").toFile(), path("host.key").toFile());
    }

    /** What a client that trusts this file says of the host. */
    private GatewayException told(String trusted) throws IOException {
        try (var host = new ScriptedHost(credentials().build());
                var client = GatewayClient.builder(host.addressByName())
                        .caFile(path(trusted))
                        .connect()) {
            return assertThrows(GatewayException.class, client::host);
        }
    }

    @Test
    void twoAuthoritiesOfOneNameAreBothTrusted() throws IOException {
        selfSigned("old", "Authority");
        selfSigned("new", "Authority");
        var both = List.of(Files.readString(path("old.pem")), Files.readString(path("new.pem")));
        for (var order : List.of(both, List.of(both.get(1), both.get(0)))) {
            Files.writeString(path("both.pem"), String.join("", order));
            for (var name : List.of("old", "new")) {
                Files.copy(path(name + ".pem"), path("host.pem"), StandardCopyOption.REPLACE_EXISTING);
                Files.copy(path(name + ".key"), path("host.key"), StandardCopyOption.REPLACE_EXISTING);
                var failure = told("both.pem");
                assertEquals(Status.Code.UNIMPLEMENTED, failure.code(), failure.getMessage());
            }
        }
    }

    @Test
    void hostThatNobodyTrustedHasSignedIsToldSo() throws IOException {
        selfSigned("host", "localhost");
        selfSigned("other", "Other");
        var failure = told("other.pem");
        assertEquals(Status.Code.UNAVAILABLE, failure.code());
        assertTrue(failure.getMessage().contains("certification path"), failure.getMessage());
    }

    @Test
    void filesThatCannotBeUsedAreNamed() throws IOException {
        selfSigned("one", "one");
        selfSigned("two", "two");
        openssl("pkey -in one.key -aes256 -passout pass:secret -out locked.key");
        assertEquals(path("one.key") + " holds no certificate", refusal("one.key", "one.pem", "one.key"));
        assertEquals(path("one.pem") + " holds no private key", refusal("one.pem", "one.pem", "one.pem"));
        assertTrue(refusal("no-such.pem", "one.pem", "one.key").startsWith("can't read " + path("no-such.pem")));
        assertTrue(refusal("one.pem", "one.pem", "locked.key").contains("openssl pkey -in"));
        assertTrue(refusal("one.pem", "one.pem", "two.key").contains("is not the key of"));
        var builder = GatewayClient.builder("localhost:1").identityFiles(path("one.pem"), null);
        assertThrows(IllegalArgumentException.class, builder::connect);
    }

    private String refusal(String trusted, String certificate, String key) {
        var builder =
                GatewayClient.builder("localhost:1").caFile(path(trusted)).identityFiles(path(certificate), path(key));
        return assertThrows(IllegalArgumentException.class, builder::connect).getMessage();
    }
}
