package io.github.wifidirectgateway;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/**
 * TLS from PEM files. Several authorities can have the same name, and keys can be PKCS#8, PKCS#1 or SEC1, of RSA, an
 * elliptic curve or Ed25519.
 */
final class PemFiles {
    private static final Pattern BLOCK =
            Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \\1-----", Pattern.DOTALL);
    private static final byte[] RSA = HexFormat.of().parseHex("300d06092a864886f70d0101010500");
    private static final byte[] EC_PUBLIC_KEY = HexFormat.of().parseHex("06072a8648ce3d0201");
    private static final byte[] VERSION_0 = {0x02, 0x01, 0x00};
    private static final int SEQUENCE = 0x30;
    private static final int OCTET_STRING = 0x04;
    /** The curve of a SEC1 key. */
    private static final int PARAMETERS = 0xa0;
    /** The signature algorithm for each algorithm of a key. */
    private static final Map<String, String> SIGNATURES =
            Map.of("RSA", "SHA256withRSA", "EC", "SHA256withECDSA", "EdDSA", "Ed25519");

    private record Block(String kind, byte[] content) {}

    private PemFiles() {}

    /**
     * Returns credentials that trust the certificates of one file, and use the client certificate of another.
     *
     * @param authorities null means those that Java trusts
     * @param certificate null means no client certificate
     * @param key the key of the certificate
     */
    static ChannelCredentials credentials(Path authorities, Path certificate, Path key) {
        var credentials = TlsChannelCredentials.newBuilder();
        if (authorities != null) {
            credentials.trustManager(trusting(authorities));
        }
        if ((certificate == null) != (key == null)) {
            throw new IllegalArgumentException("a certificate and its key go together");
        }
        if (certificate != null) {
            credentials.keyManager(new Identity(identity(certificate, key), privateKey(key)));
        }
        return credentials.build();
    }

    /** Each under its own name, because gRPC's reader keeps only one certificate of each subject. */
    private static TrustManager[] trusting(Path file) {
        try {
            var store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            int count = 0;
            for (var authority : certificates(file)) {
                store.setCertificateEntry("authority-" + count++, authority);
            }
            var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory.getTrustManagers();
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException(file + " can't be trusted: " + e.getMessage(), e);
        }
    }

    private static X509Certificate[] identity(Path certificate, Path key) {
        var chain = certificates(certificate);
        if (!belongTogether(chain.get(0).getPublicKey(), privateKey(key))) {
            throw new IllegalArgumentException(
                    "%s is not the key of the first certificate of %s".formatted(key, certificate));
        }
        return chain.toArray(X509Certificate[]::new);
    }

    static List<X509Certificate> certificates(Path file) {
        var certificates = new ArrayList<X509Certificate>();
        for (var block : read(file)) {
            if (block.kind().endsWith("CERTIFICATE")) {
                certificates.add(certificate(file, block));
            }
        }
        if (certificates.isEmpty()) {
            throw new IllegalArgumentException(file + " holds no certificate");
        }
        return certificates;
    }

    private static X509Certificate certificate(Path file, Block block) {
        try {
            return (X509Certificate) CertificateFactory.getInstance("X.509")
                    .generateCertificate(new ByteArrayInputStream(block.content()));
        } catch (GeneralSecurityException e) {
            throw new IllegalArgumentException(file + " holds a certificate that can't be read: " + e.getMessage(), e);
        }
    }

    static PrivateKey privateKey(Path file) {
        byte[] curve = {};
        for (var block : read(file)) {
            switch (block.kind()) {
                case "EC PARAMETERS" -> curve = block.content();
                case "PRIVATE KEY" -> {
                    return privateKey(file, block.content());
                }
                case "RSA PRIVATE KEY" -> {
                    return privateKey(file, wrap(RSA, block.content()));
                }
                case "EC PRIVATE KEY" -> {
                    return privateKey(file, wrap(ellipticCurve(file, block.content(), curve), block.content()));
                }
                default -> {}
            }
        }
        throw new IllegalArgumentException(file + " holds no private key");
    }

