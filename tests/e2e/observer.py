"""Looks at a hub with stubs of its own, also while it is killed and started again."""

import grpc

import tests.support.stubs  # noqa: F401  generates what follows
from millrace.v1 import event_hub_pb2 as events
from millrace.v1 import event_hub_pb2_grpc, group_pb2, group_pb2_grpc
from millrace.v1 import record_pb2 as records
from tests.e2e.catalogue import Event

DEADLINE = 120


class Observer:
    """What a hub holds of one topic."""

    def __init__(self, hub, topic):
        self.hub, self.topic = hub, topic

    def _call(self, work, stub_type=event_hub_pb2_grpc.EventHubServiceStub):
        with grpc.insecure_channel(self.hub.target) as channel:
            return work(stub_type(channel))

    def ends(self):
        answer = self._call(lambda stub: stub.ListOffsets(
            events.ListOffsetsRequest(topic=self.topic), timeout=DEADLINE, wait_for_ready=True))
        return {p.partition: p.latest_offset for p in answer.partitions}

    def stored(self):
        return sum(self.ends().values())

    def committed(self, group):
        answer = self._call(lambda stub: stub.GetCommittedOffsets(
            events.GetCommittedOffsetsRequest(group=group), timeout=DEADLINE, wait_for_ready=True))
        return {o.partition: o.next_offset for o in answer.offsets}

    def group(self, group):
        """The group; an empty one while there is none."""
        try:
            return self._call(lambda stub: stub.GetGroup(
                group_pb2.GetGroupRequest(group=group), timeout=DEADLINE, wait_for_ready=True),
                group_pb2_grpc.GroupServiceStub).group
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND, error
            return group_pb2.Group()

    def everything(self):
        """All that the topic holds, as {partition: [(offset, Event)]}."""
        found = {partition: [] for partition in self.ends()}

        def read(stub):
            for frame in stub.Subscribe(events.SubscribeRequest(
                    topics=[self.topic], start=records.StartPosition(earliest=True), end_at_current=True),
                    timeout=DEADLINE):
                for batch in frame.batches.batches:
                    for index, record in enumerate(batch.records):
                        headers = b",".join(b"%s=%s" % (h.name.encode(), h.value) for h in record.headers)
                        found[batch.partition].append(
                            (batch.base_offset + index, Event.of(record.key, headers, record.value)))

        self._call(read)
        return found
