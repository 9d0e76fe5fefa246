// The console's files, which are part of the program.
#pragma once

#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "server/web/http_message.h"

namespace millrace::server {

struct StaticFile {
  std::string_view path;  // "index.html", "js/app.js".
  std::string_view content;
};

// All files below server/web/console, and those of client/js/src below "js/"; sorted, written by
// CMake.
absl::Span<const StaticFile> ConsoleFiles();

// Threads: any.
class StaticFiles {
 public:
  // What the files refer to lives as long as the process.
  explicit StaticFiles(absl::Span<const StaticFile> files);

  // Answers GET for a path, which begins with a slash; a folder stands for its index.html. 304 for
  // a content that the client has, 404 for a file that there is not.
  HttpResponse Get(std::string_view path, std::string_view if_none_match) const;

 private:
  struct Entry {
    std::string_view content;
    std::string_view content_type;
    std::string etag;
  };

  absl::flat_hash_map<std::string, Entry> by_path_;  // With the slash.
};

}  // namespace millrace::server
