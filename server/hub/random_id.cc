#include "server/hub/random_id.h"

#include <cstdint>
#include <random>

#include "absl/strings/str_cat.h"

namespace millrace::hub {

std::string RandomId() {
  std::random_device device;
  std::string id;
  for (int i = 0; i < 4; ++i) absl::StrAppend(&id, absl::Hex(device(), absl::kZeroPad8));
  return id;
}

}  // namespace millrace::hub
