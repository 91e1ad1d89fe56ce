package io.github.wifidirectgateway;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.github.wifidirectgateway.v1.ErrorReason;
import io.github.wifidirectgateway.v1.NativeResult;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * What every call and stream of this library fails with: the status of gRPC with its details (see the table in
 * error.proto) as one value.
 */
public final class GatewayException extends StatusRuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String DOMAIN = "wifidirect.v1";
    private static final String REASON_PREFIX = "ERROR_REASON_";
    /** The longest that a Duration of protobuf may be: 10,000 years. */
    private static final long SECONDS_MAX = 315_576_000_000L;

    private final com.google.rpc.Status details;

    GatewayException(Status status) {
        this(status, null, com.google.rpc.Status.getDefaultInstance());
    }

    private GatewayException(Status status, Metadata trailers, com.google.rpc.Status details) {
        super(status, trailers);
        this.details = details;
    }

    /**
     * Decodes what a generated client has failed with. Details that can't be read, or that a proxy added, are left out:
     * the status alone says enough.
     *
     * @param failure what it has failed with
     * @return the same failure, decoded
     */
    public static GatewayException from(StatusRuntimeException failure) {
        if (failure instanceof GatewayException decoded) {
            return decoded;
        }
        com.google.rpc.Status details;
        try {
            details = StatusProto.fromThrowable(failure);
        } catch (IllegalArgumentException unreadable) {
            details = com.google.rpc.Status.getDefaultInstance();
        }
        return new GatewayException(Causes.named(failure.getStatus()), failure.getTrailers(), details);
    }

    /**
     * The status code of gRPC.
     *
     * @return the code
     */
    public Status.Code code() {
        return getStatus().getCode();
    }

    /**
     * Why the host refused. {@link ErrorReason#ERROR_REASON_UNSPECIFIED} where it did not speak: the connection broke,
     * the call's deadline passed, or it was cancelled here. {@link ErrorReason#UNRECOGNIZED} where it is newer than
     * this library: see {@link #reasonName}.
     *
     * @return the reason
     */
    public ErrorReason reason() {
        if (reasonName().isEmpty()) {
            return ErrorReason.ERROR_REASON_UNSPECIFIED;
        }
        var known = ErrorReason.getDescriptor().findValueByName(REASON_PREFIX + reasonName());
        return known == null ? ErrorReason.UNRECOGNIZED : ErrorReason.valueOf(known);
    }

    /**
     * The name of the reason without its prefix, such as {@code OPEN_FAILED}.
     *
     * @return the name; empty where the host did not speak
     */
    public String reasonName() {
        return info().getReason();
    }

    /**
     * The variable parts of the message, by the keys that error.proto names at each reason.
     *
     * @return the parts; empty where there are none
     */
    public Map<String, String> metadata() {
        return info().getMetadataMap();
    }

    /**
     * What the Windows function, or its callback, said. Its codes are unsigned: see {@link #nativeCode}.
     *
     * @return it; empty unless one of them is what failed
     */
    public Optional<NativeResult> nativeResult() {
        return all(NativeResult.class).findFirst();
    }

    /**
     * The code that Windows gave, from 0 to 2^32 - 1: an {@code int} of Java shows those from 2^31 on, such as every
     * HRESULT of a failure, as negative. {@link Integer#toUnsignedLong} does the same for other messages.
     *
     * @return it; empty unless a Windows function, or its callback, is what failed
     */
    public OptionalLong nativeCode() {
        return nativeResult().stream()
                .mapToLong(result -> Integer.toUnsignedLong(result.getCode()))
                .findFirst();
    }

    /**
     * How long to wait before asking again.
     *
     * @return the delay; 0 where the host does not say
     */
    public Duration retryDelay() {
        var delay = all(RetryInfo.class)
                .findFirst()
                .orElse(RetryInfo.getDefaultInstance())
                .getRetryDelay();
        var asked = Duration.ofSeconds(Math.min(Math.max(delay.getSeconds(), 0), SECONDS_MAX), delay.getNanos());
        return asked.isNegative() ? Duration.ZERO : asked;
    }

    /**
     * What is wrong with the request.
     *
     * @return a violation for each field that is; empty unless the reason is {@code INVALID_FIELD}
     */
    public List<BadRequest.FieldViolation> fieldViolations() {
        return all(BadRequest.class)
                .findFirst()
                .map(BadRequest::getFieldViolationsList)
                .orElse(List.of());
    }

    /** The reason, or else the code, and the host's words: for people. */
    @Override
    public String getMessage() {
        String words = getStatus().getDescription();
        return (reasonName().isEmpty() ? code() : reasonName()) + ": " + (words == null ? "the call failed" : words);
    }

    private ErrorInfo info() {
        return all(ErrorInfo.class)
                .filter(info -> info.getDomain().equals(DOMAIN))
                .findFirst()
                .orElse(ErrorInfo.getDefaultInstance());
    }

    private <M extends Message> Stream<M> all(Class<M> type) {
        return details.getDetailsList().stream()
                .filter(detail -> detail.is(type))
                .flatMap(detail -> read(detail, type));
    }

    private static <M extends Message> Stream<M> read(Any detail, Class<M> type) {
        try {
            return Stream.of(detail.unpack(type));
        } catch (InvalidProtocolBufferException unreadable) {
            return Stream.empty();
        }
    }
}
