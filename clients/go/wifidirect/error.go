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

// Error is what every call and iterator of this package fails with: the status of gRPC with its details (see the table
// in error.proto) as one value. Get it with errors.As; status.Code and status.FromError read it too.
type Error struct {
	// Code is the status code of gRPC.
	Code codes.Code

	// Reason says why the host refused; it may be one that this version does not know, where the host is newer. Empty
	// where the host did not speak: the connection broke, the call's deadline passed, or it was cancelled here.
	Reason Reason

	// Message is for people.
	Message string

	// Metadata holds the variable parts of the message, by the keys that error.proto names at each reason.
	Metadata map[string]string

	// Native is what the Windows function, or its callback, said; nil unless one of them is what failed.
	Native *wifidirectv1.NativeResult

	// RetryDelay is how long to wait before asking again; 0 where the host does not say. Never negative.
	RetryDelay time.Duration

	// FieldViolations say what is wrong with the request; empty unless the reason is ReasonInvalidField.
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

// GRPCStatus is the status as it was received.
func (e *Error) GRPCStatus() *status.Status {
	if e.status == nil {
		return status.New(e.Code, e.Message)
	}
	return e.status
}

// Is tells that a call which its own context ended is context.Canceled or context.DeadlineExceeded, and one that
// Client.Close ended context.Canceled.
func (e *Error) Is(target error) bool {
	if e.Reason != "" || e.status == nil {
		return false
	}
	return target == context.Canceled && e.Code == codes.Canceled ||
		target == context.DeadlineExceeded && e.Code == codes.DeadlineExceeded
}

const domain = "wifidirect.v1"

// decode makes an *Error of what gRPC failed with. Details that can't be read, or that a proxy added, are left out: the
// status alone says enough.
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
		// gRPC knows no more of it than its number.
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

// incomplete is what an answer is that lacks what the contract promises.
func incomplete(what string) *Error {
	return &Error{Code: codes.Internal, Message: "the host answered without " + what}
}

// asError is for errors that decode has made.
func asError(err error) *Error {
	if decoded := (*Error)(nil); errors.As(err, &decoded) {
		return decoded
	}
	return &Error{Code: codes.Unknown, Message: err.Error()}
}
