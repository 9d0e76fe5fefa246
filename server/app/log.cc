#include "server/app/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace millrace::server {
namespace {

LogFormat chosen_format = LogFormat::kText;

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
    case LogLevel::kInfo:
      break;
  }
  return spdlog::level::info;
}

// A JSON string; bytes that are not UTF-8 are replaced.
std::string Quoted(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool NeedsQuotes(std::string_view text) {
  return text.empty() || text.find_first_of(" =\"\\\t\r\n") != std::string_view::npos;
}

std::string TextLine(std::string_view event, absl::Span<const LogField> fields) {
  std::string line(event);
  for (const auto& [name, value] : fields) {
    line.append(" ").append(name).append("=");
    line += NeedsQuotes(value) ? Quoted(value) : value;
  }
  return line;
}

// The members of an object that the pattern has begun.
std::string JsonMembers(std::string_view event, absl::Span<const LogField> fields) {
  std::string line = "\"event\":" + Quoted(event);
  for (const auto& [name, value] : fields) line += "," + Quoted(name) + ":" + Quoted(value);
  return line;
}

}  // namespace

void StartLog(LogLevel level, LogFormat format) {
  chosen_format = format;
  auto logger = spdlog::stderr_logger_mt("millrace");
  const bool json = format == LogFormat::kJson;
  logger->set_pattern(
      json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})" : "%Y-%m-%dT%H:%M:%S.%eZ %l: %v",
      spdlog::pattern_time_type::utc);
  logger->set_level(ToSpdlog(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void Log(LogLevel level, std::string_view event, absl::Span<const LogField> fields) {
  const spdlog::level::level_enum spdlog_level = ToSpdlog(level);
  if (!spdlog::should_log(spdlog_level)) return;
  const std::string line =
      chosen_format == LogFormat::kJson ? JsonMembers(event, fields) : TextLine(event, fields);
  spdlog::log(spdlog_level, spdlog::string_view_t(line));
}

}  // namespace millrace::server
