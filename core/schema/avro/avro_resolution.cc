#include "core/schema/avro/avro_resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

namespace pg {
namespace {

// Types may be named from each other into any depth, and two unions have any number of pairs.
constexpr int kDepthMax = 1000;
constexpr size_t kWorkMax = 100'000'000;
constexpr size_t kWorkOfPair = 100;  // in comparisons of names

struct Pair {
  const AvroType* reader = nullptr;
  const AvroType* writer = nullptr;

  auto operator<=>(const Pair&) const = default;
};

// What one level of a pair shows, in the order of the reader's text: something wrong, or a pair within that must be
// readable too.
struct Finding {
  std::string step;
  Pair within = {};
  std::string_view kind = {};  // empty: nothing is wrong here
  std::string message = {};
};
using Findings = std::vector<Finding>;

bool promotes(AvroKind from, AvroKind to) {
  using enum AvroKind;
  if (to == int64) return from == int32;
  if (to == float32) return from == int32 || from == int64;
  if (to == float64) return from == int32 || from == int64 || from == float32;
  return (to == string && from == bytes) || (to == bytes && from == string);
}

bool same_name(const AvroType& reader, const AvroType& writer) {
  return reader.name.name == writer.name.name || std::ranges::find(reader.aliases, writer.name) != reader.aliases.end();
}

const AvroField* writers_field(const AvroType& writer, const AvroField& field) {
  const auto find = [&](const std::string& name) -> const AvroField* {
    const auto found = writer.positions.find(name);
    return found == writer.positions.end() ? nullptr : &writer.fields[found->second];
  };
  const AvroField* found = find(field.name);
  for (size_t i = 0; found == nullptr && i < field.aliases.size(); ++i) found = find(field.aliases[i]);
  return found;
}

class Resolution {
 public:
  std::vector<Incompatibility> all(Pair pair) {
    if (!reads(pair)) explain(pair, "", 0);
    if (exhausted_) found_ = {{"TYPE_MISMATCH", "/", "the schemas are too large or too deep to be compared"}};
    return std::move(found_);
  }

 private:
  bool reads(Pair pair);
  bool parts_read(Pair pair);
  bool any_branch_reads(const AvroType& reader, const AvroType& writer);
  void explain(Pair pair, const std::string& path, int depth);

  Findings compare(Pair pair);
  void compare_unions(Pair pair, Findings& to);
  void compare_named(Pair pair, Findings& to);
  void compare_fields(Pair pair, Findings& to);

