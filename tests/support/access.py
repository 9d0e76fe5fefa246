"""Access files, tokens, and calls of one principal."""

import hashlib
import json
import os

import grpc

from tests.support.hub import Hub
from tests.support.waiting import wait_until

DEADLINE = 60


def token_of(principal):
    """The static token of a principal of the test."""
    return hashlib.sha256(b"of the test: " + principal.encode()).hexdigest()


def rule(principals, rights, topics=(), groups=(), hub=False):
    """A rule as it stands in the file."""
    made = {"principals": list(principals), "rights": list(rights)}
    if topics:
        made["topics"] = list(topics)
    if groups:
        made["groups"] = list(groups)
    if hub:
        made["hub"] = True
    return made


class AccessFile:
    """An access file that a test writes anew, as a whole each time."""

    def __init__(self, path):
        self.path = path

    def write(self, rules, principals=(), **more):
        tokens = [{"principal": name, "sha256": hashlib.sha256(token_of(name).encode()).hexdigest()}
                  for name in sorted(set(principals))]
        replace(self.path, json.dumps({"rules": rules, "tokens": tokens, **more}))


def replace(path, text):
    """So that no reader sees half of it."""
    new = path.with_suffix(".new")
    new.write_text(text)
    os.replace(new, path)


class GuardedHub(Hub):
    """A hub with an access file, which write() replaces and waits for."""

    def __init__(self, directory, rules, principals, *flags, **more):
        self.access = AccessFile(directory / "access.json")
        self.access.write(rules, principals, **more)
        super().__init__(directory, "--access-file", self.access.path, *flags)

    def write(self, rules, principals=(), **more):
        with self.taken():
            self.access.write(rules, principals, **more)

    def taken(self):
        return Taken(self)

    def whole_log(self):
        return (self.directory / "hub.log").read_text(errors="replace")


class Taken:
    """Waits, at its end, until the hub has taken what was written in between."""

    def __init__(self, hub):
        self.hub = hub

    def count(self):
        return self.hub.whole_log().count("access file taken")

    def __enter__(self):
        self.before = self.count()

    def __exit__(self, kind, *_):
        if kind is None:
            wait_until(lambda: self.count() > self.before, "the access file is taken")


def bearer(token):
    """Metadata of a call; without a token: of nobody."""
    return (("authorization", f"Bearer {token}"),) if token else ()


def channel_to(hub):
    return grpc.insecure_channel(hub.target, [("grpc.use_local_subchannel_pool", 1)])
