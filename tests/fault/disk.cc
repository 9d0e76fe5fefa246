#include "tests/fault/disk.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

namespace millrace::fault {
namespace {

constexpr size_t kBlockBytes = 4096;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

void Overwrite(std::string& content, uint64_t offset, std::string_view bytes) {
  if (content.size() < offset + bytes.size()) content.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<ptrdiff_t>(offset));
}

void ApplyTo(std::string& content, const Disk::File::Change& change) {
  if (change.truncates) {
    content.resize(change.offset);
  } else {
    Overwrite(content, change.offset, change.bytes);
  }
}

std::string Garbage(size_t size, Random& random) {
  std::string bytes(size, 0);
  for (char& byte : bytes) byte = static_cast<char>(random.Next());
  return bytes;
}

// The changes up to one, and that one torn.
std::string Torn(const Disk::File& file, bool ends_plainly, Random& random) {
  std::string left = file.synced;
  const size_t torn = random.Below(file.unsynced.size());
  for (size_t i = 0; i < torn; ++i) ApplyTo(left, file.unsynced[i]);
  const Disk::File::Change& change = file.unsynced[torn];
  if (change.truncates) return left;
  const size_t kept = random.Below(change.bytes.size() + 1);
  Overwrite(left, change.offset, std::string_view(change.bytes).substr(0, kept));
  const size_t lost = change.bytes.size() - kept;
  if (ends_plainly) return left;
  switch (random.Below(3)) {
    case 0:
      break;
    case 1:
      Overwrite(left, change.offset + kept, std::string(lost, 0));
      break;
    default:
      Overwrite(left, change.offset + kept, Garbage(lost, random));
  }
  return left;
}

// Some of the blocks that were changed.
std::string Reordered(const Disk::File& file, Random& random) {
  std::set<size_t> changed;
  size_t kept_size = file.synced.size();
  for (const Disk::File::Change& change : file.unsynced) {
    if (change.truncates) {
      kept_size = std::min(kept_size, static_cast<size_t>(change.offset));
      continue;
    }
    if (change.bytes.empty()) continue;
    const size_t last = (change.offset + change.bytes.size() - 1) / kBlockBytes;
    for (size_t block = change.offset / kBlockBytes; block <= last; ++block) changed.insert(block);
  }
  std::string left = file.synced.substr(0, kept_size);
  if (random.OneIn(2)) left.resize(std::max(left.size(), file.content.size()));
  for (const size_t block : changed) {
    const size_t begin = block * kBlockBytes;
    if (begin >= file.content.size() || random.OneIn(2)) continue;
    Overwrite(left, begin, std::string_view(file.content).substr(begin, kBlockBytes));
  }
  return left;
}

enum class Fate { kNothing, kEverything, kMixed };

std::string ContentAfterCut(const Disk::File& file, Fate fate, bool ends_plainly, Random& random) {
  if (file.unsynced.empty() || fate == Fate::kNothing) return file.synced;
  if (fate == Fate::kEverything) return file.content;
  switch (random.Below(6)) {
    case 0:
      return file.synced;
    case 1:
      return file.content;
    case 2:
      if (!ends_plainly) return Reordered(file, random);
      [[fallthrough]];
    default:
      return Torn(file, ends_plainly, random);
  }
}

}  // namespace

// ---- Names

Disk::FilePtr Disk::Find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

bool Disk::IsDirectory(const std::string& path) const {
  const auto found = names_.find(path);
  return found != names_.end() && found->second == nullptr;
}

std::vector<std::string> Disk::Children(const std::string& directory) const {
  const std::string prefix = directory == "/" ? "/" : directory + "/";
  std::vector<std::string> children;
  for (auto name = names_.upper_bound(prefix);
       name != names_.end() && name->first.compare(0, prefix.size(), prefix) == 0; ++name) {
    const std::string child = name->first.substr(prefix.size());
    if (child.find('/') == std::string::npos) children.push_back(child);
  }
  return children;
}

Disk::FilePtr Disk::Create(const std::string& path) {
  if (!IsDirectory(ParentOf(path)) || IsDirectory(path)) return nullptr;
  if (FilePtr file = Find(path)) {
    Truncate(*file, 0);
    return file;
  }
  auto file = std::make_shared<File>();
  Change({.removed = {}, .added = path, .file = file});
  return file;
}

bool Disk::Remove(const std::string& path) {
  if (Find(path) == nullptr) return false;
  Change({.removed = path, .added = {}, .file = {}});
  return true;
}

