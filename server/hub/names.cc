#include "server/hub/names.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "storage/error.h"
#include "storage/names.h"

namespace millrace::hub {
namespace {

std::string Shown(std::string_view name) {
  constexpr size_t kShownBytes = 64;
  const std::string_view head = name.substr(0, kShownBytes);
  return absl::StrCat(absl::CHexEscape({head.data(), head.size()}),
                      name.size() > kShownBytes ? "..." : "");
}

}  // namespace

absl::Status ValidateName(std::string_view what, std::string_view name) {
  if (storage::IsName(name)) return absl::OkStatus();
  const std::string what_string(what);
  return storage::Error(
      storage::Reason::kInvalidName,
      absl::StrCat(what_string, " name \"", Shown(name), "\" is not legal: use 1 to ",
                   storage::kMaxNameBytes, " of the letters a-z, A-Z, digits, '.', '_' and '-'"),
      {{"field", what_string}});
}

}  // namespace millrace::hub
