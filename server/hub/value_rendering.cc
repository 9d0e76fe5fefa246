#include "server/hub/value_rendering.h"

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"

namespace millrace::hub {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxDepth = 64;
constexpr int kExactDigits = 15;  // So many decimal digits survive a double, always.
constexpr int64_t kMaxExactInteger = int64_t{1} << 53;

int SignificantDigits(const std::string& literal) {
  int digits = 0;
  for (char c : literal) {
    if (c == 'e' || c == 'E') break;
    if (absl::ascii_isdigit(c) && (digits > 0 || c != '0')) ++digits;
  }
  return digits;
}

// Refuses what would not survive; everything else is left to the parser.
class ExactnessCheck : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t value) override {
    return value >= -kMaxExactInteger && value <= kMaxExactInteger;
  }
  bool number_unsigned(number_unsigned_t value) override {
    return value <= static_cast<uint64_t>(kMaxExactInteger);
  }
  bool number_float(number_float_t value, const string_t& literal) override {
    const int digits = SignificantDigits(literal);
    return std::isfinite(value) && digits <= kExactDigits && (value != 0 || digits == 0);
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override {
    members_.emplace_back();
    return members_.size() <= kMaxDepth;
  }
  bool key(string_t& name) override { return members_.back().insert(name).second; }
  bool end_object() override { return End(); }
  bool start_array(std::size_t) override { return start_object(0); }
  bool end_array() override { return End(); }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool End() {
    members_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> members_;  // Of each open object; empty ones for arrays.
};

}  // namespace

bool IsExactJson(std::string_view value) {
  if (value.substr(0, 3) == "\xEF\xBB\xBF") return false;        // A mark that would be lost.
  if (value.find('\0') != std::string_view::npos) return false;  // The parser takes it for the end.
  ExactnessCheck check;
  return Json::sax_parse(value, &check);
}

std::optional<Json> AsExactJson(std::string_view value) {
  if (!IsExactJson(value)) return std::nullopt;
  return Json::parse(value);
}

}  // namespace millrace::hub
