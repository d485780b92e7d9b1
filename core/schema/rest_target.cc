#include "core/schema/rest_target.h"

#include <charconv>

#include "core/base/text.h"

namespace pg {
namespace {

enum class Plus { literal, space };  // in a path, in a query

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const std::string_view digits = text.substr(i + 1, 2);
      uint8_t byte = 0;
      const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
      if (digits.size() < 2 || fault != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
      decoded += static_cast<char>(byte);
      i += 2;
    }
  }
  return decoded;
}

bool add_parameter(std::map<std::string, std::string>& query, std::string_view parameter) {
  const size_t equals = std::min(parameter.find('='), parameter.size());
  auto name = percent_decode(parameter.substr(0, equals), Plus::space);
  auto value = percent_decode(parameter.substr(std::min(equals + 1, parameter.size())), Plus::space);
  if (!name || !value) return false;
  query.emplace(std::move(*name), std::move(*value));
  return true;
}

}  // namespace

bool RestTarget::flag(const std::string& name) const {
  const auto given = query.find(name);
  return given != query.end() && (given->second.empty() || given->second == "true");
}

std::optional<RestTarget> parse_rest_target(std::string_view target) {
  target = target.substr(0, target.find('#'));
  if (!target.starts_with('/')) return std::nullopt;
  const size_t question = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(1, question - 1);
  if (path.ends_with('/')) path.remove_suffix(1);
  RestTarget parsed;
  for (const auto segment : split(path, '/')) {
    auto decoded = percent_decode(segment, Plus::literal);
    if (!decoded) return std::nullopt;
    parsed.path.push_back(std::move(*decoded));
  }
  if (path.empty()) parsed.path.clear();
  if (question == target.size()) return parsed;
  for (const auto parameter : split(target.substr(question + 1), '&')) {
    if (!add_parameter(parsed.query, parameter)) return std::nullopt;
  }
  return parsed;
}

}  // namespace pg
