#include "core/format/compression.h"

#include <fmt/format.h>
#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <iterator>
#include <new>

namespace pilgrimage {

namespace {
constexpr const char* kNames[] = {"none", "gzip", "snappy", "lz4", "zstd"};
}  // namespace

const char* codec_name(int codec) {
  return codec >= 0 && std::cmp_less(codec, std::size(kNames)) ? kNames[codec] : "unknown";
}

std::optional<Codec> parse_codec(std::string_view name) {
  const auto found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<Codec>(found - std::begin(kNames));
}

}  // namespace pilgrimage

namespace pg {
namespace {

// The frame that snappy-java puts around blocks of snappy: its magic number, version and oldest compatible version.
constexpr uint8_t kSnappyMagic[] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};
constexpr size_t kSnappyHeaderBytes = sizeof kSnappyMagic + 4 + 4;
constexpr int32_t kSnappyVersion = 1;
constexpr size_t kSnappyBlockBytes = 32 << 10;
// Snappy's densest element copies 64 bytes and takes 3, so nothing grows more than this when it is decompressed.
constexpr size_t kSnappyRatioMax = 22;

constexpr int kGzip = 15 + 16;  // zlib's way to say: the largest window, and a gzip header

// What a library answers where only memory can fail.
void need_memory(bool ok) {
  if (!ok) throw std::bad_alloc();  // as every other allocation
}

LZ4F_preferences_t lz4_preferences() {
  LZ4F_preferences_t preferences = LZ4F_INIT_PREFERENCES;
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  return preferences;
}

const char* chars(const std::byte* bytes) { return reinterpret_cast<const char*>(bytes); }
char* chars(std::byte* bytes) { return reinterpret_cast<char*>(bytes); }

void set_buffers(z_stream& stream, ByteView in, MutableBytes out) {
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
}

}  // namespace

std::byte* ScratchBuffer::reserve(size_t capacity, size_t used) {
  if (capacity > capacity_) {
    std::unique_ptr<std::byte[]> larger(new std::byte[capacity]);  // uninitialised
    if (used > 0) std::memcpy(larger.get(), bytes_.get(), used);
    bytes_ = std::move(larger);
    capacity_ = capacity;
  }
  return bytes_.get();
}

// The libraries' contexts, each made when it is first needed.
struct Compressor::Contexts {
  Contexts() = default;
  Contexts(const Contexts&) = delete;
  ~Contexts() {
    if (deflate.state != nullptr) deflateEnd(&deflate);
    ZSTD_freeCCtx(zstd);
  }

  z_stream deflate{};
  ZSTD_CCtx* zstd = nullptr;
};

Compressor::Compressor(Codec codec) : codec_(codec), contexts_(std::make_unique<Contexts>()) {}
Compressor::~Compressor() = default;

std::optional<MutableBytes> Compressor::compress(ByteView records, size_t room) {
  if (records.size() > kDecompressedBytesMax) return std::nullopt;
  size_t size = records.size();
  switch (codec_) {
    case Codec::none:
      break;
    case Codec::gzip:
      size = gzip(records, room);
      break;
    case Codec::snappy:
      size = snappy(records, room);
      break;
    case Codec::lz4:
      size = lz4(records, room);
      break;
    case Codec::zstd:
      size = zstd(records, room);
      break;
  }
  if (size >= records.size()) return std::nullopt;
  return MutableBytes(buffer_.data(), room + size);
}

size_t Compressor::gzip(ByteView records, size_t room) {
  z_stream& stream = contexts_->deflate;
  constexpr int kMemoryLevel = 8;  // zlib's default
  if (stream.state == nullptr) {
    need_memory(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
                Z_OK);
  }
  PG_ASSERT(deflateReset(&stream) == Z_OK);
  const size_t bound = deflateBound(&stream, records.size());
  set_buffers(stream, records, {buffer_.reserve(room + bound) + room, bound});
  PG_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  return stream.total_out;
}

