#include "tests/fault/power_cut_campaign.h"

#include <memory>
#include <utility>

#include "storage/rocksdb/rocksdb_engine.h"
#include "tests/fault/power_cut_file_system.h"
#include "tests/fault/random_workload.h"

namespace millrace::fault {
namespace {

constexpr int kLivesOfALog = 12;

// One log through its lives.
class Log {
 public:
  Log(uint64_t seed, const std::string& data_dir)
      : random_(seed), checker_(kWindow), workload_(random_.Next(), checker_, clock_) {
    options_.data_dir = data_dir;
    options_.clock = &clock_;
    options_.producer_window = kWindow;
    options_.disk_reserve_bytes = 0;
    options_.min_blob_bytes = random_.OneIn(2) ? 500 : 5000;
    options_.records_memtable_bytes = random_.OneIn(3) ? 1 << 20 : 64 << 10;
    options_.tail_cache_bytes = random_.OneIn(2) ? 10 << 10 : 64 << 20;
    options_.retention_interval = random_.OneIn(3) ? absl::Milliseconds(2) : absl::ZeroDuration();
    disk_ = PowerCutFileSystem::Make(ParentsOf(data_dir), random_.Next());
  }

  // False: something is wrong.
  bool Live(CampaignResult& result) {
    options_.file_system = disk_;
    const bool cut_while_opening = random_.OneIn(6);
    if (cut_while_opening) disk_->CutAtOperation(1 + random_.Between(0, 60));
    auto opened = storage::RocksDbEngine::Open(options_);
    ObservedLog observed;
    if (opened.ok()) {
      observed = Observe(**opened, checker_.groups(), checker_.positions());
    }
    if (disk_->is_cut()) {
      ++result.cuts_while_opening;

      checker_.NoteOpenCut();
    } else if (!opened.ok()) {
      checker_.Report(Violation::kNotOpened, opened.status().ToString());
    } else {
      checker_.Judge(observed);
    }
    if (!checker_.violations().empty()) return false;
    if (opened.ok() && !disk_->is_cut()) Work(**opened);
    disk_->Cut();
    opened = absl::UnknownError("");  // The engine goes: every write has its answer.
    workload_.WaitForAnswers();
    ++result.cuts;
    result.operations += disk_->operations();
    disk_ = disk_->AfterCut();
    return checker_.violations().empty();
  }

  std::vector<Finding> violations() const { return checker_.violations(); }

 private:
  static constexpr int32_t kWindow = 6;

  static std::vector<std::string> ParentsOf(const std::string& path) {
    std::vector<std::string> parents;
    for (size_t slash = path.find('/', 1); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      parents.push_back(path.substr(0, slash));
    }
    parents.push_back(path);
    return parents;
  }

  void Work(storage::RocksDbEngine& engine) {
    constexpr int64_t kRanges[] = {6, 30, 30, 120};
    const int64_t operations = random_.Between(1, kRanges[random_.Below(4)]);
    disk_->CutAtOperation(disk_->operations() + operations);
    workload_.Run(engine, static_cast<int>(random_.Between(1, 40)),
                  [this] { return disk_->is_cut(); });
    if (random_.OneIn(3)) workload_.WaitForAnswers();
    if (random_.OneIn(8)) {
      checker_.AskChange({.kind = AskedChange::Kind::kClose});
      const absl::Status closed = engine.Close();
      checker_.AnswerChange(disk_->is_cut() ? absl::UnknownError("cut") : closed);
    }
  }

  Random random_;
  storage::ManualClock clock_;
  HistoryChecker checker_;
  RandomWorkload workload_;
  storage::RocksDbOptions options_;
  std::shared_ptr<PowerCutFileSystem> disk_;
};

}  // namespace

CampaignResult CutPower(uint64_t seed, int64_t cuts, const std::string& data_dir) {
  CampaignResult result;
  for (Random seeds(seed); result.cuts < cuts;) {
    // The first log has the seed itself, so that a failed one can be had again.
    const uint64_t log_seed = result.cuts == 0 ? seed : seeds.Next();
    Log log(log_seed, data_dir);
    for (int life = 0; life < kLivesOfALog && result.cuts < cuts; ++life) {
      if (log.Live(result)) continue;
      result.failed_seed = log_seed;
      result.violations = log.violations();
      return result;
    }
  }
  return result;
}

}  // namespace millrace::fault
