"""Reads the includes of the C++ files and judges them by the layers.

Dependencies point one way: main -> app -> {grpc, web, metrics} -> contract -> hub -> storage interfaces; app
alone knows the engines; generated code is known to contract/, grpc/ and web/ (and the client library)
only, generated stubs and gRPC to grpc/ (and the client library); client/ never includes server/ or
storage/.
"""

import pathlib
import re
from dataclasses import dataclass

INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]')

# A layer is the longest of these folders that holds a file.
STORAGE = "storage"
BATCH = "storage/batch"
COMMIT = "storage/commit"
MEMORY = "storage/memory"
ROCKSDB = "storage/rocksdb"
SOCKETS = "server/sockets"
TLS = "server/tls"
ACCESS = "server/access"
HUB = "server/hub"
CONTRACT = "server/contract"
GRPC = "server/grpc"
WEB = "server/web"
METRICS = "server/metrics"
APP = "server/app"
MAIN = "server"
CLIENT_API = "client/cpp/include/millrace"
CLIENT = "client/cpp"
CLI = "client/cli"
PROTO = "millrace/v1"
STUBS = "millrace/v1/*.grpc.pb.h"

# Which layers a layer may include, beside itself. PROTO stands for the generated messages, STUBS for
# the generated services.
ARROWS = {
    STORAGE: {BATCH},
    BATCH: {STORAGE},
    COMMIT: {STORAGE, BATCH},
    MEMORY: {STORAGE, BATCH, COMMIT},
    ROCKSDB: {STORAGE, BATCH, COMMIT},
    SOCKETS: set(),
    TLS: {STORAGE},
    ACCESS: {STORAGE},
    HUB: {STORAGE, BATCH},
    CONTRACT: {ACCESS, HUB, STORAGE, BATCH, PROTO},
    GRPC: {CONTRACT, ACCESS, SOCKETS, TLS, HUB, STORAGE, BATCH, PROTO, STUBS},
    WEB: {CONTRACT, ACCESS, SOCKETS, TLS, HUB, STORAGE, BATCH, PROTO},
    METRICS: {CONTRACT, HUB, STORAGE, BATCH},
    APP: {GRPC, WEB, METRICS, ACCESS, TLS, CONTRACT, HUB, STORAGE, MEMORY, ROCKSDB},
    MAIN: {APP},
    CLIENT_API: set(),
    CLIENT: {CLIENT_API, PROTO, STUBS},
    CLI: {CLIENT_API},
}

# Libraries that belong to few layers.
LIBRARIES = {
    "rocksdb/": {ROCKSDB},
    "grpcpp/": {GRPC, CLIENT},
    "grpc/": {GRPC, CLIENT},
    "google/protobuf/": {CONTRACT, GRPC, WEB, CLIENT},
    "boost/": {WEB},
    "prometheus/": {METRICS},
    "cjose/": {ACCESS},
    "CLI/": {APP, CLI},
    "gtest/": set(),
    "gmock/": set(),
    "tests/": set(),
}


@dataclass(frozen=True)
class Violation:
    file: str
    line: int
    include: str
    why: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.include}: {self.why}"


def layer_of(path):
    """The layer that a file or an included path belongs to; None outside all layers."""
    if path.startswith("millrace/v1/"):
        return STUBS if path.endswith(".grpc.pb.h") else PROTO
    if path.startswith("millrace/"):
        return CLIENT_API
    holders = [layer for layer in ARROWS if path.startswith(layer + "/")]
    return max(holders, key=len, default=None)


def why_not(layer, include):
    """Why a file of `layer` may not include this; None where it may."""
    for prefix, owners in LIBRARIES.items():
        if include.startswith(prefix) and layer not in owners:
            return f"{layer} may not know {prefix}"
    target = layer_of(include)
    if target is None or target == layer or target in ARROWS[layer]:
        return None
    return f"{layer} may not include {target}"


def violations_in(file, text):
    """Judges one file, named by its path from the repository's root."""
    layer = layer_of(file)
    if layer is None:
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match and (why := why_not(layer, match[1])):
            yield Violation(file, number, match[1], why)


def violations_of(root):
    """Judges every C++ file of the layers below `root`."""
    root = pathlib.Path(root)
    for top in ("storage", "server", "client"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in (".h", ".cc"):
                yield from violations_in(path.relative_to(root).as_posix(), path.read_text())
