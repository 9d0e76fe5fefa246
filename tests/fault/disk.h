// A disk in memory that knows what a power cut may leave of it.
//
// A file has what is synced, and the changes since. An entry of a directory (a file created,
// renamed, deleted) is a change too, made durable by a sync of the directory and by nothing else.
// What a cut leaves of changes that are not durable is drawn by seed: see AfterCut.
//
// Paths are absolute. For one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/fault/random.h"

namespace millrace::fault {

// What becomes of directory entries that are not synced.
enum class DirectoryOrder {
  kJournaled,  // They survive up to some moment, as on ext4 and XFS. A sync covers all before it.
  kAny,        // Each survives or not. A sync covers its own directory.
};

class Disk {
 public:
  // What a file holds, whatever its name, and whether it still has one.
  struct File {
    struct Change {
      uint64_t offset = 0;  // Of a truncation: the new size.
      std::string bytes;
      bool truncates = false;
    };
    std::string content;           // As a reader sees it.
    std::string synced;            // As it surely is after a cut.
    std::vector<Change> unsynced;  // From synced to content.
  };
  using FilePtr = std::shared_ptr<File>;

  // Holds the root directory.
  explicit Disk(DirectoryOrder order = DirectoryOrder::kJournaled) : order_(order) {
    names_["/"] = synced_names_["/"] = nullptr;
  }

  // ---- Names. Those that change something answer false where the path, or its directory, is not
  // what it takes.

  FilePtr Find(const std::string& path) const;  // Null for directories too.
  bool IsDirectory(const std::string& path) const;
  std::vector<std::string> Children(const std::string& directory) const;  // Names, not paths.

  FilePtr Create(const std::string& path);  // An empty one; null where there is no directory.
  bool Remove(const std::string& path);
  bool Rename(const std::string& from, const std::string& to);  // In place of what was there.
  bool Link(const std::string& from, const std::string& to);
  bool MakeDirectory(const std::string& path);
  bool RemoveDirectory(const std::string& path);

  void SyncDirectory(const std::string& path);

  // ---- What is in files

  static void Write(File& file, uint64_t offset, std::string_view bytes);
  static void Truncate(File& file, uint64_t size);
  static void Sync(File& file);

  // ---- The cut

  // What is left: of every file what is synced, and of what is not
  //  - nothing, or everything; or
  //  - the changes up to one that is torn at any byte, and followed by nothing, zeros or garbage;
  //  or
  //  - some blocks of 4 KiB, in no order: what is missing between is as it was before, or zeros.
  // Files for which `ends_plainly` is true are torn, but neither zeros nor garbage follow.
  Disk AfterCut(uint64_t seed, const std::function<bool(const std::string&)>& ends_plainly) const;

 private:
  using Names = std::map<std::string, FilePtr>;  // Null: a directory.

  // One change of directories, as it is in the journal: all of it or nothing.
  struct NameChange {
    std::string removed;  // A path, or empty.
    std::string added;    // A path, or empty.
    FilePtr file;         // What is added; null: a directory.
  };

  void Change(NameChange change);
  static void Apply(const NameChange& change, Names& names);
  static bool Touches(const NameChange& change, const std::string& directory);
  Names NamesAfterCut(Random& random) const;

  DirectoryOrder order_;
  Names names_;
  Names synced_names_;
  std::vector<NameChange> unsynced_names_;  // From synced_names_ to names_.
};

}  // namespace millrace::fault
