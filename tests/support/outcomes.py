"""How calls end, whichever way they are made: "OK", or the reason of the refusal."""

import http.client
import json

import grpc
import websocket
from google.protobuf import message_factory
from google.protobuf.json_format import MessageToDict

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import gateway_pb2 as gateway
from tests.support.access import DEADLINE, bearer
from tests.support.access_table import rpcs_of_the_contract
from tests.support.calls import reason_of

RPCS_OF_THE_CONTRACT = rpcs_of_the_contract()


def start(channel, name, request, token=None):
    """Starts any rpc of the contract by its name; gives its answers, one or many, as an iterator."""
    method = RPCS_OF_THE_CONTRACT[name]
    kind = ("stream" if method.client_streaming else "unary") + "_" + (
        "stream" if method.server_streaming else "unary")
    call = getattr(channel, kind)(
        f"/millrace.v1.{name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(method.output_type).FromString)
    given = iter([request]) if method.client_streaming else request
    answer = call(given, metadata=bearer(token), timeout=DEADLINE)
    return answer if method.server_streaming else iter([answer])


def of_rpc(channel, name, request, token=None):
    """Of an rpc; a stream's is that of its first answer."""
    try:
        answers = start(channel, name, request, token)
        answer = next(answers, None)
    except grpc.RpcError as error:
        return reason_of(error)
    if hasattr(answers, "cancel"):
        answers.cancel()
    if name == "EventHubService/ProduceStream" and answer.HasField("error"):
        return answer.error.reason
    return "OK"


def of_http(hub, method, path, body=None, token=None):
    """Of a request of plain HTTP: the reason, the status, and what else the answer says."""
    connection = http.client.HTTPConnection("localhost", hub.web_port, timeout=DEADLINE)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        response = connection.getresponse()
        if response.headers["Content-Type"] == "text/event-stream":
            return "OK", response.status, {}
        text = response.read().decode()
    finally:
        connection.close()
    if response.status < 400:
        return "OK", response.status, text
    facts = json.loads(text)
    return facts["reason"], response.status, facts


def of_call(hub, name, request, token=None):
    """Of a unary rpc as JSON over HTTP."""
    return of_http(hub, "POST", f"/v1/call/millrace.v1.{name}", MessageToDict(request), token)[0]


def connect(hub, token=None, folder=None):
    """A WebSocket; its token goes beside the subprotocol, as a browser has to send it. With the certificate of a
    folder (client.crt, client.key, trusted.crt) over TLS."""
    offered = ["millrace.v1.proto"] + ([] if token is None else [f"millrace.bearer.{token}"])
    tls = {"ca_certs": folder / "trusted.crt", "certfile": folder / "client.crt",
           "keyfile": folder / "client.key"} if folder else {}
    socket = websocket.create_connection(f"{'wss' if tls else 'ws'}://localhost:{hub.web_port}/v1/ws",
                                         timeout=DEADLINE, subprotocols=offered, sslopt=tls)
    assert socket.getsubprotocol() == "millrace.v1.proto", "the token is not echoed"
    return socket


def handshake(hub, token=None, folder=None):
    """"OK", or the HTTP status with which the handshake was refused."""
    try:
        connect(hub, token, folder).close()
    except websocket.WebSocketBadStatusException as refused:
        return refused.status_code
    return "OK"


def send(socket, number, **command):
    socket.send_binary(gateway.GatewayRequest(id=number, **command).SerializeToString())


def receive(socket):
    return gateway.GatewayResponse.FromString(socket.recv())


def of_command(socket, number, name, action):
    """Of a command of a WebSocket."""
    send(socket, number, **{name: action})
    while (answer := receive(socket)).id != number:
        pass
    return answer.error.reason if answer.HasField("error") else "OK"
