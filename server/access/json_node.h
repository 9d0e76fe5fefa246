// A value in a JSON text that knows its place, so that what is wrong with it can be said there.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace millrace::server {

// Parses JSON in which comments may stand. InvalidArgument: it is none, or an object has a key
// twice.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view text);

// The text of an object's member; absent: it is not there, or no text.
std::optional<std::string> TextIn(const nlohmann::json& object, const std::string& member);

// What is asked of it and is not so is noted as a refusal; the first one counts. So whoever reads a
// text reads all of it and looks at the refusal once. For one thread at a time.
class JsonNode {
 public:
  // The whole text. `refusal` must be OK; it and `whole` must live as long.
  JsonNode(const nlohmann::json& whole, absl::Status& refusal) : JsonNode("", &whole, refusal) {}

  // The value under this key; one that is absent() where there is none or this is no object.
  JsonNode operator[](const std::string& key) const;
  bool absent() const { return json_ == nullptr; }
  // What is there; must not be absent.
  const nlohmann::json& json() const { return *json_; }

  // Each of these expects a value of its kind; where it is another or absent, that is refused and
  // the answer is empty.
  void ExpectObject() const;
  void ExpectOnly(std::initializer_list<std::string_view> keys) const;  // An object without others.
  std::vector<JsonNode> Elements() const;                               // At least one.
  std::string Text() const;                                             // Not empty.
  bool Flag() const;
  int64_t Whole(int64_t least, int64_t most) const;

  // Notes "place: why" where nothing was noted yet.
  void Refuse(const std::string& why) const;

 private:
  JsonNode(std::string path, const nlohmann::json* json, absl::Status& refusal)
      : path_(std::move(path)), json_(json), refusal_(&refusal) {}

  std::string path_;  // "rules[2].rights[0]"; empty: the whole.
  const nlohmann::json* json_;
  absl::Status* refusal_;
};

}  // namespace millrace::server
