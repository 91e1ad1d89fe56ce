package io.github.wifidirectgateway;

import io.github.wifidirectgateway.v1.GetHostRequest;
import io.github.wifidirectgateway.v1.GetHostResponse;
import io.github.wifidirectgateway.v1.HostServiceGrpc;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** A client of one host. Thread-safe. It connects at the first call, and again when the connection breaks. */
public final class GatewayClient implements AutoCloseable {
    private final Connection connection;
    private final Sessions sessions;
    private final Devices devices;

    private GatewayClient(Connection connection) {
        this.connection = connection;
        sessions = new Sessions(connection);
        devices = new Devices(connection);
    }

    /**
     * Creates a client with default options: in clear text to this machine, with TLS to any other.
     *
     * @param address see {@link #builder}
     * @return the client, which the caller must close
     */
    public static GatewayClient connect(String address) {
        return builder(address).connect();
    }

    /**
     * Returns a builder for a client with other options.
     *
     * @param address {@code host:port} or {@code unix:/path}
     * @return the builder; {@link Builder#connect} creates the client
     */
    public static Builder builder(String address) {
        return new Builder(address);
    }

    /**
     * Returns the calls for sessions.
     *
     * @return the calls for sessions
     */
    public Sessions sessions() {
        return sessions;
    }

    /**
     * Returns the calls for devices.
     *
     * @return the calls for devices
     */
    public Devices devices() {
        return devices;
    }

    /**
     * Returns the identity, state, versions and limits of the host.
     *
     * @return the answer of the host
     */
    public GetHostResponse host() {
        return connection.call(
                () -> HostServiceGrpc.newBlockingStub(channel()).getHost(GetHostRequest.getDefaultInstance()));
    }

    /**
     * Returns the health that the host reports to load balancers and probes.
     *
     * @return the status
     */
    public HealthCheckResponse.ServingStatus health() {
        return health("");
    }

    /**
     * Returns the health of one service of the host. Throws {@code NOT_FOUND} for an unknown service.
     *
     * @param service for example {@code wifidirect.v1.SessionService}; empty means the host itself
     * @return the status
     */
    public HealthCheckResponse.ServingStatus health(String service) {
        var request = HealthCheckRequest.newBuilder().setService(service).build();
        return connection
                .call(() -> HealthGrpc.newBlockingStub(channel()).check(request))
                .getStatus();
    }

    /**
     * Returns the channel, for generated clients. They throw {@link io.grpc.StatusRuntimeException}, which
     * {@link GatewayException#from} decodes.
     *
     * @return the channel, with the token and the default deadline
     */
    public Channel channel() {
        return connection.channel();
    }

    /** Ends every call, stream and watch with {@code CANCELLED}, and closes the connection. Idempotent. */
    @Override
    public void close() {
        connection.close();
    }

    /** The options of a client. */
    public static final class Builder {
        /** The shortest time that an attempt to connect can be given. */
        private static final Duration CONNECT_TIMEOUT_MIN = Duration.ofMillis(1);

        final String address;
        Supplier<String> token;
        Supplier<Metadata> metadata;
        /** 0 means none. */
        Duration timeout = Duration.ofSeconds(10);

        Duration connectTimeout = Duration.ofSeconds(10);
        private ChannelCredentials credentials;
        private Path caFile;
        private Path certificateFile;
        private Path keyFile;
        Consumer<ManagedChannelBuilder<?>> channel = builder -> {};

        private Builder(String address) {
            this.address = address;
        }

        /**
         * Sets the credentials of the channel: {@link io.grpc.TlsChannelCredentials}, or
         * {@link io.grpc.InsecureChannelCredentials} for clear text even to another machine, for tests only. Default:
         * clear text for connections to this machine ({@code localhost}, {@code 127.x.x.x}, {@code [::1]},
         * {@code unix:}), otherwise TLS with the authorities that the system trusts.
         *
         * @param credentials the credentials
         * @return this
         */
        public Builder credentials(ChannelCredentials credentials) {
            this.credentials = credentials;
            return this;
        }

