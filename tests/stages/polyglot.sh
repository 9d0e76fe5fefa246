#!/usr/bin/env bash
# The examples of six languages on generated stubs: each reads what each wrote, with kills on the way.
source tests/stages/report.sh

# at_least TOOL WANTED FOUND: leaves the stage unless the version that was found is WANTED or newer.
at_least() { printf '%s\n%s\n' "$2" "$3" | sort -C -V || skip_stage "$1 is older than $2"; }

command -v go >/dev/null || skip_stage "Go is not installed"
at_least Go "$(sed -n 's/^go //p' client/examples/go/go.mod)" "$(GOTOOLCHAIN=local go env GOVERSION | sed 's/^go//')"
command -v cargo >/dev/null || skip_stage "Rust is not installed"
at_least Rust 1.88 "$(cargo --version | cut -d ' ' -f 2)"
command -v npm >/dev/null || skip_stage "Node is not installed"
at_least Node 20 "$(node -p process.versions.node)"
command -v mvn >/dev/null || skip_stage "Maven is not installed"

client/examples/build.sh
go_is_in_order() { [[ -z $(gofmt -l client/examples/go/order-*) ]] && go vet -C client/examples/go ./...; }
check "the Go examples are formatted and vetted" go_is_in_order
pytest_stage -vv tests/interop/matrix || failures=1 # A line for each pair.
finish
