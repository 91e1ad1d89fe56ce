package main

import (
	"errors"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/code"

	wifidirectv1 "github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/gen/wifidirect/v1"
	"github.com/wifi-direct-gateway/wifi-direct-gateway/clients/go/wifidirect"
)

type object map[string]any

func watchItem(item wifidirect.WatchItem) object {
	switch item := item.(type) {
	case wifidirect.SessionSnapshot:
		sessions := []object{}
		for _, session := range item.Items {
			sessions = append(sessions, sessionItem(session))
		}
		return object{"kind": "snapshot", "sessions": sessions, "cursor": item.Cursor}
	case wifidirect.SessionChange:
		return object{"kind": "event", "event": eventItem(item.Event), "cursor": item.Cursor}
	case wifidirect.Bookmark:
		return object{"kind": "bookmark", "cursor": item.Cursor}
	case wifidirect.Disconnected:
		return object{"kind": "disconnected", "error": errorItem(item.Err), "retryInMs": item.RetryIn.Milliseconds()}
	default:
		return object{"kind": "unknown"}
	}
}

func sessionAt(at wifidirect.SessionAt) object {
	return object{"session": sessionItem(at.Session), "cursor": at.Cursor}
}

func sessionOnly(session *wifidirectv1.Session) object {
	return object{"session": sessionItem(session)}
}

func eventOnly(event *wifidirectv1.SessionEvent) object { return object{"event": eventItem(event)} }

func eventItem(event *wifidirectv1.SessionEvent) object {
	return object{
		"type":     short(event.GetType(), "SESSION_EVENT_TYPE_"),
		"sequence": event.GetSequence(),
		"session":  sessionItem(event.GetSession()),
		"native":   nativeItem(event.GetNativeResult()),
	}
}

func sessionItem(session *wifidirectv1.Session) object {
	item := object{
		"id":    session.GetSessionId(),
		"state": short(session.GetState(), "SESSION_STATE_"),
		"owner": session.GetOwner(),
	}
	if end := session.GetEnd(); end != nil {
		item["reason"] = short(end.GetReason(), "SESSION_END_REASON_")
		item["evidence"] = short(end.GetEvidence(), "DISCONNECT_EVIDENCE_")
	}
	return item
}

func visibilityItem(found *wifidirectv1.UpdateDeviceVisibilityResponse) object {
	return deviceItem(found.GetDevice())
}

func deviceItem(device *wifidirectv1.Device) object {
	return object{"device": object{
		"address": device.GetDeviceAddress(), "name": device.GetName(), "isVisible": device.IsVisible,
	}}
}

func hostItem(host *wifidirectv1.GetHostResponse) any {
	return object{
		"state":  short(host.GetState(), "HOST_STATE_"),
		"driver": short(host.GetDriver().GetKind(), "DRIVER_KIND_"),
	}
}

func errorItem(err error) object {
	failure, is := errors.AsType[*wifidirect.Error](err)
	if !is {
		return object{"code": "NOT_TYPED", "reason": err.Error()}
	}
	item := object{
		"code":     code.Code(failure.Code).String(),
		"metadata": failure.Metadata,
		"native":   nativeItem(failure.Native),
	}
	if failure.Reason != "" {
		item["reason"] = failure.Reason
	}
	if failure.RetryDelay > 0 {
		item["retryDelayMs"] = failure.RetryDelay.Milliseconds()
	}
	fields := []string{}
	for _, violation := range failure.FieldViolations {
		fields = append(fields, violation.GetField())
	}
	item["fields"] = fields
	return item
}

func nativeItem(native *wifidirectv1.NativeResult) object {
	if native == nil {
		return nil
	}
	return object{
		"function":   native.GetFunction(),
		"code":       native.GetCode(),
		"name":       native.GetName(),
		"reasonCode": native.GetReasonCode(),
	}
}

func short(value interface{ String() string }, prefix string) string {
	return strings.TrimPrefix(value.String(), prefix)
}
