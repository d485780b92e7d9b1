#include "core/schema/registry_view.h"

#include "core/base/bytes.h"
#include "core/base/crc32c.h"
#include "core/base/text.h"

namespace pg {
namespace {

constexpr char kLive = '-', kDeleted = 'D';

// Big-endian, so that keys are sorted as numbers are.
std::string sortable(uint32_t number) {
  std::string bytes(sizeof number, '\0');
  store_big_endian(reinterpret_cast<std::byte*>(bytes.data()), number);
  return bytes;
}

std::string sortable(int32_t number) { return sortable(static_cast<uint32_t>(number)); }

int32_t last_number(std::string_view key) {
  return load_big_endian<int32_t>(as_bytes(key).data() + key.size() - sizeof(int32_t));
}

std::string place(const SubjectVersion& version) { return version.subject + '\0' + sortable(version.version); }

SubjectVersion parse_place(std::string_view place) {
  return {std::string(place.substr(0, place.size() - sizeof(int32_t) - 1)), last_number(place)};
}

std::string schema_key(const SubjectVersion& version) { return 's' + place(version); }
std::string id_key(int32_t id, const SubjectVersion& version) { return 'i' + sortable(id) + place(version); }

std::string hash_prefix(SchemaType type, std::string_view text) {
  const std::string whole = std::string(schema_type_name(type)) + '\0' + std::string(text);
  return 'h' + sortable(crc32c(as_bytes(whole)));
}

std::string setting_key(char kind, const std::optional<std::string>& subject) {
  return subject ? kind + *subject : std::string(1, static_cast<char>(kind - 'a' + 'A'));
}

}  // namespace

std::optional<std::string> RegistryView::get_base(std::string_view key) const {
  if (!base_) return std::nullopt;
  auto cursor = base_->seek(key);
  SortedFile::Row row;
  const auto there = cursor ? cursor->next(row) : Result<bool>(tl::unexpected(cursor.error()));
  if (!there) damaged_ = true;
  if (!there || !*there || row.key != key) return std::nullopt;
  return std::string(row.value);
}

std::optional<std::string> RegistryView::get(std::string_view key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? get_base(key) : found->second;
}

void RegistryView::remove(std::string_view key) {
  if (base_)
    rows_[std::string(key)] = std::nullopt;
  else if (const auto found = rows_.find(key); found != rows_.end())
    rows_.erase(found);
}

// The rows of both, in order; what is in memory counts.
void RegistryView::scan(std::string_view prefix, const Visit& visit) const {
  auto over = rows_.lower_bound(prefix);
  auto cursor = base_ ? base_->seek(prefix) : Result<SortedFile::Cursor>(fail(Errc::not_found, ""));
  SortedFile::Row row;
  const auto advance = [&] {
    if (!base_) return false;
    const auto more = cursor ? cursor->next(row) : Result<bool>(tl::unexpected(cursor.error()));
    if (!more) damaged_ = true;
    return more && *more && row.key.starts_with(prefix);
  };
  for (bool in_base = advance();;) {
    const bool in_memory = over != rows_.end() && over->first.starts_with(prefix);
    if (!in_base && !in_memory) return;
    if (!in_memory || (in_base && row.key < over->first)) {
      if (!visit(row.key, row.value)) return;
      in_base = advance();
      continue;
    }
    if (in_base && row.key == over->first) in_base = advance();
    if (over->second && !visit(over->first, *over->second)) return;
    ++over;
  }
}

void RegistryView::take_in(std::string_view key_json, std::optional<std::string_view> value) {
  using Kind = RegistryKey::Kind;
  const auto key = parse_registry_key(key_json);
  if (!key) return;
  switch (key->kind) {
    case Kind::schema:
      return take_schema({*key->subject, key->version}, value);
    case Kind::config:
    case Kind::mode: {
      std::string setting = setting_key(key->kind == Kind::config ? 'c' : 'm', key->subject);
      if (value)
        put(std::move(setting), std::string(*value));
      else
        remove(setting);
      return;
    }
    case Kind::delete_subject: {
      const auto version = value ? parse_number_row(*value, "version") : std::nullopt;
      if (version) delete_up_to(*key->subject, *version);
      return;
    }
    case Kind::clear_subject:
      if (!value) return;
      for (const int32_t version : versions(*key->subject, true)) forget_schema({*key->subject, version});
      return;
    case Kind::noop: {
      const auto id = value ? parse_number_row(*value, "id") : std::nullopt;
      if (id) raise_greatest_id(*id);
      return;
    }
  }
}

void RegistryView::take_schema(const SubjectVersion& version, std::optional<std::string_view> value) {
  forget_schema(version);
  const auto row = value ? parse_schema_row(*value) : std::nullopt;
  if (!row) return;
  raise_greatest_id(row->id);
  put(schema_key(version), (row->deleted ? kDeleted : kLive) + std::string(*value));
  put(id_key(row->id, version), "");
  if (row->type) put(hash_prefix(*row->type, row->text) + sortable(row->id), "");
}

void RegistryView::forget_schema(const SubjectVersion& version) {
  const auto row = find(version);
  if (!row) return;
  remove(schema_key(version));
  remove(id_key(row->id, version));
  if (row->type && with_id(row->id, 1).empty()) remove(hash_prefix(*row->type, row->text) + sortable(row->id));
}

void RegistryView::delete_up_to(const std::string& subject, int32_t last) {
  for (const int32_t version : versions(subject, false)) {
    if (version > last) return;
    const auto row = deleted_row({subject, version});
    if (row) put(schema_key({subject, version}), kDeleted + *row);
  }
}

void RegistryView::raise_greatest_id(int32_t id) {
  if (id > greatest_id()) put("n", std::to_string(id));
}

std::optional<SchemaRow> RegistryView::find(const SubjectVersion& version) const {
  const auto value = get(schema_key(version));
  return value ? parse_schema_row(std::string_view(*value).substr(1)) : std::nullopt;
}

std::optional<std::string> RegistryView::deleted_row(const SubjectVersion& version) const {
  const auto value = get(schema_key(version));
  if (!value) return std::nullopt;
  return mark_deleted(std::string_view(*value).substr(1));
}

std::vector<int32_t> RegistryView::versions(const std::string& subject, bool deleted_too) const {
  std::vector<int32_t> found;
  scan('s' + subject + '\0', [&](std::string_view key, std::string_view value) {
    if (deleted_too || value[0] == kLive) found.push_back(last_number(key));
    return true;
  });
  return found;
}

std::vector<std::string> RegistryView::subjects(const std::string& prefix, bool deleted_too) const {
  std::vector<std::string> found;
  scan('s' + prefix, [&](std::string_view key, std::string_view value) {
    if (!deleted_too && value[0] != kLive) return true;
    auto subject = parse_place(key.substr(1)).subject;
    if (found.empty() || found.back() != subject) found.push_back(std::move(subject));
    return true;
  });
  return found;
}

std::vector<SubjectVersion> RegistryView::with_id(int32_t id, size_t most) const {
  const std::string prefix = 'i' + sortable(id);
  std::vector<SubjectVersion> found;
  scan(prefix, [&](std::string_view key, std::string_view) {
    found.push_back(parse_place(key.substr(prefix.size())));
    return found.size() < most;
  });
  return found;
}

std::optional<int32_t> RegistryView::id_of(SchemaType type, std::string_view text) const {
  std::optional<int32_t> found;
  scan(hash_prefix(type, text), [&](std::string_view key, std::string_view) {
    const int32_t id = last_number(key);
    const auto having = with_id(id, 1);
    const auto row = having.empty() ? std::nullopt : find(having.front());
    if (row && row->type == type && row->text == text && row->references.empty()) found = id;
    return !found;
  });
  return found;
}

std::optional<CompatibilityLevel> RegistryView::level(const std::optional<std::string>& subject) const {
  const auto row = get(setting_key('c', subject));
  return row ? parse_config_row(*row) : std::nullopt;
}

std::optional<RegistryMode> RegistryView::mode(const std::optional<std::string>& subject) const {
  const auto row = get(setting_key('m', subject));
  return row ? parse_mode_row(*row) : std::nullopt;
}

int32_t RegistryView::greatest_id() const {
  const auto row = get("n");
  return row ? static_cast<int32_t>(parse_integer(*row).value_or(0)) : 0;
}

}  // namespace pg
