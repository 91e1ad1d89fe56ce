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
