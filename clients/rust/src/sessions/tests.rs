use super::*;

#[test]
fn a_device_is_opened_by_its_kind() {
    let device = v1::Device {
        device_address: "02:11".into(),
        ..v1::Device::default()
    };
    let legacy = v1::Device {
        is_legacy: Some(true),
        ..device.clone()
    };
    assert_eq!(OpenRequest::from(&device).kind, v1::SessionKind::WifiDirect);
    assert_eq!(OpenRequest::from(&device).device_address, "02:11");
    assert_eq!(OpenRequest::from(&legacy).kind, v1::SessionKind::Legacy);
    assert_eq!(
        OpenRequest::from("02:11").kind,
        v1::SessionKind::Unspecified
    );
}

#[test]
fn each_request_has_an_id_of_its_own() {
    let (one, other) = (new_request_id(), new_request_id());
    assert_ne!(one, other);
    assert_eq!(one.len(), 36);
}

#[test]
fn a_lease_is_reckoned_from_the_clock_of_the_host() {
    let at = |seconds, nanos| Timestamp { seconds, nanos };
    let leased = |end| v1::Session {
        lease_expire_time: end,
        ..v1::Session::default()
    };
    let left = |end, now: Option<Timestamp>| lease_left(&leased(end), now.as_ref());
    let wanted = Duration::from_millis(59_500);
    assert_eq!(
        left(Some(at(100, 0)), Some(at(40, 500_000_000))),
        Some(wanted)
    );
    assert_eq!(
        left(Some(at(100, 0)), Some(at(900, 0))),
        Some(Duration::ZERO)
    );
    assert_eq!(left(None, Some(at(40, 0))), None);
    assert_eq!(left(Some(at(100, 0)), None), None);
}

#[test]
fn an_answer_without_its_session_is_the_fault_of_the_host() {
    let error = shown(None, "c1".into(), None).unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Internal, None));
}

#[test]
fn an_open_asks_for_signs_of_life() {
    let request = OpenRequest::from("02:11");
    assert_eq!(request.heartbeat_interval, Some(Duration::from_secs(10)));
    assert_eq!(request.heartbeat_interval(None).heartbeat_interval, None);
}

/// Programs hand these to tasks of their own. The API report can't show it, as no source says it.
#[test]
fn what_a_program_keeps_can_go_to_another_thread() {
    fn is_sent<T: Send + 'static>() {}
    fn is_shared<T: Send + Sync + 'static>() {}
    is_shared::<crate::Client>();
    is_shared::<crate::Connection>();
    is_shared::<crate::Devices>();
    is_shared::<Sessions>();
    is_shared::<OpenRequest>();
    is_sent::<crate::Builder>();
    is_sent::<crate::HeldSession>();
    is_sent::<crate::DeviceWatchItem>();
    is_sent::<SessionWatchItem>();
}
