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
                // Errors too, and what is sneaked past the compiler: nobody else would end the call. Whatever gives
                // tokens may be back soon, so a watch is not to give up.
                String why = e.getMessage() == null ? e.toString() : e.getMessage();
                applier.fail(Status.UNAVAILABLE
                        .withDescription("the token can't be had: " + why)
                        .withCause(e));
                return;
            }
            applier.apply(headers);
        });
    }

    /** A token that a header can hold; gRPC would leave out any other, and write it to the log. */
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
