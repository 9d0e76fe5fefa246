//! Makes the stubs with the `protoc` of the PATH.

fn main() -> std::io::Result<()> {
    tonic_prost_build::configure()
        .build_server(false)
        .compile_protos(&["millrace/v1/event_hub.proto", "order.proto"], &["../../../proto", ".."])
}
