package io.github.wifidirectgateway;

import io.grpc.CallCredentials;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

/** The current token, with each call. */
final class BearerToken extends CallCredentials {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final Supplier<String> source;

    BearerToken(Supplier<String> source) {
        this.source = source;
    }

    @Override
    public void applyRequestMetadata(RequestInfo call, Executor executor, MetadataApplier applier) {
        executor.execute(() -> {
            Metadata headers = new Metadata();
            try {
                headers.put(AUTHORIZATION, "Bearer " + source.get());
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
}
