// The command line as a whole.
#pragma once

namespace millrace::cli {

// Reads the command line, does what it says and returns the exit code (errors.h). The process's
// SIGPIPE must be ignored. Throws nothing.
int RunCommandLine(int argc, char** argv);

}  // namespace millrace::cli
