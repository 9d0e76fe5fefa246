"""The order's class, generated from client/examples/order.proto."""

from grpc_tools import protoc

from tests.support.stubs import ROOT, STUBS

if protoc.main(["protoc", f"-I{ROOT / 'client' / 'examples'}", f"--python_out={STUBS}", "order.proto"]) != 0:
    raise RuntimeError("protoc refused the order")

from order_pb2 import Order  # noqa: E402, F401