  std::map<Pair, bool> known_;  // those that are being looked at count as readable, unless it turns out otherwise
  std::vector<Pair> readable_;  // of these, in the order in which they were found
  std::set<Pair> explained_;
  std::vector<Incompatibility> found_;
  int depth_ = 0;
  size_t work_ = 0;
  bool exhausted_ = false;
};

bool Resolution::reads(Pair pair) {
  if (const auto known = known_.find(pair); known != known_.end()) return known->second;
  if (depth_ >= kDepthMax || work_ >= kWorkMax) exhausted_ = true;
  if (exhausted_) return false;
  known_[pair] = true;
  const size_t before = readable_.size();
  ++depth_;
  const bool result = parts_read(pair);
  --depth_;
  known_[pair] = result;
  if (result) {
    readable_.push_back(pair);
  } else {
    // What was found readable meanwhile may have been so only because this pair was taken for readable.
    for (; readable_.size() > before; readable_.pop_back()) known_.erase(readable_.back());
  }
  return result;
}

bool Resolution::parts_read(Pair pair) {
  work_ += kWorkOfPair + pair.writer->symbols.size();
  return std::ranges::all_of(compare(pair),
                             [&](const Finding& found) { return found.kind.empty() && reads(found.within); });
}

// Goes down only where something is wrong.
void Resolution::explain(Pair pair, const std::string& path, int depth) {
  if (depth >= kDepthMax) exhausted_ = true;
  if (exhausted_ || !explained_.insert(pair).second) return;
  for (const Finding& found : compare(pair)) {
    const std::string at = path + found.step;
    if (!found.kind.empty()) {
      found_.push_back({std::string(found.kind), at.empty() ? "/" : at, found.message});
    } else if (!reads(found.within)) {
      explain(found.within, at, depth + 1);
    }
  }
}

Findings Resolution::compare(Pair pair) {
  const AvroType *reader = pair.reader, *writer = pair.writer;
  Findings findings;
  if (reader->kind == AvroKind::one_of) {
    compare_unions(pair, findings);
  } else if (writer->kind == AvroKind::one_of) {
    for (const AvroType* branch : writer->branches) findings.push_back({"", {reader, branch}});
  } else if (reader->kind != writer->kind) {
    if (promotes(writer->kind, reader->kind)) return findings;
    const auto message =
        fmt::format("{} was written, {} is to be read", avro_kind_name(writer->kind), avro_kind_name(reader->kind));
    findings.push_back({"", {}, "TYPE_MISMATCH", message});
  } else if (is_named(reader->kind)) {
    compare_named(pair, findings);
  } else if (reader->items != nullptr) {
    findings.push_back({reader->kind == AvroKind::array ? "/items" : "/values", {reader->items, writer->items}});
  }
  return findings;
}

bool Resolution::any_branch_reads(const AvroType& reader, const AvroType& writer) {
  return std::ranges::any_of(reader.branches, [&](const AvroType* branch) {
    work_ += 1 + branch->aliases.size();
    // Pairs of large unions are mostly of this kind, and not worth remembering.
    if (is_named(branch->kind) && (branch->kind != writer.kind || !same_name(*branch, writer))) return false;
    return reads({branch, &writer});
  });
}

void Resolution::compare_unions(Pair pair, Findings& to) {
  const auto look_for = [&](const AvroType& writer, std::string step) {
    if (any_branch_reads(*pair.reader, writer)) return;
    to.push_back(
        {std::move(step), {}, "MISSING_UNION_BRANCH", fmt::format("no branch can read {}", avro_branch_name(writer))});
  };
  if (pair.writer->kind != AvroKind::one_of) return look_for(*pair.writer, "");
  for (size_t i = 0; i < pair.writer->branches.size() && work_ < kWorkMax; ++i) {
    look_for(*pair.writer->branches[i], fmt::format("/{}", i));
  }
  if (work_ >= kWorkMax) exhausted_ = true;
}

void Resolution::compare_named(Pair pair, Findings& to) {
  const AvroType *reader = pair.reader, *writer = pair.writer;
  const auto wrong = [&](std::string_view kind, std::string step, std::string message) {
    to.push_back({std::move(step), {}, kind, std::move(message)});
  };
  if (!same_name(*reader, *writer)) {
    wrong("NAME_MISMATCH", "/name",
          fmt::format("'{}' was written, which is neither the name nor an alias of '{}'", writer->name.full(),
                      reader->name.full()));
  }
  if (reader->kind == AvroKind::record) return compare_fields(pair, to);
  if (reader->kind == AvroKind::fixed && reader->size != writer->size) {
    wrong("FIXED_SIZE_MISMATCH", "/size",
          fmt::format("{} bytes were written, {} are to be read", writer->size, reader->size));
  }
  if (reader->kind != AvroKind::enumeration || reader->otherwise) return;
  std::vector<std::string_view> missing;
  std::ranges::copy_if(writer->symbols, std::back_inserter(missing),
                       [&](const auto& s) { return !reader->positions.contains(s); });
  if (missing.empty()) return;
  wrong("MISSING_ENUM_SYMBOLS", "/symbols", fmt::format("there is no {}, and no default", fmt::join(missing, ", ")));
}

void Resolution::compare_fields(Pair pair, Findings& to) {
  for (size_t i = 0; i < pair.reader->fields.size(); ++i) {
    const AvroField& field = pair.reader->fields[i];
    work_ += 1 + field.aliases.size();
    if (const AvroField* written = writers_field(*pair.writer, field)) {
      to.push_back({fmt::format("/fields/{}/type", i), {field.type, written->type}});
    } else if (!field.default_value) {
      to.push_back({fmt::format("/fields/{}", i),
                    {},
                    "READER_FIELD_MISSING_DEFAULT_VALUE",
                    fmt::format("'{}' was not written, and has no default", field.name)});
    }
  }
}

}  // namespace

std::vector<Incompatibility> avro_incompatibilities(const AvroType& reader, const AvroType& writer) {
  return Resolution().all({&reader, &writer});
}

}  // namespace pg
