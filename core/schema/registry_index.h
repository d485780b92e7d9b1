// HOME/schemas.index: what the log of `_schemas` came to, up to some place, as a sorted file. So looking up one schema
// takes as long with ten thousand subjects as with ten.
//
// It is derived and disposable: written without a flush by a process that had to read much of the log, believed only if
// the log still has the very batch at that place, in the segment that is appended to, and otherwise passed over. Its
// rows are those of RegistryView; its note is the topic's id, offset int64, leader epoch int32 and CRC uint32 of the
// batch before it, and the wall clock in ms int64, all big-endian.
#pragma once

#include <memory>
#include <optional>

#include "core/schema/registry_view.h"
#include "core/store/log_table.h"

namespace pg {

struct RegistryIndex {
  TablePlace place;
  std::shared_ptr<const SortedFile> rows;
};

// None: there is none that can be read. Whether the log has its place is for LogTable::resume().
std::optional<RegistryIndex> open_registry_index(const Home& home);

// Best effort: one process at a time writes it, and it may be that none can.
void write_registry_index(const Home& home, const TablePlace& place, const RegistryView& view);

}  // namespace pg
