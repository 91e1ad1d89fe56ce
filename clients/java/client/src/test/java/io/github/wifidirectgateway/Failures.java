package io.github.wifidirectgateway;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;

/** What hosts fail with. */
final class Failures {
    private Failures() {}

    static StatusRuntimeException received(Status.Code code, Message... details) {
        var status = com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage("the text");
        for (var detail : details) {
            status.addDetails(Any.pack(detail));
        }
        return StatusProto.toStatusRuntimeException(status.build());
    }

    static GatewayException decoded(Status.Code code, Message... details) {
        return GatewayException.from(received(code, details));
    }

    static ErrorInfo info(String reason) {
        return ErrorInfo.newBuilder()
                .setDomain("wifidirect.v1")
                .setReason(reason)
                .build();
    }

    static RetryInfo retryIn(long seconds, int nanos) {
        return RetryInfo.newBuilder()
                .setRetryDelay(Duration.newBuilder().setSeconds(seconds).setNanos(nanos))
                .build();
    }
}
