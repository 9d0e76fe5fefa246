# shellcheck shell=bash disable=SC2034 # Whoever sources this uses the versions.
# What is measured beside Millrace, and the tools that build the load program. Redis is Debian's.
kafka_version=4.4.0
nats_version=v2.15.2
go_version=1.26.8 # Fetched as a Go module where the Go at hand is older.
protoc_gen_go_version=v1.36.12
protoc_gen_go_grpc_version=v1.6.2
