package wifidirect

import (
	"context"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/types/known/durationpb"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

func received(t *testing.T, code codes.Code, details ...protoadapt.MessageV1) error {
	t.Helper()
	with, err := status.New(code, "the text").WithDetails(details...)
	if err != nil {
		t.Fatal(err)
	}
	return with.Err()
}

func TestDetailsBecomeFields(t *testing.T) {
	err := decode(received(t, codes.Aborted,
		&errdetails.ErrorInfo{Domain: domain, Reason: "OPEN_FAILED", Metadata: map[string]string{"win32_code": "1460"}},
		&errdetails.RetryInfo{RetryDelay: durationpb.New(1500 * time.Millisecond)},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "kind"}}},
		&wifidirectv1.NativeResult{Function: "WFDStartOpenSession", Code: 1460}))
	decoded := asError(err)
	equal(t, decoded.Code, codes.Aborted)
	equal(t, decoded.Reason, ReasonOpenFailed)
	equal(t, decoded.Metadata, map[string]string{"win32_code": "1460"})
	equal(t, decoded.RetryDelay, 1500*time.Millisecond)
	equal(t, decoded.FieldViolations[0].GetField(), "kind")
	equal(t, decoded.Native.GetCode(), uint32(1460))
	equal(t, err.Error(), "OPEN_FAILED: the text")
	equal(t, status.Code(err), codes.Aborted)
	equal(t, len(status.Convert(err).Details()), 4)
}

func TestErrorThatTheHostDidNotMakeHasNoReason(t *testing.T) {
	foreign := &errdetails.ErrorInfo{Domain: "proxy.example", Reason: "OPEN_FAILED"}
	decoded := asError(decode(received(t, codes.Unavailable, foreign)))
	equal(t, decoded.Reason, Reason(""))
	equal(t, decoded.Error(), "Unavailable: the text")
}

func TestReasonOfANewerHostIsKept(t *testing.T) {
	decoded := asError(decode(received(t, codes.Internal, &errdetails.ErrorInfo{Domain: domain, Reason: "NEW"})))
	equal(t, decoded.Reason, Reason("NEW"))
}

func TestCallThatItsContextEndedIsAContextError(t *testing.T) {
	canceled := decode(status.FromContextError(context.Canceled).Err())
	equal(t, errors.Is(canceled, context.Canceled), true)
	equal(t, errors.Is(canceled, context.DeadlineExceeded), false)
	late := decode(status.FromContextError(context.DeadlineExceeded).Err())
	equal(t, errors.Is(late, context.DeadlineExceeded), true)
	onHost := received(t, codes.DeadlineExceeded, &errdetails.ErrorInfo{Domain: domain, Reason: "OPEN_TIMED_OUT"})
	equal(t, errors.Is(decode(onHost), context.DeadlineExceeded), false)
}

func TestWhatIsNoFailureStaysAsItIs(t *testing.T) {
	equal(t, decode(nil), nil)
	equal(t, decode(io.EOF), io.EOF)
	once := decode(errors.New("boom"))
	equal(t, decode(once) == once, true)
}

func TestDelayThatIsNegativeIsNoneAndTheLongestIsHeld(t *testing.T) {
	for seconds, want := range map[int64]time.Duration{-1: 0, -315_576_000_000: 0, 315_576_000_000: math.MaxInt64, 5: 5 * time.Second} {
		retry := &errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: seconds}}
		equal(t, asError(decode(received(t, codes.Unavailable, retry))).RetryDelay, want)
	}
}

func TestCodesFrom2To31AreWhatWindowsSaid(t *testing.T) {
	native := &wifidirectv1.NativeResult{Code: 0x80070490, ReasonCode: 0xffffffff}
	decoded := asError(decode(received(t, codes.FailedPrecondition, native)))
	equal(t, decoded.Native.GetCode(), uint32(2_147_943_568))
	equal(t, decoded.Native.GetReasonCode(), uint32(4_294_967_295))
}

func TestStatusCodeThatGRPCDoesNotKnowIsUnknown(t *testing.T) {
	err := decode(status.Error(codes.Code(77), "odd"))
	equal(t, asError(err).Code, codes.Unknown)
	equal(t, err.Error(), "Unknown: odd")
}

func TestReasonsAreThoseOfTheContract(t *testing.T) {
	known := []string{}
	for number := 1; number < len(wifidirectv1.ErrorReason_name); number++ {
		known = append(known, wifidirectv1.ErrorReason(number).String()[len("ERROR_REASON_"):])
	}
	file, err := parser.ParseFile(token.NewFileSet(), "reason.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := []string{}
	ast.Inspect(file, func(node ast.Node) bool {
		if value, ok := node.(*ast.BasicLit); ok && value.Kind == token.STRING {
			text, _ := strconv.Unquote(value.Value)
			declared = append(declared, text)
		}
		return true
	})
	if !slices.Equal(declared, known) {
		t.Errorf("reason.go has %v, error.proto %v", declared, known)
	}
}
