#include "server/web/static_files.h"

#include <initializer_list>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace millrace::server {
namespace {

// The page may load nothing but what this hub serves.
constexpr char kContentSecurityPolicy[] =
    "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; "
    "object-src 'none'";

std::string_view ContentTypeOf(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
      {".webmanifest", "application/manifest+json"}};
  for (const auto& [ending, type] : kTypes) {
    if (path.size() > ending.size() && path.substr(path.size() - ending.size()) == ending) {
      return type;
    }
  }
  return "application/octet-stream";
}

// FNV-1a: the same content has the same tag, whatever the hub.
std::string EtagOf(std::string_view content) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : content) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return absl::StrFormat("\"%016x\"", hash);
}

}  // namespace

StaticFiles::StaticFiles(absl::Span<const StaticFile> files) {
  for (const StaticFile& file : files) {
    by_path_[absl::StrCat("/", std::string(file.path))] = {file.content, ContentTypeOf(file.path),
                                                           EtagOf(file.content)};
  }
}

HttpResponse StaticFiles::Get(std::string_view path, std::string_view if_none_match) const {
  std::string name(path);
  if (name.back() == '/') name += "index.html";
  const auto it = by_path_.find(name);
  if (it == by_path_.end()) return BadRequest(404, "there is nothing at this path");
  const Entry& entry = it->second;
  HttpResponse response{.content_type = std::string(entry.content_type)};
  response.headers = {{"ETag", entry.etag},
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", kContentSecurityPolicy},
                      {"Referrer-Policy", "no-referrer"}};
  if (absl::StrContains({if_none_match.data(), if_none_match.size()}, entry.etag)) {
    response.status = 304;
  } else {
    response.body.AddShared({nullptr, entry.content});
  }
  return response;
}

}  // namespace millrace::server
