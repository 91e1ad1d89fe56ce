package main

import (
	"errors"

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
		"type":     wifidirect.NameOf(event.GetType()),
		"sequence": event.GetSequence(),
		"session":  sessionItem(event.GetSession()),
		"native":   nativeItem(event.GetNativeResult()),
	}
}

func sessionItem(session *wifidirectv1.Session) object {
	item := object{
		"id":    session.GetSessionId(),
		"state": wifidirect.NameOf(session.GetState()),
		"owner": session.GetOwner(),
	}
	if end := session.GetEnd(); end != nil {
		item["reason"] = wifidirect.NameOf(end.GetReason())
		item["evidence"] = wifidirect.NameOf(end.GetEvidence())
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
		"state":  wifidirect.NameOf(host.GetState()),
		"driver": wifidirect.NameOf(host.GetDriver().GetKind()),
	}
}

func errorItem(err error) object {
	var failure *wifidirect.Error
	if !errors.As(err, &failure) {
		return object{"code": "NOT_TYPED", "reason": err.Error()}
	}
	item := object{
		"code":     code.Code(failure.Code).String(),
		"message":  failure.Error(),
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
