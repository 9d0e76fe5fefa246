// The hub as a program: settings in, engine, hub and transports put together, drained on SIGTERM.
#pragma once

namespace millrace::server {

// The exit status: 0 after a drain, 1 where the hub could not start or its log failed, 2 for
// settings that make no sense. Call it once, from main.
int RunServer(int argc, const char* const* argv);

}  // namespace millrace::server
