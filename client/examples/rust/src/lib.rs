//! The stubs that build.rs made: of the hub, and of the event.

pub mod millrace {
    pub mod v1 {
        tonic::include_proto!("millrace.v1");
    }
}

pub mod shop {
    tonic::include_proto!("shop");
}
