// How a record's bytes are shown to a person: as JSON where nothing is lost by it, else as text,
// else as bytes. One rule for every face of the hub.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace millrace::hub {

// Whether the value is JSON that AsExactJson gives.
bool IsExactJson(std::string_view value);

// The value as JSON, if it is one JSON document that survives being read and written again: numbers
// keep their value in a double (integers up to 2^53, at most 15 significant digits else), no object
// names a member twice, and it nests at most 64 deep. Members keep their order.
std::optional<nlohmann::ordered_json> AsExactJson(std::string_view value);

}  // namespace millrace::hub
