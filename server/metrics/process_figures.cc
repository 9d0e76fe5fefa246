#include "server/metrics/process_figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>

namespace millrace::server {
namespace {

using prometheus::MetricType;

// Of /proc/self/stat: proc(5).
struct ProcessStat {
  double cpu_ticks = 0;
  double start_ticks = 0;  // Since the machine started.
  double virtual_bytes = 0;
  double resident_pages = 0;
};

std::optional<ProcessStat> ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The second field is the program's name, which may hold anything.
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  constexpr int kUserTicks = 14;
  constexpr int kSystemTicks = 15;
  constexpr int kStartTicks = 22;
  constexpr int kVirtualBytes = 23;
  constexpr int kResidentPages = 24;
  ProcessStat stat;
  std::string state;
  fields >> state;
  double value = 0;
  for (int field = 4; field <= kResidentPages; ++field) {
    if (!(fields >> value)) return std::nullopt;
    if (field == kUserTicks || field == kSystemTicks) stat.cpu_ticks += value;
    if (field == kStartTicks) stat.start_ticks = value;
    if (field == kVirtualBytes) stat.virtual_bytes = value;
    if (field == kResidentPages) stat.resident_pages = value;
  }
  return stat;
}

// When the machine started.
std::optional<double> BootSeconds() {
  std::ifstream file("/proc/stat");
  for (std::string name; file >> name;) {
    double seconds = 0;
    if (name == "btime" && file >> seconds) return seconds;
    std::string rest;
    std::getline(file, rest);
  }
  return std::nullopt;
}

void AddDescriptors(Families& families) {
  std::error_code error;
  const std::filesystem::directory_iterator open("/proc/self/fd", error);
  if (!error) {
    families.AddForeign("process_open_fds", "Number of open file descriptors.", MetricType::Gauge,
                        static_cast<double>(std::distance(open, {})));
  }
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.AddForeign("process_max_fds", "Maximum number of open file descriptors.",
                        MetricType::Gauge, static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace

void AddProcess(Families& families) {
  AddDescriptors(families);
  const auto stat = ReadStat();
  if (!stat) return;
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  families.AddForeign("process_cpu_seconds_total",
                      "Total user and system CPU time spent in seconds.", MetricType::Counter,
                      stat->cpu_ticks / ticks_per_second);
  families.AddForeign("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                      MetricType::Gauge, stat->virtual_bytes);
  families.AddForeign("process_resident_memory_bytes", "Resident memory size in bytes.",
                      MetricType::Gauge,
                      stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE)));
  if (const auto boot = BootSeconds()) {
    families.AddForeign("process_start_time_seconds",
                        "Start time of the process since unix epoch in seconds.", MetricType::Gauge,
                        *boot + stat->start_ticks / ticks_per_second);
  }
}

}  // namespace millrace::server
