// Kafka's codecs: what stands behind the header of a compressed batch, from and to its records. Pure functions over
// bytes.
//
//  codec   bytes                                   as written here                        read besides
//  gzip    a gzip member                           level 6                                several members
//  snappy  0x82 "SNAPPY" 0, int32 1, int32 1, then  blocks of 32 KiB                       snappy without the frame, as
//          per block its int32 length and snappy                                          librdkafka writes it
//  lz4     an LZ4 frame                            independent blocks of 64 KiB,          any frame
//                                                  no checksums
//  zstd    a Zstandard frame                       level 3, with the size of its content  several frames
//
// Levels and block sizes are those of Kafka's Java client. Source: Apache Kafka, clients/.../common/compress/, and
// snappy-java's SnappyOutputStream.java.
#pragma once

#include <pilgrimage/producer.h>
#include <memory>
#include <optional>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/result.h"

namespace pg {

using pilgrimage::Codec;
using pilgrimage::codec_name;
using pilgrimage::parse_codec;

// Memory that grows and is neither zeroed nor given back: touching fresh pages is dear.
class ScratchBuffer {
 public:
  std::byte* data() const { return bytes_.get(); }
  size_t capacity() const { return capacity_; }
  // Makes room for `capacity` bytes in all and keeps the first `used`.
  std::byte* reserve(size_t capacity, size_t used = 0);

 private:
  std::unique_ptr<std::byte[]> bytes_;
  size_t capacity_ = 0;
};

// Not thread-safe; one per producer. Keeps its memory from batch to batch.
class Compressor {
 public:
  explicit Compressor(Codec codec);
  ~Compressor();

  Codec codec() const { return codec_; }

  // `records`, compressed, behind `room` bytes left for a header; valid until the next call. Empty where that would not
  // be smaller, or where `records` are more than a reader would take: such a batch is written as it is.
  std::optional<MutableBytes> compress(ByteView records, size_t room);

 private:
  struct Contexts;
  // Each compresses to buffer_, behind `room` bytes, and returns how many bytes that took.
  size_t gzip(ByteView records, size_t room);
  size_t snappy(ByteView records, size_t room);
  size_t lz4(ByteView records, size_t room);
  size_t zstd(ByteView records, size_t room);

  Codec codec_;
  ScratchBuffer buffer_;
  std::unique_ptr<Contexts> contexts_;
};

// Not thread-safe; one per reader. Keeps its memory from batch to batch.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();

  // All that `compressed` holds; valid until the next call. Memory grows with what is really there, not with what is
  // announced. Errors: corrupt, limit (it is more than `bytes_max`), unsupported_version (an unknown codec).
  Result<ByteView> decompress(int codec, ByteView compressed, size_t bytes_max = kDecompressedBytesMax);

 private:
  struct Contexts;
  struct Step;
  Result<ByteView> gzip(ByteView compressed);
  Result<ByteView> snappy(ByteView compressed);
  Result<ByteView> lz4(ByteView compressed);
  Result<ByteView> zstd(ByteView compressed);
  Result<size_t> snappy_block(ByteView block, size_t used);
  template <class Decode>
  Result<ByteView> run(ByteView compressed, const Decode& decode);
  tl::unexpected<Error> too_large() const;

  size_t bytes_max_ = 0;
  ScratchBuffer buffer_;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace pg
