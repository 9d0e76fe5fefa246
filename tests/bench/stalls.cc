// How long this machine's processors are taken away from a program that never sleeps, by the host
// of a virtual machine or by other programs: no latency measured here can be free of that. Prints
// one JSON object, of all processors together:
//
//   {"share": of the time, "longest_ms": ...}
//
//   millrace-stalls SECONDS
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

// Two looks at the clock in a row are less than a microsecond apart, a timer's interrupt takes
// some.
constexpr double kStallSeconds = 200e-6;

struct Stalls {
  double seconds = 0;
  double longest_seconds = 0;
};

Stalls WatchOn(int processor, double seconds) {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  CPU_SET(processor, &mask);
  pthread_setaffinity_np(pthread_self(), sizeof mask, &mask);
  Stalls stalls;
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::duration<double>(seconds);
  for (auto last = begin; last < end;) {
    const auto now = Clock::now();
    const double gap = std::chrono::duration<double>(now - last).count();
    if (gap > kStallSeconds) {
      stalls.seconds += gap;
      stalls.longest_seconds = std::max(stalls.longest_seconds, gap);
    }
    last = now;
  }
  return stalls;
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc == 2 ? atof(argv[1]) : 0;
  if (seconds <= 0) {
    fprintf(stderr, "usage: millrace-stalls SECONDS\n");
    return 2;
  }
  const auto processors = static_cast<int>(std::thread::hardware_concurrency());
  std::vector<Stalls> seen(processors);
  std::vector<std::thread> threads;
  for (int i = 0; i < processors; ++i) {
    threads.emplace_back([&seen, i, seconds] { seen[i] = WatchOn(i, seconds); });
  }
  Stalls all;
  for (int i = 0; i < processors; ++i) {
    threads[i].join();
    all.seconds += seen[i].seconds;
    all.longest_seconds = std::max(all.longest_seconds, seen[i].longest_seconds);
  }
  printf("{\"share\": %.5f, \"longest_ms\": %.2f}\n", all.seconds / (seconds * processors),
         all.longest_seconds * 1000);
  return 0;
}
