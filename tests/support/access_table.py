"""What every rpc, WebSocket command and path of the hub needs. The tests hold this against the
contract: what is in the contract and not here fails them."""

from dataclasses import dataclass
from typing import Callable

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import gateway_pb2 as gateway
from millrace.v1 import group_pb2 as groups
from millrace.v1 import hub_pb2 as hubs
from millrace.v1 import inspection_pb2 as inspection
from millrace.v1 import record_pb2 as records
from millrace.v1 import topic_pb2 as topics

MODULES = (events, groups, hubs, inspection, topics)
T, G, H = "topic", "group", "hub"


@dataclass(frozen=True)
class Case:
    """A request about a topic and a group, and the rights that it needs: (right, on what)."""
    request: Callable
    needs: tuple


def record():
    return records.Record(key=b"k", value=b"v")


def produce(topic, _group=None):
    return events.ProduceRequest(topic=topic, records=[record()])


def commit(topic, group):
    return events.CommitOffsetRequest(group=group, offsets=[
        events.OffsetCommit(topic=topic, partition=0, next_offset=0)])


def subscribe(topic, group):
    return events.SubscribeRequest(topics=[topic], group=group, allow_missing_topics=True)


def transact(topic, group):
    return events.TransactRequest(
        appends=[produce(topic)],
        sequence=records.ProducerSequence(producer_id="p", epoch=1, sequence=1),
        commit=events.GroupCommit(group=group, offsets=[
            events.OffsetCommit(topic=topic, partition=0, next_offset=0)]))


def at(topic):
    return [records.TopicPartition(topic=topic, partition=0)]


RPCS = {
    "EventHubService/Produce": Case(produce, (("produce", T),)),
    "EventHubService/ProduceStream": Case(
        lambda t, g: events.ProduceStreamRequest(request=produce(t)), (("produce", T),)),
    "EventHubService/OpenProducer": Case(
        lambda t, g: events.OpenProducerRequest(producer_id="p"), (("produce", T),)),
    "EventHubService/Transact": Case(transact, (("produce", T), ("commit", G), ("consume", T))),
    "EventHubService/Subscribe": Case(subscribe, (("consume", T), ("consume", G))),
    "EventHubService/CommitOffset": Case(commit, (("commit", G), ("consume", T))),
    "EventHubService/GetCommittedOffsets": Case(
        lambda t, g: events.GetCommittedOffsetsRequest(group=g, partitions=at(t)),
        (("inspect", G), ("inspect", T))),
    "EventHubService/ListOffsets": Case(
        lambda t, g: events.ListOffsetsRequest(topic=t), (("inspect", T),)),
    "EventHubService/Seek": Case(
        lambda t, g: events.SeekRequest(session_id="of nobody"), (("consume", T),)),
    "EventHubService/PausePartitions": Case(
        lambda t, g: events.PausePartitionsRequest(session_id="of nobody"), (("consume", T),)),
    "EventHubService/ResumePartitions": Case(
        lambda t, g: events.ResumePartitionsRequest(session_id="of nobody"), (("consume", T),)),
    "EventHubService/UpdateSubscription": Case(
        lambda t, g: events.UpdateSubscriptionRequest(session_id="of nobody", topics=[t]),
        (("consume", T),)),
    "TopicService/CreateTopic": Case(
        lambda t, g: topics.CreateTopicRequest(topic=t), (("administer", T),)),
    "TopicService/GetTopic": Case(lambda t, g: topics.GetTopicRequest(topic=t), (("inspect", T),)),
    "TopicService/DescribeTopics": Case(
        lambda t, g: topics.DescribeTopicsRequest(topics=[t]), (("inspect", T),)),
    "TopicService/ListTopics": Case(lambda t, g: topics.ListTopicsRequest(), (("inspect", H),)),
    "TopicService/UpdateTopic": Case(
        lambda t, g: topics.UpdateTopicRequest(topic=t), (("administer", T),)),
    "TopicService/DeleteTopic": Case(
        lambda t, g: topics.DeleteTopicRequest(topic=t), (("administer", T),)),
    "TopicService/TruncateTopic": Case(
        lambda t, g: topics.TruncateTopicRequest(topic=t), (("administer", T),)),
    "GroupService/ListGroups": Case(lambda t, g: groups.ListGroupsRequest(), (("inspect", H),)),
    "GroupService/GetGroup": Case(lambda t, g: groups.GetGroupRequest(group=g), (("inspect", G),)),
    "GroupService/WatchGroup": Case(
        lambda t, g: groups.WatchGroupRequest(group=g), (("inspect", G),)),
    "GroupService/ResetOffsets": Case(
        lambda t, g: groups.ResetOffsetsRequest(group=g, partitions=at(t), offset=0),
        (("administer", G), ("consume", T))),
    "GroupService/DeleteGroup": Case(
        lambda t, g: groups.DeleteGroupRequest(group=g), (("administer", G),)),
    "HubService/GetHub": Case(lambda t, g: hubs.GetHubRequest(), (("inspect", H),)),
    "HubService/CreateCheckpoint": Case(
        lambda t, g: hubs.CreateCheckpointRequest(directory="not absolute"), (("administer", H),)),
    "HubService/CheckAccess": Case(
        lambda t, g: hubs.CheckAccessRequest(principal="p", right=hubs.RIGHT_PRODUCE, topic=t),
        (("inspect", H),)),
    "InspectionService/Tail": Case(
        lambda t, g: inspection.TailRequest(topic=t, from_beginning=True, end_at_current=True),
        (("consume", T),)),
    "InspectionService/Send": Case(
        lambda t, g: inspection.SendRequest(topic=t, text="v"), (("produce", T),)),
}

# Of a WebSocket: what the connection needs is asked for when it is made, and these besides.
COMMANDS = {
    "subscribe": Case(lambda t, g: gateway.GatewaySubscribe(request=subscribe(t, g)),
                      (("consume", T), ("consume", G))),
    "produce": Case(produce, (("produce", T),)),
    "commit": Case(commit, (("commit", G), ("consume", T))),
    "watch_group": Case(lambda t, g: groups.WatchGroupRequest(group=g), (("inspect", G),)),
    # About what the connection itself has open.
    "unsubscribe": Case(lambda t, g: gateway.GatewayUnsubscribe(subscription=999), ()),
    "credit": Case(lambda t, g: gateway.GatewayCredit(subscription=999, records=1), ()),
    "ping": Case(lambda t, g: gateway.GatewayPing(), ()),
}

# Of plain HTTP: as the table of server/web/README.md names them.
PATHS = {
    "GET /v1/ws": (("inspect", H),),
    "GET /v1/sse": (("consume", T),),
    "POST /v1/topics/TOPIC/records": (("produce", T),),
    "POST /v1/call/SERVICE/METHOD": None,  # Each call by itself, as over gRPC.
    "GET /metrics": (("inspect", H),),
    "GET /healthz": (), "GET /readyz": (), "GET /": (),
}


def rpcs_of_the_contract():
    """{"TopicService/GetTopic": its descriptor} of every rpc there is."""
    return {f"{service.name}/{method.name}": method
            for module in MODULES
            for service in module.DESCRIPTOR.services_by_name.values()
            for method in service.methods}
