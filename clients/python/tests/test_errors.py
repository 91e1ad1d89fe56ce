"""What gRPC raises becomes one typed value."""

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc.aio import AioRpcError, Metadata

from wifidirect.v1.error_pb2 import ErrorReason
from wifidirect_gateway import (
    FieldViolation,
    NativeResult,
    Reason,
    SessionEventType,
    SessionKind,
    SessionState,
    name_of,
)
from wifidirect_gateway.errors import decode


def raised(code: grpc.StatusCode, *details: Message, trailer: bytes | None = None) -> AioRpcError:
    packed = []
    for detail in details:
        packed.append(Any())
        packed[-1].Pack(detail)
    status = Status(code=code.value[0], message="the text", details=packed)
    trailers = Metadata(("grpc-status-details-bin", trailer or status.SerializeToString()))
    return AioRpcError(code, Metadata(), trailers, details="the text")


def test_details_become_fields() -> None:
    error = decode(
        raised(
            grpc.StatusCode.ABORTED,
            ErrorInfo(domain="wifidirect.v1", reason="OPEN_FAILED", metadata={"win32_code": "1460"}),
            RetryInfo(retry_delay=Duration(seconds=1, nanos=500_000_000)),
            BadRequest(field_violations=[BadRequest.FieldViolation(field="kind", description="is 9")]),
            NativeResult(function="WFDStartOpenSession", code=1460),
        )
    )
    assert error.code is grpc.StatusCode.ABORTED
    assert error.reason is Reason.OPEN_FAILED
    assert error.metadata == {"win32_code": "1460"}
    assert error.retry_delay == 1.5
    assert error.field_violations == [FieldViolation("kind", "is 9")]
    assert error.native == NativeResult(function="WFDStartOpenSession", code=1460)
    assert str(error) == "OPEN_FAILED: the text"


def test_an_error_that_the_host_did_not_make_has_no_reason() -> None:
    foreign = ErrorInfo(domain="proxy.example", reason="OPEN_FAILED")
    error = decode(raised(grpc.StatusCode.UNAVAILABLE, foreign))
    assert (error.reason, error.metadata) == (None, {})
    assert str(error) == "UNAVAILABLE: the text"


def test_a_reason_of_a_newer_host_is_kept() -> None:
    error = decode(raised(grpc.StatusCode.INTERNAL, ErrorInfo(domain="wifidirect.v1", reason="NEW")))
    assert error.reason == "NEW"
    assert not isinstance(error.reason, Reason)


@pytest.mark.parametrize(
    ("seconds", "delay"), [(-1, None), (-315_576_000_000, None), (315_576_000_000, 315_576_000_000), (0, 0)]
)
def test_a_delay_that_is_negative_is_none(seconds: int, delay: float | None) -> None:
    error = decode(raised(grpc.StatusCode.UNAVAILABLE, RetryInfo(retry_delay=Duration(seconds=seconds))))
    assert error.retry_delay == delay


def test_codes_from_2_to_31_are_what_windows_said() -> None:
    native = decode(raised(grpc.StatusCode.INTERNAL, NativeResult(code=0x80070490, reason_code=0xFFFFFFFF))).native
    assert native is not None
    assert (native.code, native.reason_code) == (2_147_943_568, 4_294_967_295)


def test_the_name_of_an_enum_value_is_without_its_prefix() -> None:
    assert name_of(SessionState, SessionState.SESSION_STATE_OPEN) == "OPEN"
    assert name_of(SessionKind, SessionKind.SESSION_KIND_WIFI_DIRECT) == "WIFI_DIRECT"
    assert name_of(SessionEventType, 0) == "UNSPECIFIED"
    assert name_of(ErrorReason, ErrorReason.ERROR_REASON_OPEN_FAILED) == Reason.OPEN_FAILED
    assert name_of(SessionState, 99) == "99"


def test_details_that_can_not_be_read_are_left_out() -> None:
    error = decode(raised(grpc.StatusCode.INTERNAL, trailer=b"\xff\xff"))
    assert (error.code, error.reason, error.native) == (grpc.StatusCode.INTERNAL, None, None)


def test_details_stand_whatever_code_and_message_are_beside_them() -> None:
    packed = Any()
    packed.Pack(ErrorInfo(domain="wifidirect.v1", reason="OUT_OF_COFFEE"))
    other = Status(code=13, message="another text", details=[packed]).SerializeToString()
    error = decode(raised(grpc.StatusCode.FAILED_PRECONDITION, trailer=other))
    assert (error.code, error.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "OUT_OF_COFFEE")
    assert str(error) == "OUT_OF_COFFEE: the text"


def test_an_answer_that_is_no_grpc_is_unavailable() -> None:
    details = "Stream removed (Data frame with END_STREAM flag received)"
    error = decode(AioRpcError(grpc.StatusCode.UNKNOWN, Metadata(), Metadata(), details=details))
    assert str(error) == f"UNAVAILABLE: the response is not gRPC ({details})"


def test_what_has_no_status_is_unknown() -> None:
    assert decode(grpc.RpcError("boom")).code is grpc.StatusCode.UNKNOWN


def test_the_reasons_are_those_of_the_contract() -> None:
    known = [name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()]  # noqa: SIM118 an enum is no dict
    assert ["UNSPECIFIED", *Reason] == known
