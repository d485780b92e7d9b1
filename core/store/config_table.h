// A table of configs: one row for each, from which the parser, the error messages, the help and the man page come.
#pragma once

#include <fmt/format.h>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/store/config_values.h"

namespace pg {

// Configs that somebody has set, by name.
using ConfigMap = std::map<std::string, std::string>;

// "name=value" in two.
Result<std::pair<std::string_view, std::string_view>> split_config(std::string_view assignment);

// What people read about one config.
struct ConfigDescription {
  std::string name;
  std::string values;         // "a number from 1 to 16"
  std::string default_value;  // as one would set it
  std::string text;           // in the markup of the man pages: *bold*, _placeholder_
};

// One config of `Config`, the struct that the code reads.
template <class Config>
struct ConfigRow {
  std::string_view name;
  ConfigValues values;
  void (*set)(Config&, std::string_view value);  // one of `values`
  std::string (*show)(const Config&);            // the value, as one would set it
  std::string_view text;                         // see ConfigDescription
};

template <class Config>
class ConfigTable {
 public:
  // Messages say "unknown config 'x'`of_what`".
  constexpr ConfigTable(std::span<const ConfigRow<Config>> rows, std::string_view of_what)
      : rows_(rows), of_what_(of_what) {}

  // invalid_argument: there is no such config. The message lists those that there are.
  Result<> check_name(std::string_view name) const {
    if (find(name) != nullptr) return {};
    std::string known;
    for (const auto& row : rows_) known.append(known.empty() ? "" : ", ").append(row.name);
    return fail(Errc::invalid_argument, fmt::format("unknown config '{}'{}; known are {}", name, of_what_, known));
  }

  // Checks the value and sets it. invalid_argument: no such config, or another value than it takes.
  Result<> set(Config& config, std::string_view name, std::string_view value) const {
    PG_CHECK(check_name(name));
    const ConfigRow<Config>& row = *find(name);
    if (!row.values.allow(value)) {
      return fail(Errc::invalid_argument,
                  fmt::format("config {} must be {}, not '{}'", name, row.values.text(), value));
    }
    row.set(config, value);
    return {};
  }

  // Checks "name=value" and adds it to `configs`. invalid_argument, as above, or because `configs` has the name.
  Result<> add(ConfigMap& configs, std::string_view assignment) const {
    PG_ASSIGN(const auto parts, split_config(assignment));
    Config checked{};
    PG_CHECK(set(checked, parts.first, parts.second));
    if (configs.emplace(parts.first, parts.second).second) return {};
    return fail(Errc::invalid_argument, fmt::format("config {} is given twice", parts.first));
  }

  // Sets all of `configs`.
  Result<> set_all(Config& config, const ConfigMap& configs) const {
    for (const auto& [name, value] : configs) PG_CHECK(set(config, name, value));
    return {};
  }

  std::vector<ConfigDescription> describe() const {
    std::vector<ConfigDescription> described;
    for (const auto& row : rows_) {
      described.push_back({std::string(row.name), row.values.text(), row.show(Config{}), std::string(row.text)});
    }
    return described;
  }

 private:
  const ConfigRow<Config>* find(std::string_view name) const {
    for (const auto& row : rows_) {
      if (row.name == name) return &row;
    }
    return nullptr;
  }

  std::span<const ConfigRow<Config>> rows_;
  std::string_view of_what_;
};

}  // namespace pg
