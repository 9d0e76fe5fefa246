#include "client/cli/output/json_value.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

namespace millrace::cli {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr int64_t kMaxExactDigits = 15;  // A double keeps so many decimal digits, always.
constexpr int64_t kMaxExactInteger = int64_t{1} << 53;

// Digits of a JSON number without leading zeros and exponent.
int64_t SignificantDigits(std::string_view token) {
  const std::string_view mantissa = token.substr(0, token.find_first_of("eE"));
  const size_t first = std::min(mantissa.find_first_of("123456789"), mantissa.size());
  return std::count_if(mantissa.begin() + first, mantissa.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
}

// Whether every reader that makes a double of `token` has the same number. Zero is what becomes of
// one that is too small.
bool DoubleKeeps(double number, std::string_view token) {
  const int64_t digits = SignificantDigits(token);
  return std::isfinite(number) && digits <= kMaxExactDigits && (number != 0 || digits == 0);
}

// Walks a document; every member answers whether to go on.
class ExactnessCheck : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t number) override { return number >= -kMaxExactInteger; }
  bool number_unsigned(number_unsigned_t number) override {
    return number <= static_cast<uint64_t>(kMaxExactInteger);
  }
  bool number_float(number_float_t number, const string_t& token) override {
    return DoubleKeeps(number, token);
  }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(); }
  bool key(string_t& name) override { return names_.back().insert(std::move(name)).second; }
  bool end_object() override { return Close(); }
  bool start_array(size_t) override { return Open(); }
  bool end_array() override { return Close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  bool Open() {
    names_.emplace_back();
    return names_.size() <= kMaxDepth;
  }
  bool Close() {
    names_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> names_;  // Of every open object or array.
};

std::string WithoutWhiteSpace(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  bool in_string = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string && c == '\\') {
      out += c;
      out += json[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (in_string || (c != ' ' && c != '\n' && c != '\r' && c != '\t')) out += c;
  }
  return out;
}

}  // namespace

std::optional<std::string> AsJsonDocument(std::string_view value) {
  // The parser would skip a byte order mark, which RFC 8259 does not allow, and end at a NUL.
  if (value.empty() || value.starts_with("\xEF\xBB\xBF")) return std::nullopt;
  if (value.find('\0') != std::string_view::npos) return std::nullopt;
  ExactnessCheck check;
  if (!nlohmann::json::sax_parse(value.begin(), value.end(), &check)) return std::nullopt;
  return WithoutWhiteSpace(value);
}

}  // namespace millrace::cli
