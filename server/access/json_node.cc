#include "server/access/json_node.h"

#include <algorithm>
#include <set>
#include <utility>

namespace millrace::server {
namespace {

using nlohmann::json;

// Refuses a key that an object has twice: one of the two would be without effect, and nobody told.
class TwiceWatch {
 public:
  bool operator()(int depth, json::parse_event_t event, const json& value) {
    if (event == json::parse_event_t::object_start) {
      keys_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys_.pop_back();
    } else if (event == json::parse_event_t::key && twice_.empty()) {
      const auto& key = value.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second) twice_ = key;
    }
    return true;
  }

  const std::string& twice() const { return twice_; }

 private:
  std::vector<std::set<std::string>> keys_;  // Of each object that is open.
  std::string twice_;
};

absl::Status NoJson(std::string_view text, const json::parse_error& error) {
  const auto end = text.begin() + static_cast<ptrdiff_t>(std::min(error.byte, text.size()));
  const auto line = 1 + std::count(text.begin(), end, '\n');
  return absl::InvalidArgumentError("line " + std::to_string(line) + ": is no JSON");
}

}  // namespace

absl::StatusOr<json> ParseJson(std::string_view text) {
  TwiceWatch watch;
  json parsed;
  try {
    parsed = json::parse(text, std::ref(watch), /*allow_exceptions=*/true,
                         /*ignore_comments=*/true);
  } catch (const json::parse_error& error) {
    return NoJson(text, error);
  } catch (const json::exception&) {
    return absl::InvalidArgumentError("a number is too large");
  }
  if (!watch.twice().empty()) {
    return absl::InvalidArgumentError("the key \"" + watch.twice() +
                                      "\" is there twice in one object");
  }
  return parsed;
}

std::optional<std::string> TextIn(const json& object, const std::string& member) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

JsonNode JsonNode::operator[](const std::string& key) const {
  const bool there = json_ != nullptr && json_->is_object() && json_->contains(key);
  return {path_.empty() ? key : path_ + "." + key, there ? &json_->at(key) : nullptr, *refusal_};
}

void JsonNode::Refuse(const std::string& why) const {
  if (!refusal_->ok()) return;
  *refusal_ = absl::InvalidArgumentError((path_.empty() ? "the whole" : path_) + ": " +
                                         (absent() ? "is missing" : why));
}

void JsonNode::ExpectObject() const {
  if (absent() || !json_->is_object()) Refuse("is no object");
}

void JsonNode::ExpectOnly(std::initializer_list<std::string_view> keys) const {
  ExpectObject();
  if (absent() || !json_->is_object()) return;
  for (const auto& item : json_->items()) {
    if (std::find(keys.begin(), keys.end(), item.key()) == keys.end()) {
      (*this)[item.key()].Refuse("there is no such key");
    }
  }
}

std::vector<JsonNode> JsonNode::Elements() const {
  std::vector<JsonNode> elements;
  if (absent() || !json_->is_array()) {
    Refuse("is no list");
    return elements;
  }
  if (json_->empty()) Refuse("is empty");
  for (size_t i = 0; i < json_->size(); ++i) {
    elements.push_back({path_ + "[" + std::to_string(i) + "]", &json_->at(i), *refusal_});
  }
  return elements;
}

std::string JsonNode::Text() const {
  if (absent() || !json_->is_string()) {
    Refuse("is no text");
    return {};
  }
  auto text = json_->get<std::string>();
  if (text.empty()) Refuse("is empty");
  return text;
}

bool JsonNode::Flag() const {
  if (absent() || !json_->is_boolean()) {
    Refuse("is neither true nor false");
    return false;
  }
  return json_->get<bool>();
}

int64_t JsonNode::Whole(int64_t least, int64_t most) const {
  const bool whole = !absent() && json_->is_number_integer();
  const bool fits = whole && (!json_->is_number_unsigned() ||
                              json_->get<uint64_t>() <= static_cast<uint64_t>(most));
  const int64_t number = fits ? json_->get<int64_t>() : 0;
  if (fits && number >= least && number <= most) return number;
  Refuse("is no whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return least;
}

}  // namespace millrace::server
