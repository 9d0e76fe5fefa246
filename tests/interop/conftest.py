"""Fixtures of the group tests."""

import grpc
import pytest

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2_grpc, group_pb2_grpc, topic_pb2_grpc
from tests.support.members import Members


@pytest.fixture
def members(hub):
    opened = Members(hub.target)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def channel(hub):
    with grpc.insecure_channel(hub.target) as opened:
        yield opened


@pytest.fixture(scope="module")
def events_stub(channel):
    return event_hub_pb2_grpc.EventHubServiceStub(channel)


@pytest.fixture(scope="module")
def groups_stub(channel):
    return group_pb2_grpc.GroupServiceStub(channel)


@pytest.fixture(scope="module")
def topics_stub(channel):
    return topic_pb2_grpc.TopicServiceStub(channel)
