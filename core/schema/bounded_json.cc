#include "core/schema/bounded_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "core/base/limits.h"

namespace pg {
namespace {

// nlohmann/json's message without its own prefix: "[json.exception.parse_error.101] parse error at line 1, column 5:
// …".
std::string reason_of(const Json::exception& error) {
  const std::string_view what = error.what();
  const size_t end = what.find("] ");
  return std::string(end == std::string_view::npos ? what : what.substr(end + 2));
}

// Nlohmann/json's own builder looks through an object for each of its members, and through an array for each object in
// it: a megabyte could take it half a minute. A member that is there twice has its last value, as there.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Result<Json> build(std::string_view text) {
    if (!Json::sax_parse(text, static_cast<nlohmann::json_sax<Json>*>(this)))
      return fail(Errc::invalid_argument, error_);
    // To nlohmann/json a text ends with the first NUL byte; what follows it would pass unseen.
    const size_t nul = text.find('\0');
    if (nul != std::string_view::npos)
      return fail(Errc::invalid_argument, fmt::format("a NUL byte follows the JSON, as byte {}", nul + 1));
    return std::move(root_);
  }

 private:
  struct Open {
    Json* container;
    Json* member = nullptr;                               // where the next value goes, in an object
    std::unordered_map<std::string, size_t> positions{};  // of the members, once there are many
  };
  static constexpr size_t kMany = 16;

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(int64_t value) override { return put(value); }
  bool number_unsigned(uint64_t value) override { return put(value); }
  bool number_float(double value, const std::string&) override { return put(value); }
  bool string(std::string& value) override { return put(std::move(value)); }
  bool binary(Json::binary_t&) override { return false; }  // not in a text
  bool start_object(size_t) override { return open(Json::object()); }
  bool start_array(size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(std::string& name) override {
    Open& top = open_.back();
    auto& members = top.container->get_ref<Json::object_t&>();
    const size_t position = position_of(top, members, name);
    if (position == members.size()) members.emplace_back(std::move(name), nullptr);
    top.member = &(members.begin() + static_cast<ptrdiff_t>(position))->second;
    return true;
  }

  bool parse_error(size_t, const std::string&, const Json::exception& error) override {
    error_ = reason_of(error);
    return false;
  }

  // Of the member of this name, or where it is to go.
  static size_t position_of(Open& top, const Json::object_t& members, const std::string& name) {
    if (members.size() < kMany) {
      const auto same = [&](const auto& member) { return member.first == name; };
      return static_cast<size_t>(std::find_if(members.begin(), members.end(), same) - members.begin());
    }
    for (auto known = members.begin() + static_cast<ptrdiff_t>(top.positions.size()); known != members.end(); ++known) {
      top.positions.emplace(known->first, top.positions.size());
    }
    return top.positions.try_emplace(name, members.size()).first->second;
  }

  Json& place() {
    if (open_.empty()) return root_;
    Open& top = open_.back();
    if (top.member != nullptr) return *top.member;
    top.container->push_back(nullptr);
    return top.container->back();
  }

  bool put(Json value) {
    place() = std::move(value);
    return true;
  }

  bool open(Json container) {
    if (open_.size() == kSchemaDepthMax) {
      error_ = fmt::format("JSON nested more than {} levels deep", kSchemaDepthMax);
      return false;
    }
    Json& opened = place();
    opened = std::move(container);
    open_.push_back({&opened});
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  Json root_;
  std::vector<Open> open_;
  std::string error_;
};

}  // namespace

Result<Json> parse_bounded_json(std::string_view text) { return Builder().build(text); }

void add_member(Json& object, std::string_view name, Json value) {
  object.get_ref<Json::object_t&>().emplace_back(std::string(name), std::move(value));
}

std::string without_whitespace(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::string out;
  out.reserve(text.size());
  bool in_string = false, escaped = false;
  for (const char c : text) {
    if (in_string || std::string_view(" \t\r\n").find(c) == std::string_view::npos) out += c;
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = c == '\\' && !escaped;
  }
  return out;
}

std::string to_one_line(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace pg
