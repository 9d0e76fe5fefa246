// Does one work so many times, for a program that counts instructions:
//
//   millrace-instructions walk|frame TIMES
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "tests/bench/micro/works.h"

int main(int argc, char** argv) {
  const std::string_view work = argc == 3 ? argv[1] : "";
  const int times = argc == 3 ? std::atoi(argv[2]) : 0;
  int64_t done = 0;
  if (work == "walk") {
    const millrace::bench::WireWalk walk(88, 1);
    for (int i = 0; i < times; ++i) done += walk.Run();
  } else if (work == "frame") {
    const millrace::bench::BatchHeader header(88);
    const millrace::bench::FrameEncode frame(88, 10);
    for (int i = 0; i < times; ++i) done += frame.Run() + header.Run();
  } else {
    std::fprintf(stderr, "usage: millrace-instructions walk|frame TIMES\n");
    return 2;
  }
  std::printf("%lld\n", static_cast<long long>(done));  // So that nothing is optimised away.
}
