#include "tests/support/old_pages.h"

#include <cstring>

#include "core/format/path_names.h"
#include "core/log/page_check.h"
#include "tests/support/must.h"
#include "tests/support/test_env.h"

namespace pg {
namespace {

template <class Visit>
void for_each_page(FileSystem& files, const std::string& path, Visit visit) {
  for (const auto& name : must(files.list(path))) {
    const std::string child = path + "/" + name;
    const auto info = files.info(child);
    if (info && info->is_directory)
      for_each_page(files, child, visit);
    else if (info && name == "partition.state")
      visit(child, *info);
  }
}

}  // namespace

void OldPages::note(FileSystem& files, const std::string& root) {
  for_each_page(files, root, [&](const std::string& path, const FileInfo& info) {
    Versions& versions = kept_[path];
    if (versions.inode != info.inode) versions = {info.inode, {}};
    std::string page = must(files.read_all(path));
    if (page.size() == StatePage::kBytes && (versions.pages.empty() || versions.pages.back() != page))
      versions.pages.push_back(std::move(page));
  });
}

void OldPages::put_back(FileSystem& survivor, const std::string& root, SeededRandom& random) const {
  std::vector<std::string> paths;
  for_each_page(survivor, root, [&](const std::string& path, const FileInfo&) { paths.push_back(path); });
  for (const auto& path : paths) {
    const auto kept = kept_.find(path);
    const auto lock = survivor.info(names::partition_lock(parent_path(path)));
    if (kept == kept_.end() || kept->second.pages.empty() || !lock) continue;
    alignas(StatePage) std::array<std::byte, StatePage::kBytes> bytes;
    std::memcpy(bytes.data(), kept->second.pages[random.below(kept->second.pages.size())].data(), bytes.size());
    auto* page = reinterpret_cast<StatePage*>(bytes.data());
    const FileInfo info = must(survivor.info(path));
    page->device = info.device;
    page->inode = info.inode;
    page->lock_inode = lock->inode;
    page->checkpoints.store(0);
    const Offset active(page->file_of.load() - 1);
    const auto log = survivor.info(names::segment(parent_path(path), active, names::SegmentFile::log));
    if (log) page->file.store(file_number(*log));
    overwrite(survivor, path, std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
  }
}

}  // namespace pg
