// The access file: read, and refused where it does not say clearly who may do what. README.md shows
// one.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/access/access_rules.h"
#include "server/access/quotas.h"

namespace millrace::server {

using Sha256 = std::array<uint8_t, 32>;

// A token that stands for a principal. The file does not hold the token itself.
struct StaticToken {
  std::string principal;
  Sha256 sha256{};  // Of the token.
};

// Whose signed tokens are accepted, and how they are read.
struct JwtConfig {
  std::string issuer;    // `iss` is this.
  std::string audience;  // `aud` is this, or has it among others.
  std::string jwks_file;
  std::string principal_claim = "sub";
  absl::Duration leeway = absl::Seconds(60);  // By how much clocks may differ.
};

struct AccessConfig {
  std::vector<AccessRule> rules;
  std::vector<StaticToken> tokens;
  std::optional<JwtConfig> jwt;
  std::vector<QuotaRule> quotas;
};

// Judges the text of an access file. InvalidArgument, with a sentence that begins with the place in
// the JSON ("rules[2].rights[0]: ..."): it is no JSON; a key is unknown or twice there; something
// is missing, empty or of another type; a right, name, hash or number is none; two tokens are the
// same.
absl::StatusOr<AccessConfig> ParseAccessFile(std::string_view text);

// What the files hold.
struct AccessFiles {
  std::string text;  // Of the access file.
  std::string jwks;  // Of the key set; empty where no JWT is accepted.
  AccessConfig config;
};

// Reads the access file and the key set that it names, by a path that is relative to its folder.
// FailedPrecondition, with a sentence that names the file: one cannot be read, or ParseAccessFile
// refuses it. The key set is read here and judged by JwtKeys. `jwks_file` of the answer is its path
// as it was opened.
absl::StatusOr<AccessFiles> LoadAccessFiles(const std::string& file);

// The same where the files hold something else than `before`, which was read from `file`; absent:
// they do not, and nothing is judged again.
absl::StatusOr<std::optional<AccessFiles>> LoadChangedAccessFiles(const std::string& file,
                                                                  const AccessFiles& before);

}  // namespace millrace::server
