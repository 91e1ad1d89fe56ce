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
 * The exception that every call and stream of this library throws: the gRPC status with its decoded details (see the
 * table in error.proto).
 */
public final class GatewayException extends StatusRuntimeException {
    private static final long serialVersionUID = 1L;
    private static final String DOMAIN = "wifidirect.v1";
    private static final String REASON_PREFIX = "ERROR_REASON_";
    /** The longest Duration of protobuf: 10,000 years. */
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
     * Decodes the exception of a generated client. Details that can't be parsed, or that a proxy has added, are
     * ignored.
     *
     * @param failure the exception of the generated client
     * @return the decoded exception
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
     * Returns the gRPC status code.
     *
     * @return the code
     */
    public Status.Code code() {
        return getStatus().getCode();
    }

    /**
     * Returns why the host refused. {@link ErrorReason#ERROR_REASON_UNSPECIFIED} if the error does not come from the
     * host: a broken connection, a deadline, a cancel. {@link ErrorReason#UNRECOGNIZED} if this version does not know
     * the reason: see {@link #reasonName}.
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
     * Returns the name of the reason without its prefix, such as {@code OPEN_FAILED}.
     *
     * @return the name; empty if the error does not come from the host
     */
    public String reasonName() {
        return info().getReason();
    }

    /**
     * Returns the variable parts of the message. error.proto lists the keys of each reason.
     *
     * @return the parts; empty if there are none
     */
    public Map<String, String> metadata() {
        return info().getMetadataMap();
    }

    /**
     * Returns the result of the Windows function or callback that failed. Its codes are unsigned: see
     * {@link #nativeCode}.
     *
     * @return the result; empty if no Windows function failed
     */
    public Optional<NativeResult> nativeResult() {
        return all(NativeResult.class).findFirst();
    }

    /**
     * Returns the code of Windows as an unsigned number, from 0 to 2^32 - 1. An {@code int} of Java shows codes from
     * 2^31 on, such as failed HRESULTs, as negative. {@link Integer#toUnsignedLong} converts the codes of other
     * messages.
     *
     * @return the code; empty if no Windows function failed
     */
    public OptionalLong nativeCode() {
        return nativeResult().stream()
                .mapToLong(result -> Integer.toUnsignedLong(result.getCode()))
                .findFirst();
    }

    /**
     * Returns how long to wait before a retry.
     *
     * @return the delay; 0 if the host does not say
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
     * Returns the invalid fields of the request.
     *
     * @return a violation for each invalid field; empty unless the reason is {@code INVALID_FIELD}
     */
    public List<BadRequest.FieldViolation> fieldViolations() {
        return all(BadRequest.class)
                .findFirst()
                .map(BadRequest::getFieldViolationsList)
                .orElse(List.of());
    }

    /** Returns the reason, or the code if there is none, and the message of the host, for people. */
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
