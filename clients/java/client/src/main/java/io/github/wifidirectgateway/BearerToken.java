package io.github.wifidirectgateway;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** Sends the current token with each call. */
final class BearerToken extends CallCredentials {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
    private static final Pattern SENDABLE = Pattern.compile("[ -~]+");

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
            } catch (Throwable e) {
                // Also errors and undeclared checked exceptions, because nobody else would end the call. The source of
                // tokens may work again soon, so a watch must not give up.
                String why = e.getMessage() == null ? e.toString() : e.getMessage();
                applier.fail(Status.UNAVAILABLE
                        .withDescription("the token can't be had: " + why)
                        .withCause(e));
                return;
            }
            applier.apply(headers);
        });
    }

    /** Checks that a header can hold the token. gRPC would leave out any other token, and log it. */
    static String sendable(String token) {
        if (token == null || token.isEmpty()) {
            throw new IllegalArgumentException("it is empty");
        }
        if (!SENDABLE.matcher(token).matches()) {
            throw new IllegalArgumentException(
                    "it has a character that no header can hold, such as the end of a line; trim it");
        }
        return token;
    }
}