bool Disk::Rename(const std::string& from, const std::string& to) {
  FilePtr file = Find(from);
  if (file == nullptr || !IsDirectory(ParentOf(to)) || IsDirectory(to)) return false;
  Change({.removed = from, .added = to, .file = std::move(file)});
  return true;
}

bool Disk::Link(const std::string& from, const std::string& to) {
  FilePtr file = Find(from);
  if (file == nullptr || !IsDirectory(ParentOf(to)) || names_.contains(to)) return false;
  Change({.removed = {}, .added = to, .file = std::move(file)});
  return true;
}

bool Disk::MakeDirectory(const std::string& path) {
  if (names_.contains(path) || !IsDirectory(ParentOf(path))) return false;
  Change({.removed = {}, .added = path, .file = nullptr});
  return true;
}

bool Disk::RemoveDirectory(const std::string& path) {
  if (!IsDirectory(path) || !Children(path).empty()) return false;
  Change({.removed = path, .added = {}, .file = {}});
  return true;
}

void Disk::Change(NameChange change) {
  Apply(change, names_);
  unsynced_names_.push_back(std::move(change));
}

void Disk::Apply(const NameChange& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names[change.added] = change.file;
}

bool Disk::Touches(const NameChange& change, const std::string& directory) {
  return (!change.removed.empty() && ParentOf(change.removed) == directory) ||
         (!change.added.empty() && ParentOf(change.added) == directory);
}

void Disk::SyncDirectory(const std::string& path) {
  const auto touches = [&](const NameChange& change) { return Touches(change, path); };
  if (order_ == DirectoryOrder::kJournaled) {
    const auto end = std::find_if(unsynced_names_.rbegin(), unsynced_names_.rend(), touches).base();
    for (auto change = unsynced_names_.begin(); change != end; ++change) {
      Apply(*change, synced_names_);
    }
    unsynced_names_.erase(unsynced_names_.begin(), end);
    return;
  }
  for (const NameChange& change : unsynced_names_) {
    if (touches(change)) Apply(change, synced_names_);
  }
  std::erase_if(unsynced_names_, touches);
}

// ---- What is in files

void Disk::Write(File& file, uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  Overwrite(file.content, offset, bytes);
  file.unsynced.push_back({.offset = offset, .bytes = std::string(bytes)});
}

void Disk::Truncate(File& file, uint64_t size) {
  if (file.content.size() == size) return;
  file.content.resize(size);
  file.unsynced.push_back({.offset = size, .bytes = {}, .truncates = true});
}

void Disk::Sync(File& file) {
  for (const File::Change& change : file.unsynced) ApplyTo(file.synced, change);
  file.unsynced.clear();
}

// ---- The cut

Disk::Names Disk::NamesAfterCut(Random& random) const {
  Names left = synced_names_;
  if (order_ == DirectoryOrder::kJournaled) {
    const size_t kept = random.Below(unsynced_names_.size() + 1);
    for (size_t i = 0; i < kept; ++i) Apply(unsynced_names_[i], left);
  } else {
    for (const NameChange& change : unsynced_names_) {
      if (random.OneIn(2)) Apply(change, left);
    }
  }
  // What is in a directory goes with it; a path sorts behind that of its directory.
  std::erase_if(left, [&](const auto& name) {
    for (std::string path = name.first; path != "/"; path = ParentOf(path)) {
      const auto parent = left.find(ParentOf(path));
      if (parent == left.end() || parent->second != nullptr) return true;
    }
    return false;
  });
  return left;
}

Disk Disk::AfterCut(uint64_t seed,
                    const std::function<bool(const std::string&)>& ends_plainly) const {
  Random random(seed);
  const uint64_t drawn = random.Below(8);
  const Fate fate = drawn < 2 ? Fate::kNothing : drawn == 2 ? Fate::kEverything : Fate::kMixed;
  Disk left(order_);
  if (fate == Fate::kNothing) {
    left.names_ = synced_names_;
  } else {
    left.names_ = fate == Fate::kEverything ? names_ : NamesAfterCut(random);
  }
  std::unordered_map<const File*, FilePtr> files;  // A file may have several names.
  for (auto& [path, file] : left.names_) {
    if (file == nullptr) continue;
    FilePtr& copy = files[file.get()];
    if (copy == nullptr) {
      copy = std::make_shared<File>();
      copy->content = copy->synced = ContentAfterCut(*file, fate, ends_plainly(path), random);
    }
    file = copy;
  }
  left.synced_names_ = left.names_;
  return left;
}

}  // namespace millrace::fault
