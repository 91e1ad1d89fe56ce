//! Generates the messages and the clients of the contract, without protoc.
use std::env;
use std::error::Error;
use std::path::Path;

const FILES: [&str; 5] = [
    "wifidirect/v1/session_service.proto",
    "wifidirect/v1/device_service.proto",
    "wifidirect/v1/host_service.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
];
/// Compiled with the feature `simulator` alone.
const SIMULATOR: &str = "wifidirect/simulator/v1/simulator_service.proto";

fn main() -> Result<(), Box<dyn Error>> {
    // In the repository the contract is one for all clients; a package has a copy of it.
    let proto = ["../../proto", "proto"]
        .into_iter()
        .find(|folder| Path::new(folder).join(FILES[0]).is_file())
        .ok_or("no proto files: neither ../../proto nor proto holds the contract")?;
    println!("cargo::rerun-if-changed={proto}");
    let has_simulator = env::var_os("CARGO_FEATURE_SIMULATOR").is_some();
    let files = FILES.into_iter().chain(has_simulator.then_some(SIMULATOR));
    let descriptors = protox::compile(files, [proto])?;
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
