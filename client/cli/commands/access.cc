#include "client/cli/commands/access.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "client/cli/errors.h"
#include "client/cli/output/json_line.h"
#include "millrace/admin.h"

namespace millrace::cli {
namespace {

// ---- check

struct CheckOptions {
  std::string principal;
  std::string right;
  std::string topic;
  std::string group;
  bool hub = false;
};

const std::map<std::string, client::Right>& Rights() {
  static const auto& rights =
      *new std::map<std::string, client::Right>{{"produce", client::Right::kProduce},
                                                {"consume", client::Right::kConsume},
                                                {"commit", client::Right::kCommit},
                                                {"inspect", client::Right::kInspect},
                                                {"administer", client::Right::kAdminister}};
  return rights;
}

std::string AnswerJson(const client::AccessAnswer& answer) {
  JsonArray rules;
  for (const client::AccessAnswer::Rule& rule : answer.rules) {
    rules.Add(JsonLine().Number("number", rule.number).Text("text", rule.text).Take());
  }
  return JsonLine()
             .Bool("allowed", answer.allowed)
             .Bool("enforced", answer.enforced)
             .Json("rules", rules.Take())
             .Take() +
         "\n";
}

std::string AnswerText(const client::AccessAnswer& answer) {
  if (!answer.enforced) return "allowed: this hub has no access file\n";
  if (!answer.allowed) return "refused: no rule allows it\n";
  std::string text = "allowed\n";
  for (const client::AccessAnswer::Rule& rule : answer.rules) {
    text += "  by rule " + std::to_string(rule.number) + ": " + rule.text + "\n";
  }
  return text;
}

absl::Status Check(Session& session, const CheckOptions& options) {
  const int named = !options.topic.empty() + !options.group.empty() + options.hub;
  if (named != 1) return UsageError("say one of --topic, --group and --hub");
  const client::ResourceKind kind = options.hub             ? client::ResourceKind::kHub
                                    : options.topic.empty() ? client::ResourceKind::kGroup
                                                            : client::ResourceKind::kTopic;
  const auto answer =
      session.admin().CheckAccess(options.principal, Rights().at(options.right), kind,
                                  options.topic.empty() ? options.group : options.topic);
  if (!answer.ok()) return answer.status();
  return session.out().Write(session.json() ? AnswerJson(*answer) : AnswerText(*answer));
}

// ---- token

struct TokenOptions {
  std::string principal;
};

constexpr size_t kTokenBytes = 32;

std::string Hex(std::string_view bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

absl::Status Token(Session& session, const TokenOptions& options) {
  std::array<unsigned char, kTokenBytes> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
    return absl::InternalError("the system gives no random bytes");
  }
  const std::string token = Hex({reinterpret_cast<const char*>(random.data()), random.size()});
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(token.data(), token.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    return absl::InternalError("OpenSSL has no SHA-256");
  }
  const std::string hash = Hex({reinterpret_cast<const char*>(digest.data()), size});
  const std::string entry =
      JsonLine().Text("principal", options.principal).Text("sha256", hash).Take();
  return session.out().Write(
      session.json() ? JsonLine().Text("token", token).Json("entry", entry).Take() + "\n"
                     : "token, for the client:                 " + token +
                           "\nentry, for \"tokens\" of the access file: " + entry + "\n");
}

}  // namespace

void AddAccessCommands(CLI::App& root, Chosen& chosen, Session& session) {
  CLI::App* access =
      AddCommandGroup(root, "access", "Learn who may do what, and make tokens.", session);
  CLI::App* check = AddCommand(*access, "check",
                               "Explain whether the hub's access file lets somebody do something.",
                               "  millrace access check orders-service produce --topic orders\n"
                               "  millrace access check ops administer --hub -o json\n",
                               session);
  auto options = std::make_shared<CheckOptions>();
  check->add_option("PRINCIPAL", options->principal, "Who")->required()->type_name("");
  check->add_option("RIGHT", options->right, "produce, consume, commit, inspect or administer")
      ->required()
      ->check(CLI::IsMember(Rights()))
      ->type_name("");
  check->add_option("--topic", options->topic, "On this topic")->type_name("TOPIC");
  check->add_option("--group", options->group, "On this group")->type_name("GROUP");
  check->add_flag("--hub", options->hub, "On the hub");
  SetBody(*check, chosen, options, Check);

  CLI::App* token = AddCommand(
      *access, "token", "Make a token for a client, and its entry for the hub's access file.",
      "  millrace access token ops\n", session);
  auto made_for = std::make_shared<TokenOptions>();
  token->add_option("PRINCIPAL", made_for->principal, "Whom it stands for")
      ->required()
      ->type_name("");
  SetBody(*token, chosen, made_for, Token);
}

}  // namespace millrace::cli
