// The power of the real engine is cut, over and over, in the middle of everything.
//
//   MILLRACE_CUTS=N       how many cuts (20000)
//   MILLRACE_CUT_SEED=S   of the first log; a failed test names the seed of the log that failed
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "tests/fault/power_cut_campaign.h"
#include "tests/storage/rocksdb_engine_factory.h"

namespace millrace::fault {
namespace {

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoll(value, nullptr, 10);
}

TEST(PowerCut, LosesNothingThatWasAcknowledged) {
  const int64_t cuts = FromEnvironment("MILLRACE_CUTS", 20000);
  const auto seed = static_cast<uint64_t>(FromEnvironment("MILLRACE_CUT_SEED", 1));
  constexpr int kLogsAtOnce = 3;
  std::vector<CampaignResult> results(kLogsAtOnce);
  std::vector<std::thread> threads;
  const TemporaryDirectory directory;
  for (int i = 0; i < kLogsAtOnce; ++i) {
    threads.emplace_back([&, i] {
      const int64_t share = cuts / kLogsAtOnce + (i < cuts % kLogsAtOnce ? 1 : 0);
      results[static_cast<size_t>(i)] = CutPower(seed + static_cast<uint64_t>(i), share,
                                                 (directory.path() / std::to_string(i)).string());
    });
  }
  for (std::thread& thread : threads) thread.join();
  CampaignResult all;
  for (const CampaignResult& result : results) {
    all.cuts += result.cuts;
    all.cuts_while_opening += result.cuts_while_opening;
    all.operations += result.operations;
    for (const Finding& finding : result.violations) {
      ADD_FAILURE() << WordOf(finding.violation) << ": " << finding.text
                    << "\n  MILLRACE_CUT_SEED=" << result.failed_seed;
    }
  }
  std::cout << all.cuts << " cuts, " << all.cuts_while_opening << " of them while opening, in "
            << all.operations << " operations of the disk\n";
}

}  // namespace
}  // namespace millrace::fault
