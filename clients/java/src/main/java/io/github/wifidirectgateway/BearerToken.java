package io.github.wifidirectgateway;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** The current token, with each call. */
final class BearerToken extends CallCredentials {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Pattern SENDABLE = Pattern.compile("[ -~]*");

    private final Supplier<String> source;

    BearerToken(Supplier<String> source) {
        this.source = source;
    }

    @Override
    public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
        executor.execute(() -> {
            Metadata headers = new Metadata();
            try {
                headers.put(AUTHORIZATION, "Bearer " + sendable(source.get()));
            } catch (RuntimeException e) {
                // Whatever gives tokens may be back soon, so a watch is not to give up.
                applier.fail(Status.UNAVAILABLE
                        .withDescription("the token can't be had: " + e.getMessage())
                        .withCause(e));
                return;
            }
            applier.apply(headers);
        });
    }

    /** Another gRPC would leave out, and write to the log. */
    private static String sendable(String token) {
        if (SENDABLE.matcher(token).matches()) return token;
        throw new IllegalArgumentException("it has a character that no header can hold, such as the end of a line");
    }
}
