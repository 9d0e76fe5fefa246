#include "client/cli/commands/hub.h"

#include <filesystem>
#include <memory>
#include <string>

#include "client/cli/output/hub_view.h"
#include "client/cli/output/json_line.h"
#include "client/cli/parse/quantity.h"
#include "millrace/admin.h"

namespace millrace::cli {
namespace {

struct InfoOptions {};

absl::Status Info(Session& session, const InfoOptions&) {
  absl::StatusOr<client::HubInfo> hub = session.admin().GetHub();
  if (!hub.ok()) return hub.status();
  return session.out().Write(session.json() ? HubJson(*hub) + "\n"
                                            : HubText(*hub, session.colour()));
}

struct CheckpointOptions {
  std::string directory;
};

absl::Status Checkpoint(Session& session, const CheckpointOptions& options) {
  // For a hub on this machine, as here; a hub elsewhere has the same path in mind.
  const std::string directory = std::filesystem::absolute(options.directory).lexically_normal();
  const absl::StatusOr<int64_t> bytes = session.admin().CreateCheckpoint(directory);
  if (!bytes.ok()) return bytes.status();
  return session.out().Write(
      session.json()
          ? JsonLine().Text("directory", directory).Number("size_bytes", *bytes).Take() + "\n"
          : "made a checkpoint in " + directory + ", " + SizeText(*bytes) + "\n");
}

}  // namespace

void AddHubCommands(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* hub = AddCommandGroup(root, "hub", "Learn about the hub, and copy its log.", session);
  CLI::App* info = AddCommand(*hub, "info", "Show the hub's version, engine and limits.",
                              "  millrace hub info\n"
                              "  millrace hub info -o json | jq .limits.max_record_bytes\n",
                              session);
  SetBody(*info, chosen, std::make_shared<InfoOptions>(), Info);

  CLI::App* checkpoint = AddCommand(
      *hub, "checkpoint", "Copy the whole log into a new directory, while the hub goes on.",
      "  millrace hub checkpoint /backup/monday\n"
      "  millrace-server --data-dir /backup/monday\n",
      session);
  auto options = std::make_shared<CheckpointOptions>();
  checkpoint->add_option("DIR", options->directory, "A directory that is not there yet")
      ->required()
      ->type_name("");
  SetBody(*checkpoint, chosen, options, Checkpoint);
}

}  // namespace millrace::cli
