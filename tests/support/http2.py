"""HTTP/2 as an attacker speaks it: frames made by hand, well-formed or not, and never a wait for an answer."""

import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS = 1, 1, 4
CANCEL = struct.pack(">I", 8)
CONNECTING, SENDING = 30, 1  # Seconds.


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def varint(value, prefix_bits, first=0):
    """HPACK's integers."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    encoded = bytearray([first | most])
    value -= most
    while value >= 128:
        encoded.append(value % 128 | 128)
        value //= 128
    return bytes([*encoded, value])


def literal(name, value):
    """A header that no table remembers, uncompressed."""
    return b"\x00" + varint(len(name), 7) + name + varint(len(value), 7) + value


def request_headers(path, *more):
    """The header block of a gRPC call."""
    return b"".join(literal(name, value) for name, value in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"hub"),
        (b"te", b"trailers"), (b"content-type", b"application/grpc"), *more))


def message(payload, compressed=False):
    """A gRPC message as DATA carries it."""
    return struct.pack(">BI", compressed, len(payload)) + payload


class Peer:
    """A connection on which what is received is thrown away, if it is read at all."""

    tls = None  # An ssl.SSLContext, of all peers that are not given one.

    def __init__(self, port, source="127.0.0.1", greet=True, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=CONNECTING, source_address=(source, 0))
        if tls or self.tls:
            self.socket = (tls or self.tls).wrap_socket(self.socket)
        self.socket.settimeout(SENDING)
        if greet:
            self.send(PREFACE + frame(SETTINGS))

    def send(self, data):
        """Whether all of it went: not where the hub has closed the connection, or reads no more."""
        try:
            self.socket.sendall(data)
        except OSError:
            return False
        return True

    def drain(self):
        """Reads what is there; False where the hub has closed the connection."""
        self.socket.settimeout(0)
        try:
            while self.socket.recv(1 << 16):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        finally:
            self.socket.settimeout(SENDING)
        return False

    def close(self):
        self.socket.close()


def unverified(protocol="h2"):
    """TLS with whoever answers, as HTTP/2 has it; gRPC knows that by the name "grpc-exp", too."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context
