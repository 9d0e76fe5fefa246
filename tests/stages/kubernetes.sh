#!/usr/bin/env bash
# deploy/: manifests against the schemas, a rolling update, the image and its hub confined, backups, the systemd unit.
source tests/stages/report.sh

kustomize=v5.8.1
gateway_api=v1.6.3
prometheus_operator=v0.94.1
needed=26 # Go 1.26, for these.
export GOTOOLCHAIN=local GOFLAGS=-mod=mod

for tool in mmdebstrap umoci strace systemd-analyze; do
  command -v $tool >/dev/null || skip_stage "$tool is not installed"
done
command -v go >/dev/null || skip_stage "Go is not installed, which kustomize is built with"
minor=$(go env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
((${minor:-0} >= needed)) || skip_stage "Go is older than 1.$needed, which kustomize and the definitions need"

if [[ "$("$tools/kustomize" version 2>&1)" != "$kustomize" ]]; then
  GOBIN=$tools go install "sigs.k8s.io/kustomize/kustomize/v5@$kustomize"
fi

# module PATH VERSION: the folder of a Go module, of which the definitions of custom resources are read.
module() {
  (cd / && go mod download -json "$1@$2") | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'
}
gateway=$(module sigs.k8s.io/gateway-api $gateway_api)/config/crd/standard
operator=$(module github.com/prometheus-operator/prometheus-operator $prometheus_operator)
CRDS=$operator/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml
for kind in gateways grpcroutes httproutes backendtlspolicies; do
  CRDS+=:$gateway/gateway.networking.k8s.io_$kind.yaml
done
export CRDS

KUSTOMIZE=$tools/kustomize pytest_stage tests/deploy
