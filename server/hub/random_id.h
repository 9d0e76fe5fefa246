// Identifiers that nobody can guess.
#pragma once

#include <string>

namespace millrace::hub {

// 128 bits of the system's randomness, as 32 hexadecimal digits.
std::string RandomId();

}  // namespace millrace::hub