size_t Compressor::snappy(ByteView records, size_t room) {
  const size_t blocks = (records.size() + kSnappyBlockBytes - 1) / kSnappyBlockBytes;
  const size_t bound = kSnappyHeaderBytes + blocks * (4 + snappy::MaxCompressedLength(kSnappyBlockBytes));
  std::byte* const begin = buffer_.reserve(room + bound) + room;
  std::memcpy(begin, kSnappyMagic, sizeof kSnappyMagic);
  store_big_endian(begin + sizeof kSnappyMagic, kSnappyVersion);
  store_big_endian(begin + sizeof kSnappyMagic + 4, kSnappyVersion);
  std::byte* to = begin + kSnappyHeaderBytes;
  for (; !records.empty(); records = records.subspan(std::min(records.size(), kSnappyBlockBytes))) {
    size_t size = 0;
    snappy::RawCompress(chars(records.data()), std::min(records.size(), kSnappyBlockBytes), chars(to + 4), &size);
    store_big_endian(to, static_cast<int32_t>(size));
    to += 4 + size;
  }
  return static_cast<size_t>(to - begin);
}

size_t Compressor::lz4(ByteView records, size_t room) {
  const auto preferences = lz4_preferences();
  const size_t bound = LZ4F_compressFrameBound(records.size(), &preferences);
  std::byte* const to = buffer_.reserve(room + bound) + room;
  const size_t size = LZ4F_compressFrame(to, bound, records.data(), records.size(), &preferences);
  need_memory(LZ4F_isError(size) == 0);
  return size;
}

size_t Compressor::zstd(ByteView records, size_t room) {
  if (contexts_->zstd == nullptr) need_memory((contexts_->zstd = ZSTD_createCCtx()) != nullptr);
  const size_t bound = ZSTD_compressBound(records.size());
  std::byte* const to = buffer_.reserve(room + bound) + room;
  const size_t size =
      ZSTD_compressCCtx(contexts_->zstd, to, bound, records.data(), records.size(), ZSTD_CLEVEL_DEFAULT);
  need_memory(ZSTD_isError(size) == 0);
  return size;
}

struct Decompressor::Contexts {
  Contexts() = default;
  Contexts(const Contexts&) = delete;
  ~Contexts() {
    if (inflate.state != nullptr) inflateEnd(&inflate);
    LZ4F_freeDecompressionContext(lz4);
    ZSTD_freeDCtx(zstd);
  }

  z_stream inflate{};
  LZ4F_dctx* lz4 = nullptr;
  ZSTD_DCtx* zstd = nullptr;
};

// What one call of a library has done; consumed and produced are both 0 where it needs more than there is.
struct Decompressor::Step {
  size_t consumed = 0;
  size_t produced = 0;
  bool at_end = false;  // of a frame
};

Decompressor::Decompressor() : contexts_(std::make_unique<Contexts>()) {}
Decompressor::~Decompressor() = default;

Result<ByteView> Decompressor::decompress(int codec, ByteView compressed, size_t bytes_max) {
  bytes_max_ = bytes_max;
  auto done = [&]() -> Result<ByteView> {
    switch (static_cast<Codec>(codec)) {
      case Codec::none:
        return compressed;
      case Codec::gzip:
        return gzip(compressed);
      case Codec::snappy:
        return snappy(compressed);
      case Codec::lz4:
        return lz4(compressed);
      case Codec::zstd:
        return zstd(compressed);
    }
    return fail(Errc::unsupported_version,
                fmt::format("compressed with codec {}, which this version cannot read", codec));
  }();
  if (!done && done.error().code != Errc::unsupported_version) {
    done.error().what = fmt::format("{} that cannot be decompressed: {}", codec_name(codec), done.error().what);
  }
  return done;
}

tl::unexpected<Error> Decompressor::too_large() const {
  return fail(Errc::limit, fmt::format("it holds more than {} bytes, the most that is read", bytes_max_));
}

// Calls `decode(compressed, room)` until all is decompressed, giving it more room as it fills what it has.
template <class Decode>
Result<ByteView> Decompressor::run(ByteView compressed, const Decode& decode) {
  constexpr size_t kFirst = 64 << 10;
  for (size_t used = 0;;) {
    // One byte more than allowed, which tells what is too large from what just fits.
    const size_t most = bytes_max_ + 1;
    if (used == buffer_.capacity()) buffer_.reserve(std::min(std::max(2 * used, kFirst), most), used);
    const MutableBytes room(buffer_.data() + used, std::min(buffer_.capacity(), most) - used);
    PG_ASSIGN(const Step step, decode(compressed, room));
    compressed = compressed.subspan(step.consumed);
    used += step.produced;
    if (used > bytes_max_) return too_large();
    if (step.at_end && compressed.empty()) return ByteView(buffer_.data(), used);
    if (step.consumed == 0 && step.produced == 0) return fail(Errc::corrupt, "it is cut short");
  }
}

