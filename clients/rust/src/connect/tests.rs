use tonic::Code;

use super::*;

fn refusal(connected: Result<Client, Error>) -> String {
    let error = connected.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    error.message().to_owned()
}

#[test]
fn this_machine_is_told_from_others() -> Result<(), Error> {
    for address in [
        "localhost:1",
        "LocalHost:50051",
        "127.0.0.1:1",
        "127.8.9.1:1",
        "[::1]:1",
        "unix:/run/x",
    ] {
        assert!(Place::of(address)?.is_local, "{address}");
    }
    for address in [
        "host.example:1",
        "10.0.0.7:1",
        "localhost.example:1",
        "[fe80::1]:1",
        "127.1:1",
    ] {
        assert!(!Place::of(address)?.is_local, "{address}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    for address in [
        "",
        "host.example",
        "localhost:1@host.example:2",
        "localhost:1/path",
        "   ",
        "localhost:0",
        "localhost:65536",
        "localhost:abc",
        ":50051",
        "localhost:123456",
        "::1",
        "::1:5005",
    ] {
        let told = refusal(Client::connect(address));
        assert!(told.contains("neither"), "{address}: {told}");
    }
}

#[tokio::test]
async fn an_address_with_a_scheme_is_refused_and_the_remedy_told() {
    for address in [
        "http://localhost:1",
        "https://host.example:1",
        "dns:///host.example:1",
    ] {
        let told = refusal(Client::connect(address));
        assert!(told.contains("has a scheme"), "{address}: {told}");
    }
}

#[tokio::test]
async fn a_token_that_no_header_can_hold_is_refused_and_never_told() {
    for token in ["secret\n", "sécret", "sec\0ret", "sec\tret", ""] {
        let told = refusal(Client::builder().token(token).connect("localhost:1"));
        assert!(told.starts_with("token: "), "{told}");
        assert!(token.is_empty() || !told.contains(token), "{told}");
    }
}

#[tokio::test]
async fn a_timeout_of_nothing_is_refused() {
    let told = refusal(
        Client::builder()
            .timeout(Duration::ZERO)
            .connect("localhost:1"),
    );
    assert!(told.starts_with("timeout: "), "{told}");
    let told = refusal(
        Client::builder()
            .connect_timeout(Duration::ZERO)
            .connect("localhost:1"),
    );
    assert!(told.starts_with("connect_timeout: "), "{told}");
    assert!(
        Client::builder()
            .timeout(None)
            .connect("localhost:1")
            .is_ok()
    );
}

#[tokio::test]
async fn a_token_never_goes_to_another_machine_in_clear_text() {
    for address in [
        "host.example:50051",
        "10.0.0.7:50051",
        "localhost.example:1",
    ] {
        let told = refusal(
            Client::builder()
                .clear_text()
                .token("secret")
                .connect(address),
        );
        assert!(
            told.contains("clear text") && !told.contains("secret"),
            "{told}"
        );
        let unsafe_last = Client::builder()
            .ca_file("ca.pem")
            .clear_text()
            .token("secret");
        assert!(refusal(unsafe_last.connect(address)).contains("clear text"));
    }
    assert!(
        Client::builder()
            .token("secret")
            .connect("localhost:50051")
            .is_ok()
    );
    // By TLS, then. (The system may have no authorities to trust.)
    let connected = Client::builder()
        .token("secret")
        .connect("host.example:50051");
    assert!(
        connected
            .err()
            .is_none_or(|error| error.message().contains("no certificates to trust"))
    );
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let told = refusal(
        Client::builder()
            .ca_file("no-such.pem")
            .connect("localhost:1"),
    );
    assert!(told.starts_with("no-such.pem: "), "{told}");
    let told = refusal(
        Client::builder()
            .ca_file("Cargo.toml")
            .connect("localhost:1"),
    );
    assert_eq!(told, "Cargo.toml holds no certificate");
    let told = refusal(
        Client::builder()
            .identity_files("LICENSE", "LICENSE")
            .connect("localhost:1"),
    );
    assert_eq!(told, "LICENSE holds no certificate");
}
