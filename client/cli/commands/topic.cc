#include "client/cli/commands/topic.h"

#include <optional>
#include <string>
#include <vector>

#include "client/cli/commands/confirm.h"
#include "client/cli/errors.h"
#include "client/cli/output/topic_view.h"
#include "client/cli/parse/quantity.h"
#include "millrace/admin.h"
#include "millrace/error.h"

namespace millrace::cli {
namespace {

struct CreateOptions {
  std::string topic;
  int32_t partitions = 1;
  std::optional<absl::Duration> retention;
  std::optional<int64_t> retention_bytes;
  bool if_not_exists = false;
};

struct ListOptions {};

struct DescribeOptions {
  std::string topic;
};

struct AlterOptions {
  std::string topic;
  client::TopicUpdate update;
};

struct DeleteOptions {
  std::vector<std::string> topics;
  bool yes = false;
};

struct TruncateOptions {
  std::string topic;
  std::optional<int64_t> before;
  std::optional<int32_t> partition;
  bool all = false;
  bool yes = false;
};

// A limit as a person types it: "none" is zero, which the hub takes as no limit.
absl::StatusOr<absl::Duration> ParseRetention(std::string_view text) {
  return text == "none" ? absl::ZeroDuration() : ParseDuration(text);
}

absl::StatusOr<int64_t> ParseRetentionBytes(std::string_view text) {
  return text == "none" ? 0 : ParseSize(text);
}

absl::Status PrintTopic(Session& session, const client::Topic& topic, const std::string& what) {
  if (session.json()) return session.out().Write(TopicJson(topic) + "\n");
  return session.out().Write(what + " topic " + topic.name + " with " +
                             CountText(topic.partition_count) +
                             (topic.partition_count == 1 ? " partition, " : " partitions, ") +
                             RetentionText(topic.retention) + "\n");
}

absl::Status Create(Session& session, const CreateOptions& options) {
  std::optional<client::RetentionPolicy> retention;
  if (options.retention || options.retention_bytes) {
    retention = client::RetentionPolicy{options.retention, options.retention_bytes.value_or(0)};
  }
  absl::StatusOr<client::Topic> topic =
      session.admin().CreateTopic(options.topic, options.partitions, retention);
  if (topic.ok()) return PrintTopic(session, *topic, "created");

  const bool exists = client::HasReason(topic.status(), client::reason::kTopicExists);
  if (!exists || !options.if_not_exists) return topic.status();
  absl::StatusOr<client::TopicDescription> present = session.admin().GetTopic(options.topic);
  return present.ok() ? PrintTopic(session, present->topic, "there is") : present.status();
}

absl::Status List(Session& session, const ListOptions&) {
  absl::StatusOr<std::vector<client::Topic>> topics = session.admin().ListTopics();
  if (!topics.ok()) return topics.status();
  if (!session.json()) return session.out().Write(TopicTable(*topics, session.colour()));
  for (const client::Topic& topic : *topics) {
    if (absl::Status status = session.out().Write(TopicJson(topic) + "\n"); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status Describe(Session& session, const DescribeOptions& options) {
  absl::StatusOr<client::TopicDescription> topic = session.admin().GetTopic(options.topic);
  if (!topic.ok()) return topic.status();
  return session.out().Write(session.json() ? DescriptionJson(*topic) + "\n"
                                            : DescriptionText(*topic, session.colour()));
}

absl::Status Alter(Session& session, const AlterOptions& options) {
  const client::TopicUpdate& update = options.update;
  if (!update.partition_count && !update.retention_max_age &&
      !update.retention_max_partition_bytes) {
    return UsageError("say what to change: --partitions, --retention or --retention-bytes");
  }
  absl::StatusOr<client::Topic> topic = session.admin().UpdateTopic(options.topic, update);
  return topic.ok() ? PrintTopic(session, *topic, "altered") : topic.status();
}

absl::Status Delete(Session& session, const DeleteOptions& options) {
  std::string names;
  for (const std::string& topic : options.topics) names += " " + topic;
  if (absl::Status status = Confirm("Delete for good, with all records:" + names + "?", options.yes,
                                    "nothing was deleted");
      !status.ok()) {
    return status;
  }
  for (const std::string& topic : options.topics) {
    if (absl::Status status = session.admin().DeleteTopic(topic); !status.ok()) return status;
    const std::string line =
        session.json() ? DeletionJson(topic) + "\n" : "deleted topic " + topic + "\n";
    if (absl::Status status = session.out().Write(line); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Truncate(Session& session, const TruncateOptions& options) {
  std::vector<client::PartitionTruncation> truncations;
  std::string what = "all records of topic " + options.topic;
  if (options.all == options.before.has_value()) {
    return UsageError("say what to delete: --all, or --before OFFSET with --partition P");
  }
  if (options.before) {
    if (!options.partition) return UsageError("--before needs --partition");
    truncations.push_back({*options.partition, *options.before});
    what = "the records before offset " + std::to_string(*options.before) + " in partition " +
           std::to_string(*options.partition) + " of topic " + options.topic;
  } else if (options.partition) {
    return UsageError("--partition goes with --before, not with --all");
  }
  if (absl::Status status =
          Confirm("Delete " + what + " for good?", options.yes, "nothing was deleted");
      !status.ok()) {
    return status;
  }
  absl::StatusOr<std::vector<client::PartitionStatus>> partitions =
      session.admin().TruncateTopic(options.topic, truncations);
  if (!partitions.ok()) return partitions.status();
  return session.out().Write(session.json() ? PartitionLines(options.topic, *partitions)
                                            : PartitionTable(*partitions, session.colour()));
}

void AddTopicName(CLI::App& command, std::string& topic) {
  command.add_option("TOPIC", topic, "The topic's name: letters, digits, '.', '_' and '-'")
      ->required()
      ->type_name("");
}

void AddCreate(CLI::App& topic, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(topic, "create", "Create a topic.",
                 "  millrace topic create test-topic --partitions 3\n"
                 "  millrace topic create orders --partitions 6 --retention 7d\n"
                 "  millrace topic create audit --retention-bytes 10GiB --if-not-exists\n",
                 session);
  auto options = std::make_shared<CreateOptions>();
  AddTopicName(*command, options->topic);
  AddParsed(*command, "-p,--partitions", options->partitions, ParsePositiveCount, "N",
            "The number of partitions [default: 1]");
  AddParsed(*command, "--retention", options->retention, ParseRetention, "DURATION|none",
            "Delete records that are older [default: the hub's]");
  AddParsed(*command, "--retention-bytes", options->retention_bytes, ParseRetentionBytes,
            "SIZE|none",
            "Delete the oldest records of a partition above this size "
            "[default: the hub's]");
  command->add_flag("--if-not-exists", options->if_not_exists,
                    "A topic of that name that is there already is no error");
  SetBody(*command, chosen, options, Create);
}

void AddAlter(CLI::App& topic, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(topic, "alter", "Change a topic; what is not named stays as it is.",
                 "  millrace topic alter orders --partitions 12\n"
                 "  millrace topic alter orders --retention none\n",
                 session);
  auto options = std::make_shared<AlterOptions>();
  AddTopicName(*command, options->topic);
  AddParsed(*command, "-p,--partitions", options->update.partition_count, ParsePositiveCount, "N",
            "The new number of partitions, not fewer than now; keys may move to others");
  AddParsed(*command, "--retention", options->update.retention_max_age, ParseRetention,
            "DURATION|none", "Delete records that are older");
  AddParsed(*command, "--retention-bytes", options->update.retention_max_partition_bytes,
            ParseRetentionBytes, "SIZE|none",
            "Delete the oldest records of a partition above this size");
  SetBody(*command, chosen, options, Alter);
}

void AddDelete(CLI::App& topic, Chosen& chosen, Session& session) {
  CLI::App* command = AddCommand(topic, "delete", "Delete topics with all their records.",
                                 "  millrace topic delete test-topic\n"
                                 "  millrace topic delete one two --yes\n",
                                 session);
  auto options = std::make_shared<DeleteOptions>();
  command->add_option("TOPIC", options->topics, "The topics' names")->required()->type_name("");
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  SetBody(*command, chosen, options, Delete);
}

void AddTruncate(CLI::App& topic, Chosen& chosen, Session& session) {
  CLI::App* command =
      AddCommand(topic, "truncate", "Delete the oldest records of a topic, or all of them.",
                 "  millrace topic truncate orders --partition 0 --before 1000\n"
                 "  millrace topic truncate orders --all --yes\n",
                 session);
  auto options = std::make_shared<TruncateOptions>();
  AddTopicName(*command, options->topic);
  AddParsed(*command, "--before", options->before, ParseCount, "OFFSET",
            "Delete the records before this offset; needs --partition");
  AddParsed(*command, "-p,--partition", options->partition, ParsePartition, "P", "The partition");
  command->add_flag("--all", options->all, "Delete all records; offsets go on counting");
  command->add_flag("-y,--yes", options->yes, "Do not ask");
  SetBody(*command, chosen, options, Truncate);
}

}  // namespace

void AddTopicCommands(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* topic =
      AddCommandGroup(root, "topic", "Create, list, change and delete topics.", session);
  AddCreate(*topic, chosen, session);

  CLI::App* list = AddCommand(*topic, "list", "List all topics.",
                              "  millrace topic list\n"
                              "  millrace topic list -o json | jq -r .topic\n",
                              session);
  SetBody(*list, chosen, std::make_shared<ListOptions>(), List);

  CLI::App* describe = AddCommand(*topic, "describe", "Show a topic and its partitions.",
                                  "  millrace topic describe orders\n", session);
  auto options = std::make_shared<DescribeOptions>();
  AddTopicName(*describe, options->topic);
  SetBody(*describe, chosen, options, Describe);

  AddAlter(*topic, chosen, session);
  AddDelete(*topic, chosen, session);
  AddTruncate(*topic, chosen, session);
}

}  // namespace millrace::cli
