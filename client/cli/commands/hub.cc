#include "client/cli/commands/hub.h"

#include "client/cli/output/hub_view.h"
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

}  // namespace

void AddHubCommands(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* hub = AddCommandGroup(root, "hub", "Learn about the hub.", session);
  CLI::App* info = AddCommand(*hub, "info", "Show the hub's version, engine and limits.",
                              "  millrace hub info\n"
                              "  millrace hub info -o json | jq .limits.max_record_bytes\n",
                              session);
  SetBody(*info, chosen, std::make_shared<InfoOptions>(), Info);
}

}  // namespace millrace::cli
