"""Makes the stubs in src/millrace/v1 from the repository's contract, before the package is built."""

import pathlib
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parents[1] / "proto"
SOURCE = HERE / "src"
CONTRACT = ["error", "event_hub", "group", "hub", "record", "topic"]


class Stubs(BuildHookInterface):  # type: ignore[type-arg]
    """A source distribution holds the stubs already and no contract: there they are left as they are."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        build_data["artifacts"].append("/src/millrace/v1")
        if (PROTO / "millrace" / "v1").is_dir():
            generate()


def generate() -> None:
    import grpc_tools
    from grpc_tools import protoc

    includes = pathlib.Path(grpc_tools.__file__).parent / "_proto"  # google/protobuf/*.proto
    # The last two are mypy-protobuf's: types.
    outputs = [f"--{kind}_out={SOURCE}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
    files = [f"millrace/v1/{name}.proto" for name in CONTRACT]
    if protoc.main(["protoc", f"-I{PROTO}", f"-I{includes}", *outputs, *files]) != 0:
        raise RuntimeError("protoc refused the contract")
    (SOURCE / "millrace" / "v1" / "__init__.py").write_text('"""The contract\'s generated stubs."""\n')
