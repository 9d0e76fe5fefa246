"""Stubs generated from proto/, as any Python service makes them, in build/python-stubs."""

import pathlib
import sys

from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROTO = ROOT / "proto"
STUBS = ROOT / "build" / "python-stubs"


def generate():
    STUBS.mkdir(parents=True, exist_ok=True)
    protos = [str(path.relative_to(PROTO)) for path in sorted(PROTO.glob("millrace/v1/*.proto"))]
    includes = pathlib.Path(protoc.__file__).parent / "_proto"  # google/protobuf/*.proto
    arguments = ["protoc", f"-I{PROTO}", f"-I{includes}", f"--python_out={STUBS}",
                 f"--grpc_python_out={STUBS}", *protos]
    if protoc.main(arguments) != 0:
        raise RuntimeError("protoc refused the contract")
    if str(STUBS) not in sys.path:
        sys.path.insert(0, str(STUBS))


generate()
