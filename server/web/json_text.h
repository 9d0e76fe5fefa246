// JSON as text: what is one document, where its parts lie, and how a string is written. Nothing is
// built of a document; a part of it is a slice of its text.
//
// Free functions and plain values, safe from any thread. Slices point into the text given.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace millrace::server {

// Whether the text is exactly one JSON document in UTF-8. Needs no stack for its depth.
bool IsJson(std::string_view text);

// Gives the members of an object, one after another, in order and as often as they are there. The
// text must be JSON; of anything but an object it gives none.
//   JsonMembers members(text);
//   for (JsonMember member; members.Next(&member);) ...
struct JsonMember {
  std::string name;
  std::string_view value;
};
class JsonMembers {
 public:
  explicit JsonMembers(std::string_view json);

  bool is_object() const { return is_object_; }
  bool Next(JsonMember* member);

 private:
  std::string_view rest_;
  bool is_object_;
};

// The same for the elements of an array.
class JsonElements {
 public:
  explicit JsonElements(std::string_view json);

  bool is_array() const { return is_array_; }
  bool Next(std::string_view* element);

 private:
  std::string_view rest_;
  bool is_array_;
};

// What a JSON string says; absent for a document of another kind. The text must be JSON.
std::optional<std::string> JsonString(std::string_view json);

// Appends the text, which must be UTF-8, as a JSON string.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace millrace::server