Result<ByteView> Decompressor::gzip(ByteView compressed) {
  z_stream& stream = contexts_->inflate;
  if (stream.state == nullptr) need_memory(inflateInit2(&stream, kGzip) == Z_OK);
  PG_ASSERT(inflateReset(&stream) == Z_OK);
  return run(compressed, [&](ByteView in, MutableBytes out) -> Result<Step> {
    set_buffers(stream, in, out);
    const int code = inflate(&stream, Z_NO_FLUSH);
    need_memory(code != Z_MEM_ERROR);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
      return fail(Errc::corrupt, stream.msg != nullptr ? stream.msg : "it needs a dictionary");
    }
    if (code == Z_STREAM_END) PG_ASSERT(inflateReset(&stream) == Z_OK);  // another member may follow
    return Step{in.size() - stream.avail_in, out.size() - stream.avail_out, code == Z_STREAM_END};
  });
}

Result<ByteView> Decompressor::snappy(ByteView compressed) {
  size_t used = 0;
  if (compressed.size() < kSnappyHeaderBytes ||
      std::memcmp(compressed.data(), kSnappyMagic, sizeof kSnappyMagic) != 0) {
    PG_ASSIGN(used, snappy_block(compressed, 0));
    return ByteView(buffer_.data(), used);
  }
  if (load_big_endian<int32_t>(compressed.data() + sizeof kSnappyMagic + 4) > kSnappyVersion) {
    return fail(Errc::corrupt, "its frame is of an unknown version");
  }
  for (ByteView rest = compressed.subspan(kSnappyHeaderBytes); !rest.empty();) {
    if (rest.size() < 4) return fail(Errc::corrupt, "it is cut short");
    const auto size = load_big_endian<int32_t>(rest.data());
    rest = rest.subspan(4);
    if (size < 0 || std::cmp_greater(size, rest.size())) return fail(Errc::corrupt, "a block is longer than the batch");
    PG_ASSIGN(used, snappy_block(rest.first(static_cast<size_t>(size)), used));
    rest = rest.subspan(static_cast<size_t>(size));
  }
  return ByteView(buffer_.data(), used);
}

// Decompresses one block behind the `used` bytes there are; how many there are then.
Result<size_t> Decompressor::snappy_block(ByteView block, size_t used) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(chars(block.data()), block.size(), &size)) {
    return fail(Errc::corrupt, "a block has no length");
  }
  if (size > kSnappyRatioMax * block.size()) return fail(Errc::corrupt, "a block announces more than it can hold");
  if (size > bytes_max_ - used) return too_large();
  if (used + size > buffer_.capacity()) buffer_.reserve(std::max(used + size, std::min(2 * used, bytes_max_)), used);
  if (!snappy::RawUncompress(chars(block.data()), block.size(), chars(buffer_.data() + used))) {
    return fail(Errc::corrupt, "a block is damaged");
  }
  return used + size;
}

Result<ByteView> Decompressor::lz4(ByteView compressed) {
  LZ4F_dctx*& context = contexts_->lz4;
  if (context == nullptr) need_memory(LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) == 0);
  LZ4F_resetDecompressionContext(context);
  return run(compressed, [&](ByteView in, MutableBytes out) -> Result<Step> {
    size_t consumed = in.size(), produced = out.size();
    const size_t code = LZ4F_decompress(context, out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(code) != 0) return fail(Errc::corrupt, LZ4F_getErrorName(code));
    return Step{consumed, produced, code == 0};
  });
}

Result<ByteView> Decompressor::zstd(ByteView compressed) {
  ZSTD_DCtx*& context = contexts_->zstd;
  if (context == nullptr) need_memory((context = ZSTD_createDCtx()) != nullptr);
  ZSTD_DCtx_reset(context, ZSTD_reset_session_only);
  return run(compressed, [&](ByteView in, MutableBytes out) -> Result<Step> {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const size_t code = ZSTD_decompressStream(context, &to, &from);
    if (ZSTD_isError(code) != 0) return fail(Errc::corrupt, ZSTD_getErrorName(code));
    return Step{from.pos, to.pos, code == 0};
  });
}

}  // namespace pg
