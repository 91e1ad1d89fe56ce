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

/**
 * One host. It is cheap to keep, and safe for use by several threads: it connects when it is first used, and again when
 * it has to.
 */
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
     * Makes a client with nothing but defaults: in clear text to this machine, by TLS to any other.
     *
     * @param address as in {@link #builder}
     * @return the client, to be closed
     */
    public static GatewayClient connect(String address) {
        return builder(address).connect();
    }

    /**
     * Begins a client with options.
     *
     * @param address {@code host:port}, or {@code unix:/path}
     * @return the options, to end with {@link Builder#connect}
     */
    public static Builder builder(String address) {
        return new Builder(address);
    }

    /**
     * Opens, closes and follows sessions.
     *
     * @return the calls for sessions
     */
    public Sessions sessions() {
        return sessions;
    }

    /**
     * Tells which devices can be connected to.
     *
     * @return the calls for devices
     */
    public Devices devices() {
        return devices;
    }

    /**
     * Tells which host this is, whether it can do its work, on what it runs, and its limits.
     *
     * @return what the host says of itself
     */
    public GetHostResponse host() {
        return connection.call(
                () -> HostServiceGrpc.newBlockingStub(channel()).getHost(GetHostRequest.getDefaultInstance()));
    }

    /**
     * What the host tells load balancers and probes of itself.
     *
     * @return the status
     */
    public HealthCheckResponse.ServingStatus health() {
        return health("");
    }

    /**
     * What the host tells load balancers and probes of one of its services. {@code NOT_FOUND} for a service that it
     * doesn't know.
     *
     * @param service such as {@code wifidirect.v1.SessionService}; empty: the host itself
     * @return the status
     */
    public HealthCheckResponse.ServingStatus health(String service) {
        var request = HealthCheckRequest.newBuilder().setService(service).build();
        return connection
                .call(() -> HealthGrpc.newBlockingStub(channel()).check(request))
                .getStatus();
    }

    /**
     * The connection itself, for generated clients. These fail with {@link io.grpc.StatusRuntimeException}, which
     * {@link GatewayException#from} decodes.
     *
     * @return the channel, with the token and the default deadline
     */
    public Channel channel() {
        return connection.channel();
    }

    /** Ends every call, stream and watch with {@code CANCELLED}, and the connection. Harmless to repeat. */
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
        /** 0: none. */
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
         * What TLS trusts and shows, see {@link io.grpc.TlsChannelCredentials}; or
         * {@link io.grpc.InsecureChannelCredentials} for clear text also to another machine: for laboratories. Without
         * it, connections to this machine ({@code localhost}, {@code 127.x.x.x}, {@code [::1]}, {@code unix:}) are in
         * clear text, and those to any other are TLS, trusting what the system trusts.
         *
         * @param credentials they replace what this library would choose
         * @return this
         */
        public Builder credentials(ChannelCredentials credentials) {
            this.credentials = credentials;
            return this;
        }

        /**
         * Uses TLS, and trusts the certificates of this PEM file instead of those that Java trusts: authorities, or the
         * host's own certificate. It excludes {@link #credentials}.
         *
         * @param file of which several may have one name
         * @return this
         */
        public Builder caFile(Path file) {
            caFile = file;
            return this;
        }

        /**
         * Uses TLS, and shows the client's own certificate (mTLS). It excludes {@link #credentials}.
         *
         * @param certificate a PEM file of it, with its chain
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
         * @throws IllegalArgumentException where no header can hold it
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
         * @param token asked for the current token at each call; the call fails {@code UNAVAILABLE} where it throws
         * @return this
         */
        public Builder token(Supplier<String> token) {
            this.token = token;
            return this;
        }

        /**
         * Adds metadata to each call, such as a {@code traceparent}.
         *
         * @param metadata asked once for each call, and for each attempt of a watch, on the thread of the caller; the
         *     call fails {@code UNAVAILABLE} where it throws
         * @return this
         */
        public Builder metadata(Supplier<Metadata> metadata) {
            this.metadata = metadata;
            return this;
        }

        /**
         * Bounds unary calls where the current {@link io.grpc.Context} has no deadline.
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
         * Lets unary calls take as long as they take.
         *
         * @return this
         */
        public Builder noTimeout() {
            timeout = Duration.ZERO;
            return this;
        }

        /**
         * Bounds each attempt to connect: TCP, TLS and the first answer of the host.
         *
         * @param timeout 1 ms or more; default 10 s
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
         * Sets whatever else gRPC has to offer; it wins over what this library sets.
         *
         * @param channel is handed the builder of the channel
         * @return this
         */
        public Builder channel(Consumer<ManagedChannelBuilder<?>> channel) {
            this.channel = channel;
            return this;
        }

        /**
         * Makes the client. It does not wait for the connection; {@link GatewayClient#host} does.
         *
         * @return the client, to be closed
         * @throws IllegalArgumentException where the address or the options can't be right: a file that can't be used,
         *     a token that would reach another machine in clear text
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