        /**
         * Uses TLS, and trusts the certificates of this PEM file instead of those that Java trusts. They are
         * authorities, or the host's own certificate. Can't be combined with {@link #credentials}.
         *
         * @param file the PEM file; several of its certificates can have the same subject
         * @return this
         */
        public Builder caFile(Path file) {
            caFile = file;
            return this;
        }

        /**
         * Uses TLS with a client certificate (mTLS). Can't be combined with {@link #credentials}.
         *
         * @param certificate a PEM file of the certificate with its chain
         * @param key a PEM file of its private key, not encrypted: PKCS#8, PKCS#1 or SEC1; RSA, elliptic curve or
         *     Ed25519
         * @return this
         */
        public Builder identityFiles(Path certificate, Path key) {
            certificateFile = certificate;
            keyFile = key;
            return this;
        }

        /**
         * Sends this bearer token with each call.
         *
         * @param token without the word {@code Bearer}
         * @return this
         * @throws IllegalArgumentException if a header can't hold the token
         */
        public Builder token(String token) {
            try {
                BearerToken.sendable(token);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("token: " + e.getMessage(), e);
            }
            return token(() -> token);
        }

        /**
         * Sends a bearer token with each call, for tokens that change.
         *
         * @param token called for each call to get the current token; if it throws, the call fails with
         *     {@code UNAVAILABLE}
         * @return this
         */
        public Builder token(Supplier<String> token) {
            this.token = token;
            return this;
        }

        /**
         * Adds metadata to each call, such as a {@code traceparent}.
         *
         * @param metadata called for each call, and for each attempt of a watch, on the thread of the caller; if it
         *     throws, the call fails with {@code UNAVAILABLE}
         * @return this
         */
        public Builder metadata(Supplier<Metadata> metadata) {
            this.metadata = metadata;
            return this;
        }

        /**
         * Sets the timeout of unary calls for which the current {@link io.grpc.Context} has no deadline.
         *
         * @param timeout more than 0; default 10 s
         * @return this
         * @throws IllegalArgumentException if it is 0 or negative
         */
        public Builder timeout(Duration timeout) {
            if (timeout.isZero() || timeout.isNegative()) {
                throw new IllegalArgumentException("timeout: must be more than 0; noTimeout() is no bound");
            }
            this.timeout = timeout;
            return this;
        }

        /**
         * Sets no timeout for unary calls.
         *
         * @return this
         */
        public Builder noTimeout() {
            timeout = Duration.ZERO;
            return this;
        }

        /**
         * Sets the time limit of each attempt to connect: TCP, TLS and the first HTTP/2 settings of the host.
         *
         * @param timeout at least 1 ms; default 10 s
         * @return this
         * @throws IllegalArgumentException if it is less
         */
        public Builder connectTimeout(Duration timeout) {
            if (timeout.compareTo(CONNECT_TIMEOUT_MIN) < 0) {
                throw new IllegalArgumentException("connectTimeout: must be 1 ms or more");
            }
            connectTimeout = timeout;
            return this;
        }

        /**
         * Changes the builder of the channel after this library. Its settings override those of this library.
         *
         * @param channel called with the builder of the channel
         * @return this
         */
        public Builder channel(Consumer<ManagedChannelBuilder<?>> channel) {
            this.channel = channel;
            return this;
        }

        /**
         * Creates the client. Does not wait for the connection.
         *
         * @return the client, which the caller must close
         * @throws IllegalArgumentException if the address or an option is invalid: a file that can't be used, a token
         *     that would be sent to another machine in clear text
         */
        public GatewayClient connect() {
            return new GatewayClient(new Connection(this));
        }

        ChannelCredentials credentialsFor(Address address) {
            boolean hasFiles = caFile != null || certificateFile != null || keyFile != null;
            if (credentials != null && hasFiles) {
                throw new IllegalArgumentException("credentials and files exclude each other");
            }
            if (credentials != null) {
                return credentials;
            }
            return address.isThisMachine() && !hasFiles
                    ? InsecureChannelCredentials.create()
                    : PemFiles.credentials(caFile, certificateFile, keyFile);
        }
    }
}
