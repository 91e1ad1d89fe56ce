package wifidirect

import (
	"context"
	"errors"
	"io"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
)

// Error is the error of every call and iterator of this package: a gRPC status with its details as
// one value. Get it with errors.As; status.Code and status.FromError also work. error.proto has a
// table of the reasons.
type Error struct {
	// Code is the gRPC status code.
	Code codes.Code

	// Reason is why the host failed the call. A newer host can send a reason that this version does
	// not know. It is empty if the error does not come from the host: the connection broke, the
	// call timed out, or it was canceled by this program.
	Reason Reason

	// Message is for people.
	Message string

	// Metadata contains the variable parts of the message. error.proto lists the keys of each
	// reason.
	Metadata map[string]string

	// Native is the result of the Windows function, or of its callback, if that caused the error;
	// else nil.
	Native *wifidirectv1.NativeResult

	// RetryDelay is how long to wait before a retry. It is 0 if the host did not send it, and never
	// negative.
	RetryDelay time.Duration

	// FieldViolations are the invalid fields of the request. Empty unless the reason is
	// ReasonInvalidField.
	FieldViolations []*errdetails.BadRequest_FieldViolation

	status *status.Status
}

func (e *Error) Error() string {
	text := e.Message
	if text == "" {
		text = "the call failed"
	}
	if e.Reason != "" {
		return string(e.Reason) + ": " + text
	}
	return e.Code.String() + ": " + text
}

// GRPCStatus returns the status as it was received.
func (e *Error) GRPCStatus() *status.Status {
	if e.status == nil {
		return status.New(e.Code, e.Message)
	}
	return e.status
}

// Is reports whether the error is context.Canceled or context.DeadlineExceeded. A call that its own
// context ended is one of these. A call that Client.Close ended is context.Canceled.
func (e *Error) Is(target error) bool {
	if e.Reason != "" || e.status == nil {
		return false
	}
	return target == context.Canceled && e.Code == codes.Canceled ||
		target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded
}

const domain = "wifidirect.v1"

// decode converts an error of gRPC to an *Error. It ignores details that can't be decoded or that
// come from a proxy, because the status alone is usable.
func decode(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	if decoded := (*Error)(nil); errors.As(err, &decoded) {
		return err
	}
	received := status.Convert(err)
	decoded := &Error{Code: received.Code(), Message: received.Message(), status: received}
	if decoded.Code > codes.Unauthenticated {
		// A code that gRPC does not define.
		decoded.Code = codes.Unknown
	}
	for _, detail := range received.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetDomain() == domain {
				decoded.Reason, decoded.Metadata = Reason(detail.GetReason()), detail.GetMetadata()
			}
		case *errdetails.BadRequest:
			decoded.FieldViolations = detail.GetFieldViolations()
		case *errdetails.RetryInfo:
			decoded.RetryDelay = max(0, detail.GetRetryDelay().AsDuration())
		case *wifidirectv1.NativeResult:
			decoded.Native = detail
		}
	}
	return decoded
}

// incomplete returns the error for a response in which a required part is missing.
func incomplete(what string) *Error {
	return &Error{Code: codes.Internal, Message: "the response of the host does not contain " + what}
}

// asError returns the *Error in an error that decode has returned.
func asError(err error) *Error {
	if decoded := (*Error)(nil); errors.As(err, &decoded) {
		return decoded
	}
	return &Error{Code: codes.Unknown, Message: err.Error()}
}
