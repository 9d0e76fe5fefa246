#include "server/access/access_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "server/access/json_node.h"
#include "server/access/principal.h"
#include "storage/names.h"

namespace millrace::server {
namespace {

constexpr size_t kMaxFileBytes = size_t{4} << 20;
constexpr int64_t kMaxLimit = 1'000'000'000'000;
constexpr int64_t kMaxLeewaySeconds = 600;

// The name, or the beginning of one, that the pattern is made of.
std::string_view WithoutStar(std::string_view pattern) {
  if (IsPrefixPattern(pattern)) pattern.remove_suffix(1);
  return pattern;
}

std::string ReadPrincipalPattern(const JsonNode& node) {
  std::string pattern = node.Text();
  const std::string_view name = WithoutStar(pattern);
  if (name.find('*') != std::string_view::npos) {
    node.Refuse("a '*' stands at the end, for all names that begin so");
  } else if (!name.empty() && name != kAnonymous && !IsPrincipalName(name)) {
    node.Refuse("is no name that a principal can have");
  }
  return pattern;
}

std::string ReadNamePattern(const JsonNode& node) {
  std::string pattern = node.Text();
  if (!storage::IsNamePrefix(WithoutStar(pattern))) {
    node.Refuse("is neither a name nor the beginning of one with a '*' behind it");
  }
  return pattern;
}

Right ReadRight(const JsonNode& node) {
  const auto right = RightNamed(node.Text());
  if (!right) node.Refuse("is none of produce, consume, commit, inspect, administer");
  return right.value_or(Right::kInspect);
}

template <typename Read>
auto ReadAll(const JsonNode& list, const Read& read) {
  std::vector<decltype(read(list))> all;
  for (const JsonNode& element : list.Elements()) all.push_back(read(element));
  return all;
}

// As ReadAll, for a list that need not be there.
template <typename Read>
auto ReadAny(const JsonNode& list, const Read& read) {
  return list.absent() ? std::vector<decltype(read(list))>() : ReadAll(list, read);
}

AccessRule ReadRule(const JsonNode& node) {
  node.ExpectOnly({"principals", "rights", "topics", "groups", "hub"});
  AccessRule rule = {.principals = ReadAll(node["principals"], ReadPrincipalPattern),
                     .rights = ReadAll(node["rights"], ReadRight),
                     .topics = ReadAny(node["topics"], ReadNamePattern),
                     .groups = ReadAny(node["groups"], ReadNamePattern),
                     .hub = !node["hub"].absent() && node["hub"].Flag()};
  if (rule.topics.empty() && rule.groups.empty() && !rule.hub) {
    node.Refuse("names no topics, no groups and not the hub");
  }
  return rule;
}

StaticToken ReadToken(const JsonNode& node) {
  node.ExpectOnly({"principal", "sha256"});
  StaticToken token = {.principal = node["principal"].Text()};
  if (!IsPrincipalName(token.principal) || token.principal.find('*') != std::string::npos) {
    node["principal"].Refuse("is no name that a principal can have");
  }
  const std::string hash = node["sha256"].Text();
  const bool is_hash = hash.size() == 2 * token.sha256.size() &&
                       std::all_of(hash.begin(), hash.end(),
                                   [](unsigned char d) { return absl::ascii_isxdigit(d); });
  if (!is_hash) {
    node["sha256"].Refuse("is no SHA-256 of 64 hexadecimal digits");
  } else {
    const std::string bytes = absl::HexStringToBytes(hash);
    std::copy(bytes.begin(), bytes.end(), token.sha256.begin());
  }
  return token;
}

std::vector<StaticToken> ReadTokens(const JsonNode& list) {
  std::set<Sha256> seen;
  return ReadAny(list, [&](const JsonNode& node) {
    StaticToken token = ReadToken(node);
    if (!seen.insert(token.sha256).second) node["sha256"].Refuse("is that of an earlier token");
    return token;
  });
}

JwtConfig ReadJwt(const JsonNode& node) {
  node.ExpectOnly({"issuer", "audience", "jwks_file", "principal_claim", "leeway_seconds"});
  JwtConfig jwt = {.issuer = node["issuer"].Text(),
                   .audience = node["audience"].Text(),
                   .jwks_file = node["jwks_file"].Text()};
  if (!node["principal_claim"].absent()) jwt.principal_claim = node["principal_claim"].Text();
  if (!node["leeway_seconds"].absent()) {
    jwt.leeway = absl::Seconds(node["leeway_seconds"].Whole(0, kMaxLeewaySeconds));
  }
  return jwt;
}

QuotaRule ReadQuota(const JsonNode& node) {
  node.ExpectOnly({"principals", "requests_per_second", "produce_bytes_per_second",
                   "max_connections", "max_streams", "max_subscriptions"});
  bool limits_any = false;
  const auto limit = [&](const char* name) -> std::optional<int64_t> {
    if (node[name].absent()) return std::nullopt;
    limits_any = true;
    return node[name].Whole(1, kMaxLimit);
  };
  QuotaRule rule = {.principals = ReadAll(node["principals"], ReadPrincipalPattern),
                    .limits = {.requests_per_second = limit("requests_per_second"),
                               .produce_bytes_per_second = limit("produce_bytes_per_second"),
                               .max_connections = limit("max_connections"),
                               .max_streams = limit("max_streams"),
                               .max_subscriptions = limit("max_subscriptions")}};
  if (!limits_any) node.Refuse("limits nothing");
  return rule;
}

absl::Status Refused(const std::string& file, const std::string& why) {
  return absl::FailedPreconditionError(file + ": " + why);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Refused(path, std::strerror(errno));
  std::string text(kMaxFileBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return Refused(path, "cannot be read");
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kMaxFileBytes) {
    return Refused(path, "has more than " + std::to_string(kMaxFileBytes) + " bytes");
  }
  return text;
}

absl::StatusOr<AccessFiles> FilesOf(const std::string& file, std::string text) {
  auto config = ParseAccessFile(text);
  if (!config.ok()) return Refused(file, std::string(config.status().message()));
  AccessFiles files = {.text = std::move(text), .config = *std::move(config)};
  if (!files.config.jwt) return files;

  // An absolute path stays as it is.
  std::string& jwks_file = files.config.jwt->jwks_file;
  jwks_file = (std::filesystem::path(file).parent_path() / jwks_file).string();
  auto jwks = ReadFile(jwks_file);
  if (!jwks.ok()) return jwks.status();
  files.jwks = *std::move(jwks);
  return files;
}

}  // namespace

absl::StatusOr<AccessConfig> ParseAccessFile(std::string_view text) {
  const auto json = ParseJson(text);
  if (!json.ok()) return json.status();
  absl::Status refusal;
  const JsonNode root(*json, refusal);
  root.ExpectOnly({"rules", "tokens", "jwt", "quotas"});
  AccessConfig config = {.rules = ReadAll(root["rules"], ReadRule),
                         .tokens = ReadTokens(root["tokens"]),
                         .quotas = ReadAny(root["quotas"], ReadQuota)};
  if (!root["jwt"].absent()) config.jwt = ReadJwt(root["jwt"]);
  if (!refusal.ok()) return refusal;
  return config;
}

absl::StatusOr<AccessFiles> LoadAccessFiles(const std::string& file) {
  auto text = ReadFile(file);
  if (!text.ok()) return text.status();
  return FilesOf(file, *std::move(text));
}

absl::StatusOr<std::optional<AccessFiles>> LoadChangedAccessFiles(const std::string& file,
                                                                  const AccessFiles& before) {
  auto text = ReadFile(file);
  if (!text.ok()) return text.status();
  if (*text == before.text) {
    if (!before.config.jwt) return std::nullopt;
    const auto jwks = ReadFile(before.config.jwt->jwks_file);
    if (!jwks.ok()) return jwks.status();
    if (*jwks == before.jwks) return std::nullopt;
  }
  return FilesOf(file, *std::move(text));
}

}  // namespace millrace::server