    private static PrivateKey privateKey(Path file, byte[] pkcs8) {
        for (var algorithm : List.of("RSA", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
            } catch (GeneralSecurityException e) {
                // The key is of another algorithm.
            }
        }
        throw new IllegalArgumentException(
                file + " holds a private key that Java can't use: it takes RSA, elliptic curve and Ed25519");
    }

    private static List<Block> read(Path file) {
        String text;
        try {
            text = Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new IllegalArgumentException("can't read " + file + ": " + e, e);
        }
        if (text.contains("ENCRYPTED")) {
            throw new IllegalArgumentException(
                    "%s is encrypted; decrypt it: openssl pkey -in %s -out plain.key".formatted(file, file));
        }
        var blocks = new ArrayList<Block>();
        var found = BLOCK.matcher(text);
        while (found.find()) {
            try {
                blocks.add(new Block(found.group(1), Base64.getMimeDecoder().decode(found.group(2))));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(file + " is a broken PEM file: " + e.getMessage(), e);
            }
        }
        return blocks;
    }

    /** Wraps a key of an older form in PKCS#8 (RFC 5958). */
    private static byte[] wrap(byte[] algorithm, byte[] key) {
        return element(SEQUENCE, VERSION_0, algorithm, element(OCTET_STRING, key));
    }

    /** Returns the algorithm of a SEC1 key (RFC 5915). Its curve is in the key, or before it in the file. */
    private static byte[] ellipticCurve(Path file, byte[] key, byte[] curveBefore) {
        try {
            var parts = contents(ByteBuffer.wrap(key));
            while (parts.hasRemaining()) {
                boolean isCurve = (parts.get(parts.position()) & 0xff) == PARAMETERS;
                var part = contents(parts);
                if (isCurve) {
                    byte[] curve = new byte[part.remaining()];
                    part.get(curve);
                    return element(SEQUENCE, EC_PUBLIC_KEY, curve);
                }
            }
        } catch (RuntimeException broken) {
            throw new IllegalArgumentException(file + " holds a private key that can't be read", broken);
        }
        return element(SEQUENCE, EC_PUBLIC_KEY, curveBefore);
    }

    /** Returns the contents of the next DER element, and moves the buffer behind it. */
    private static ByteBuffer contents(ByteBuffer der) {
        der.get();
        int length = der.get() & 0xff;
        if (length > 0x80) {
            int bytes = length - 0x80;
            length = 0;
            for (int i = 0; i < bytes; i++) {
                length = length << 8 | der.get() & 0xff;
            }
        }
        var contents = der.slice(der.position(), length);
        der.position(der.position() + length);
        return contents;
    }

    private static byte[] element(int tag, byte[]... parts) {
        var contents = new ByteArrayOutputStream();
        for (var part : parts) {
            contents.writeBytes(part);
        }
        var element = new ByteArrayOutputStream();
        element.write(tag);
        int length = contents.size();
        if (length < 0x80) {
            element.write(length);
        } else {
            int bytes = (Integer.SIZE - Integer.numberOfLeadingZeros(length) + 7) / 8;
            element.write(0x80 + bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                element.write(length >> 8 * i);
            }
        }
        element.writeBytes(contents.toByteArray());
        return element.toByteArray();
    }

    /** Whether the public key verifies a signature of the private key. */
    private static boolean belongTogether(PublicKey shown, PrivateKey key) {
        try {
            var signature = Signature.getInstance(SIGNATURES.getOrDefault(key.getAlgorithm(), key.getAlgorithm()));
            byte[] text = {1, 2, 3};
            signature.initSign(key);
            signature.update(text);
            byte[] signed = signature.sign();
            signature.initVerify(shown);
            signature.update(text);
            return signature.verify(signed);
        } catch (GeneralSecurityException e) {
            return false;
        }
    }
}
