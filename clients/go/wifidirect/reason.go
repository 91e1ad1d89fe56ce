package wifidirect

// Reason is why a host failed a call: the name of a wifidirectv1.ErrorReason. error.proto documents
// each reason.
type Reason string

// The reasons that this version of the package knows.
const (
	ReasonInvalidField               Reason = "INVALID_FIELD"
	ReasonRequestIDReused            Reason = "REQUEST_ID_REUSED"
	ReasonSessionAlreadyExists       Reason = "SESSION_ALREADY_EXISTS"
	ReasonSessionNotFound            Reason = "SESSION_NOT_FOUND"
	ReasonDeviceNotFound             Reason = "DEVICE_NOT_FOUND"
	ReasonSessionStateInvalid        Reason = "SESSION_STATE_INVALID"
	ReasonWiFiDirectDisabledByPolicy Reason = "WIFI_DIRECT_DISABLED_BY_POLICY"
	ReasonWLANServiceNotRunning      Reason = "WLAN_SERVICE_NOT_RUNNING"
	ReasonWLANServiceUnreachable     Reason = "WLAN_SERVICE_UNREACHABLE"
	ReasonNativeLimitReached         Reason = "NATIVE_LIMIT_REACHED"
	ReasonNativeHandleLost           Reason = "NATIVE_HANDLE_LOST"
	ReasonHostAccessDenied           Reason = "HOST_ACCESS_DENIED"
	ReasonDeviceNotPaired            Reason = "DEVICE_NOT_PAIRED"
	ReasonOpenFailed                 Reason = "OPEN_FAILED"
	ReasonOpenTimedOut               Reason = "OPEN_TIMED_OUT"
	ReasonQuotaExceeded              Reason = "QUOTA_EXCEEDED"
	ReasonUnauthenticated            Reason = "UNAUTHENTICATED"
	ReasonPermissionDenied           Reason = "PERMISSION_DENIED"
	ReasonHostStopping               Reason = "HOST_STOPPING"
	ReasonDriverNotAvailable         Reason = "DRIVER_NOT_AVAILABLE"
	ReasonNativeError                Reason = "NATIVE_ERROR"
	ReasonInternal                   Reason = "INTERNAL"
	ReasonCursorExpired              Reason = "CURSOR_EXPIRED"
	ReasonWatcherTooSlow             Reason = "WATCHER_TOO_SLOW"
	ReasonNotImplemented             Reason = "NOT_IMPLEMENTED"
	ReasonHostRestarted              Reason = "HOST_RESTARTED"
)
