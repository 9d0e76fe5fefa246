// What callers may be allowed to do, and on what.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace millrace::server {

enum class Right {
  kProduce,     // Write records to a topic.
  kConsume,     // Read records of a topic; be a member of a group.
  kCommit,      // Move a group's committed offsets.
  kInspect,     // Know that it is there, and how it is set and doing.
  kAdminister,  // Create, change, empty and delete it; on the hub: checkpoints.
};
inline constexpr std::array kAllRights = {Right::kProduce, Right::kConsume, Right::kCommit,
                                          Right::kInspect, Right::kAdminister};

// "produce", "consume", "commit", "inspect", "administer".
std::string_view NameOf(Right right);

// The right of this name; absent: there is none.
std::optional<Right> RightNamed(std::string_view name);

enum class ResourceKind { kTopic, kGroup, kHub };

// "topic", "group", "hub".
std::string_view NameOf(ResourceKind kind);

// What a right is used on. Does not own the name; the hub has none.
struct Resource {
  ResourceKind kind = ResourceKind::kHub;
  std::string_view name;
};

inline Resource Topic(std::string_view name) { return {ResourceKind::kTopic, name}; }
inline Resource Group(std::string_view name) { return {ResourceKind::kGroup, name}; }
inline Resource Hub() { return {ResourceKind::kHub, {}}; }

}  // namespace millrace::server
