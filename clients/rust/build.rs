//! Generates the messages and the clients of the contract, without protoc.
use std::error::Error;
use std::path::Path;

const FILES: [&str; 6] = [
    "wifidirect/v1/session_service.proto",
    "wifidirect/v1/device_service.proto",
    "wifidirect/v1/host_service.proto",
    "wifidirect/simulator/v1/simulator_service.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    // A checkout on Windows has a file in place of the link.
    let proto = ["proto", "../../proto"]
        .into_iter()
        .find(|path| Path::new(path).is_dir())
        .ok_or("no proto files")?;
    println!("cargo::rerun-if-changed={proto}");
    let descriptors = protox::compile(FILES, [proto])?;
    let mut config = prost_build::Config::new();
    config.enable_type_names();
    // Examples in them would be taken for Rust.
    config.disable_comments([".google.rpc"]);
    tonic_prost_build::configure()
        .build_server(false)
        // A newer host may have more values.
        .enum_attribute(".", "#[non_exhaustive]")
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
