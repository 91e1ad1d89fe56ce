package io.github.wifidirectgateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.github.wifidirectgateway.v1.ErrorReason;
import io.github.wifidirectgateway.v1.NativeResult;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class GatewayExceptionTest {
    @Test
    void detailsBecomeFields() {
        var failure = Failures.decoded(
                Status.Code.ABORTED,
                Failures.info("OPEN_FAILED").toBuilder()
                        .putMetadata("win32_code", "1460")
                        .build(),
                Failures.retryIn(1, 500_000_000),
                BadRequest.newBuilder()
                        .addFieldViolations(
                                BadRequest.FieldViolation.newBuilder().setField("kind"))
                        .build(),
                NativeResult.newBuilder().setCode(1460).build());
        assertEquals(Status.Code.ABORTED, failure.code());
        assertEquals(ErrorReason.ERROR_REASON_OPEN_FAILED, failure.reason());
        assertEquals(Map.of("win32_code", "1460"), failure.metadata());
        assertEquals(Duration.ofMillis(1500), failure.retryDelay());
        assertEquals("kind", failure.fieldViolations().get(0).getField());
        assertEquals(1460, failure.nativeResult().orElseThrow().getCode());
        assertEquals("OPEN_FAILED: the text", failure.getMessage());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "UNRECOGNIZED")
    void everyReasonOfTheContractIsKnown(ErrorReason reason) {
        var name = reason.name().replace("ERROR_REASON_", "");
        assertEquals(
                reason,
                Failures.decoded(Status.Code.INTERNAL, Failures.info(name)).reason());
    }

    @Test
    void reasonOfANewerHostIsKept() {
        var failure = Failures.decoded(Status.Code.INTERNAL, Failures.info("NEW_AND_STRANGE"));
        assertEquals(ErrorReason.UNRECOGNIZED, failure.reason());
        assertEquals("NEW_AND_STRANGE", failure.reasonName());
    }

    @Test
    void errorThatTheHostDidNotMakeHasNoReason() {
        var foreign = ErrorInfo.newBuilder()
                .setDomain("proxy.example")
                .setReason("OPEN_FAILED")
                .build();
        var failure = Failures.decoded(Status.Code.UNAVAILABLE, foreign);
        assertEquals(ErrorReason.ERROR_REASON_UNSPECIFIED, failure.reason());
        assertEquals("UNAVAILABLE: the text", failure.getMessage());
        assertEquals(
                Failures.info("OPEN_FAILED").getReason(),
                Failures.decoded(Status.Code.UNAVAILABLE, foreign, Failures.info("OPEN_FAILED"))
                        .reasonName());
    }

    @Test
    void detailsThatCannotBeReadLeaveTheStatus() {
        var trailers = new Metadata();
        trailers.put(
                Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {(byte) 0xff});
        var failure = GatewayException.from(Status.ABORTED.asRuntimeException(trailers));
        assertEquals(Status.Code.ABORTED, failure.code());
        assertEquals("ABORTED: the call failed", failure.getMessage());
        assertTrue(failure.nativeResult().isEmpty());
        assertEquals(Duration.ZERO, failure.retryDelay());
    }

    @ParameterizedTest
    @CsvSource({"-5, 0, 0", "0, -1, 0", "9223372036854775807, 2147483647, 315576000002"})
    void delayThatMakesNoSenseIsBounded(long seconds, int nanos, long wanted) {
        var failure = Failures.decoded(Status.Code.UNAVAILABLE, Failures.retryIn(seconds, nanos));
        assertEquals(wanted, failure.retryDelay().toSeconds());
    }

    @Test
    void codesFromTwoToThePowerOf31AreNotNegative() {
        var failure = Failures.decoded(
                Status.Code.INTERNAL,
                NativeResult.newBuilder().setCode(0x80070490).build());
        assertEquals(2_147_943_568L, failure.nativeCode().orElseThrow());
        assertTrue(Failures.decoded(Status.Code.INTERNAL).nativeCode().isEmpty());
    }

    @Test
    void messageThatCannotBeReadIsInternal() {
        var cause = Status.INTERNAL
                .withDescription("Invalid protobuf byte sequence")
                .asRuntimeException();
        var status = Status.CANCELLED.withDescription("Failed to read message.").withCause(cause);
        var failure = GatewayException.from(status.asRuntimeException());
        assertEquals(Status.Code.INTERNAL, failure.code());
        assertTrue(failure.getMessage().contains("Invalid protobuf"), failure.getMessage());
    }

    @Test
    void causeOfABrokenConnectionIsNamedOnceAndWithoutThePipeline() {
        var root = new java.io.IOException("unable to find valid certification path");
        var cause = new java.io.IOException("General OpenSslEngine problem", root);
        var status = Status.UNAVAILABLE
                .withDescription("io exception\nChannel Pipeline: [a, b]")
                .withCause(cause);
        assertEquals(
                "UNAVAILABLE: io exception: General OpenSslEngine problem: unable to find valid certification path",
                GatewayException.from(status.asRuntimeException()).getMessage());
    }

    @Test
    void whatIsDecodedStaysAsItIs() {
        var once = Failures.decoded(Status.Code.INTERNAL);
        assertSame(once, GatewayException.from(once));
    }
}
