// Writes one cleaned segment out of one or more that stand for it: <base>.log.cleaned and its indexes.
//
// A record goes if its key has a later one, and a tombstone once its batch's delete horizon has passed. The last batch
// of a producer stays as an empty one, since its sequence is needed; other batches that lost all their records become
// one empty batch for all offsets between the neighbours. Kafka leaves such a gap open; here it is written down, so
// that in every log each batch begins where the one before it ended, and damage to a base offset, which no CRC covers,
// is found.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/format/batch_rewriter.h"
#include "core/log/batch_scanner.h"
#include "core/log/gaps.h"
#include "core/log/offset_map.h"
#include "core/log/segment_files.h"
#include "core/os/env.h"

namespace pg {

// Where each producer's last batch ends, as far as is known. Bounded: of a producer that found no room nothing is
// known.
class ProducerEnds {
 public:
  void note(const BatchHeader& batch);
  // Whether it may be the producer's last one.
  bool may_be_last(const BatchHeader& batch) const;

 private:
  static constexpr size_t kProducersMax = 1 << 20;
  std::unordered_map<int64_t, Offset> ends_;
};

struct CleaningRules {
  const OffsetMap& last_offsets;  // of the keys, below `known_below`
  Offset known_below;             // what lies above stays as it is
  int64_t now_ms = 0;
  int64_t delete_horizon_ms = 0;  // for tombstones that compaction meets for the first time
  GapRule gaps = {};              // of the log
};

class SegmentCleaner {
 public:
  // Borrows everything.
  SegmentCleaner(const Env& env, const std::string& directory, const CleaningRules& rules,
                 const ProducerEnds& producers)
      : env_(env), directory_(directory), rules_(rules), producers_(producers) {}

  // Makes the files of the cleaned segment with base offset `base`.
  Result<> begin(Offset base, int32_t index_interval_bytes);
  // Adds what is left of the segment that begins with `base` and whose last offset is `end` - 1. corrupt: it has not
  // got just these offsets, and must not be touched.
  Result<> add_segment(Offset base, Offset end);
  // Everything is on stable storage on return. The files' names are not, until the directory is synced.
  Result<> finish();

  // Whether the cleaned segment says anything else than what it was made of.
  bool changed() const { return records_removed_ > 0 || horizons_set_ > 0 || position_.segment_bytes != bytes_read_; }
  int64_t records_removed() const { return records_removed_; }
  int64_t bytes_read() const { return bytes_read_; }
  int64_t bytes_written() const { return position_.segment_bytes; }

 private:
  struct Gap {
    Offset base, end;
    LeaderEpoch epoch;
  };

  Result<> add_batch(const ScannedBatch& batch);
  bool keeps(const RecordView& record, const BatchHeader& header) const;
  Result<int64_t> sift(const ScannedBatch& batch, bool& tombstones);
  Result<> rewrite(const ScannedBatch& batch, bool set_horizon);
  Result<> leave_gap(const BatchHeader& header);
  Result<> write_gap();
  Result<> write(ByteView batch);
  Result<> write_buffer();

  Env env_;
  const std::string& directory_;
  const CleaningRules& rules_;
  const ProducerEnds& producers_;

  ActiveSegment files_;
  std::optional<IndexWriter> indexes_;
  LogPosition position_;           // as if it were the active segment
  std::vector<std::byte> buffer_;  // not yet written
  std::optional<Gap> gap_;         // not yet in the buffer
  std::vector<bool> kept_;         // of the records of the batch at hand
  BatchRewriter rewriter_;
  Decompressor decompressor_;
  int64_t bytes_read_ = 0;
  int64_t records_removed_ = 0;
  int64_t horizons_set_ = 0;
};

// Removes what a compaction that did not end has left. Callers hold the compaction lock, or have the partition alone.
Result<> remove_cleaned(FileSystem& files, const std::string& directory);

}  // namespace pg
