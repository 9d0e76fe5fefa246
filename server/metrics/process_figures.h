// The figures of the process itself, by the names that every Prometheus client gives them.
#pragma once

#include "server/metrics/families.h"

namespace millrace::server {

// Leaves out what the operating system does not tell.
void AddProcess(Families& families);

}  // namespace millrace::server
