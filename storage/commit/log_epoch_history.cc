#include "storage/commit/log_epoch_history.h"

#include <algorithm>
#include <string>

#include "storage/error.h"

namespace millrace::storage {

std::optional<LogEpochHistory::Entry> LogEpochHistory::EntryFor(LogEpoch epoch,
                                                                Offset offset) const {
  if (!entries_.empty() && entries_.back().epoch == epoch) return std::nullopt;
  return Entry{epoch, offset};
}

void LogEpochHistory::DropBefore(Offset earliest) {
  // The last entry is kept: by it EntryFor knows the epoch of the batch before.
  size_t gone = 0;
  while (gone + 1 < entries_.size() && entries_[gone + 1].first_offset < earliest) ++gone;
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(gone));
}

void LogEpochHistory::CutAt(Offset end) {
  while (!entries_.empty() && entries_.back().first_offset >= end) entries_.pop_back();
}

absl::Status LogEpochHistory::Validate(Offset offset, LogEpoch epoch, Offset end) const {
  Offset valid_until;
  if (epoch >= first_epoch_) {
    const auto later =
        std::upper_bound(entries_.begin(), entries_.end(), epoch,
                         [](LogEpoch wanted, const Entry& entry) { return wanted < entry.epoch; });
    valid_until = later == entries_.end() ? end : later->first_offset;
    if (offset <= valid_until) return absl::OkStatus();
  }
  const std::string until = std::to_string(valid_until.value());
  return Error(Reason::kLogEpochChanged,
               "the log was replaced or cut since log epoch " + std::to_string(epoch.value()) +
                   ": what was read from offset " + until + " on is not in it",
               {{"offset", std::to_string(offset.value())},
                {"log_epoch", std::to_string(epoch.value())},
                {"valid_until", until}});
}

}  // namespace millrace::storage
