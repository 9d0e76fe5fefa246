// The fake hub's unary calls, by the names of the contract. Each takes a request and gives a response.

import { startOffset } from "./stream.js";

export function callsOf(log, groups) {
  const topicBody = ({ name, partitions, createTime }) => ({
    name,
    partitionCount: partitions.length,
    retention: { maxAge: "0s", maxPartitionBytes: "0" },
    createTime,
  });
  const statusOf = (partition, number) => ({
    partition: number,
    earliestOffset: String(partition.earliest),
    latestOffset: String(partition.latest),
    sizeBytes: String(partition.records.length * 120),
    deliveredRecords: "0",
    ...(partition.records.length > 0 ? { lastAppendTime: partition.records.at(-1).appendTime } : {}),
  });
  const describe = (name) => {
    const topic = log.topic(name);
    return { topic: topicBody(topic), partitions: topic.partitions.map(statusOf) };
  };
  const missing = (name) => ({
    code: 5,
    reason: "TOPIC_NOT_FOUND",
    message: `there is no topic "${name}"`,
    metadata: { topic: name },
  });
  return {
    "TopicService/CreateTopic": ({ topic, partitionCount }) => {
      log.createTopic(topic, partitionCount);
      return { topic: topicBody(log.topic(topic)) };
    },
    "TopicService/GetTopic": ({ topic }) => describe(topic),
    "TopicService/DescribeTopics": ({ topics }) => ({
      topics: topics.map((name) => (log.topics.has(name) ? describe(name) : { error: missing(name) })),
    }),
    "TopicService/ListTopics": () => ({
      topics: [...log.topics.values()].map(topicBody).sort((a, b) => a.name.localeCompare(b.name)),
      nextPageToken: "",
    }),
    "TopicService/DeleteTopic": ({ topic }) => {
      log.deleteTopic(topic);
      return {};
    },
    "TopicService/TruncateTopic": ({ topic, partitions = [] }) => {
      for (const { partition = 0, beforeOffset } of partitions)
        log.partition(topic, partition).truncate(Number(beforeOffset));
      return { partitions: describe(topic).partitions };
    },
    "GroupService/ListGroups": () => ({ groups: groups.list(), nextPageToken: "" }),
    "GroupService/GetGroup": ({ group }) => ({ group: groups.get(group).describe() }),
    "GroupService/ResetOffsets": ({ group, ...request }) => groups.get(group).reset(request),
    "GroupService/DeleteGroup": ({ group }) => {
      groups.delete(group);
      return {};
    },
    "EventHubService/ListOffsets": ({ topic, partitions = [], time }) => ({
      partitions: log
        .topic(topic)
        .partitions.map((partition, number) => ({
          partition: number,
          earliestOffset: String(partition.earliest),
          latestOffset: String(partition.latest),
          ...(time === undefined ? {} : { offsetAtTime: String(startOffset(partition, { time })) }),
        }))
        .filter(({ partition }) => partitions.length === 0 || partitions.includes(partition)),
      logEpoch: String(log.logEpoch),
    }),
    "HubService/GetHub": () => ({
      hub: {
        version: "0.1.0",
        hubId: "f4b1d0e2",
        engine: "memory",
        logEpoch: String(log.logEpoch),
        startTime: log.startTime,
        defaultDurability: "DURABILITY_SYNCED",
        autoCreatePartitions: 0,
        capabilities: {
          atomicProduce: true,
          producerSequences: true,
          expectedOffset: true,
          fencedCommits: true,
          logEpoch: true,
          timeBasis: "TIME_BASIS_APPEND_TIME",
          checkpoints: false,
        },
        limits: { maxRecordBytes: "1048576", maxTopicPartitions: 10000, maxTopics: 10000 },
      },
    }),
  };
}
