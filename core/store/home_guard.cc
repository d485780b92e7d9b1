#include "core/store/home_guard.h"

#include <fmt/format.h>

#include "core/format/checkpoint_text.h"
#include "core/format/path_names.h"
#include "core/store/home_notes.h"
#include "core/store/versioned_file.h"

namespace pg {
namespace {

constexpr const char* kCannotMake = "cannot make the home: ";

bool is_there(const Env& env, const std::string& path) { return env.files.info(path).has_value(); }

bool has_cluster(const Env& env, const std::string& path) {
  const auto version = VersionedFile(env, names::cluster_file(path)).latest_version();
  return version && *version > 0;
}

// Kafka makes these files, and a home has none of them at its top.
bool is_log_directory(const Env& env, const std::string& path) {
  return is_there(env, names::meta_properties(path)) || is_there(env, names::recovery_checkpoint(path)) ||
         is_there(env, names::cleaner_checkpoint(path));
}

// What to type: the home that the log directory belongs to, if it is known.
std::string advice_for(const Env& env, const std::string& path, const std::string& full) {
  if (const std::string home = parent_path(parent_path(full)); has_cluster(env, home))
    return fmt::format("its home is {0}: --home {0}", home);
  const auto text = env.files.read_all(names::meta_properties(path));
  const auto owner = text ? parse_meta_properties(*text) : fail(Errc::not_found, "");
  const std::string home = owner ? HomeNotes(env, path).home_of(owner->cluster_id) : "";
  if (!home.empty()) return fmt::format("its home is {0}: --home {0}", home);
  return "name its home or another directory with --home or PG_HOME; 'pg-topic dump FILE.log' shows what is in its "
         "files";
}

Result<> check_no_log_directory(const Env& env, const std::string& path) {
  PG_ASSIGN(const std::string full, full_path(path));
  for (std::string at = full; at != "/"; at = parent_path(at)) {
    if (!is_log_directory(env, at)) continue;
    return fail(Errc::invalid_argument,
                fmt::format("{} a log directory, Kafka's or of a cluster, and no home: {}",
                            at == full ? "this is" : fmt::format("{} is", at), advice_for(env, at, at)),
                path);
  }
  return {};
}

// A home keeps its own files in these folders, and would take another home in one of them for a topic or a group.
Result<> check_not_inside_home(const Env& env, const std::string& path) {
  PG_ASSIGN(const std::string full, full_path(path));
  for (std::string at = env.mounts.resolve(full), home = parent_path(at); at != "/";
       at = home, home = parent_path(home)) {
    const bool is_own = at == names::topics_directory(home) || at == names::brokers_directory(home) ||
                        at == names::locks_directory(home) || at == names::groups_directory(home) ||
                        at == names::logs_directory(home);
    if (!is_own || !has_cluster(env, home)) continue;
    return fail(Errc::invalid_argument, fmt::format("{0} is inside the home {1}: --home {1}", path, home), path);
  }
  return {};
}

// The home's metadata is stored first, then the owner of a log directory in the home, then topics.
Result<> check_metadata_not_lost(const Env& env, const std::string& path) {
  const auto topics = env.files.list(names::topics_directory(path));
  bool used = topics && !topics->empty();
  const std::string inside = names::brokers_directory(path);
  const auto brokers = env.files.list(inside);
  for (size_t i = 0; brokers && !used && i < brokers->size(); ++i) {
    used = is_there(env, names::meta_properties(fmt::format("{}/{}", inside, (*brokers)[i])));
  }
  // Another process may have made the home after the caller looked for its metadata.
  if (!used || has_cluster(env, path)) return {};
  return fail(Errc::corrupt,
              "the metadata of the home is lost, but its topics exist: 'pg-cluster init --brokers N' makes it again "
              "from what the log directories say",
              names::versioned(names::cluster_file(path), 1));
}

Result<> check_mounts(const Env& env, const std::string& path) {
  PG_ASSIGN(const std::string full, full_path(path));
  const std::string point = env.mounts.unmounted(full);
  if (point.empty()) return {};
  return fail(Errc::io, fmt::format("{} is in /etc/fstab but not mounted: 'mount {}'", point, point), path);
}

Result<> check_local(const Env& env, const std::string& path, const char* what, const char* advice) {
  PG_ASSIGN(const std::string remote, env.files.remote_type(nearest_existing(env.files, path)));
  if (remote.empty()) return {};
  return fail(Errc::io, fmt::format("{} is on {}, which is not supported yet{}", what, remote, advice), path);
}

Result<> check_parent(const Env& env, const std::string& path, const std::string& base) {
  const std::string needed = base.empty() ? parent_path(path) : base;
  const auto listed = env.files.list(needed);  // through a link, too
  if (listed || listed.error().code != Errc::not_found) return {};
  return fail(Errc::io, fmt::format("{} does not exist: is its disk mounted? 'mkdir -p {}' makes it", needed, needed),
              path);
}

Result<> with_what(Result<> checked, const char* prefix) {
  if (!checked && checked.error().code == Errc::io) checked.error().what.insert(0, prefix);
  return checked;
}

}  // namespace

Result<> may_make_home(const Env& env, const std::string& path, const IfNoHome& how) {
  PG_CHECK(check_no_log_directory(env, path));
  PG_CHECK(check_not_inside_home(env, path));
  const auto not_lost = check_metadata_not_lost(env, path);
  if (!not_lost) return how.by_name ? Result<>() : not_lost;  // 'pg-cluster init' can restore it
  PG_CHECK(with_what(check_mounts(env, path), kCannotMake));
  if (const std::string gone = HomeNotes(env, path).what_is_gone(how.by_name); !gone.empty())
    return fail(Errc::io, kCannotMake + gone, path);
  PG_CHECK(with_what(check_parent(env, path, how.base), kCannotMake));
  return with_what(check_local(env, path, "the home", ": use --home with a local disk"), kCannotMake);
}

Result<> may_make_log_directory(const Env& env, const std::string& path) {
  constexpr const char* kCannot = "cannot make the log directory: ";
  PG_CHECK(with_what(check_mounts(env, path), kCannot));
  PG_CHECK(with_what(check_parent(env, path, ""), kCannot));
  if (has_cluster(env, path)) return fail(Errc::already_exists, "this is a home, and no log directory", path);
  return check_local(env, path, "the log directory", "");
}

bool is_metadata_lost(const Env& env, const std::string& path) { return !check_metadata_not_lost(env, path); }

Error no_home(const Env& env, const std::string& path) {
  if (const auto checked = check_no_log_directory(env, path); !checked) return checked.error();
  if (const auto checked = check_not_inside_home(env, path); !checked) return checked.error();
  if (const auto checked = check_metadata_not_lost(env, path); !checked) return checked.error();
  const std::string gone = HomeNotes(env, path).what_is_gone(false);
  if (!gone.empty()) return {Errc::io, "there is no home: " + gone, path, {}, 0};
  return {
      Errc::not_found,
      "there is no home: pg-produce, 'pg-topic create' and 'pg-cluster init' make one, --home and PG_HOME name another",
      path,
      {},
      0};
}

}  // namespace pg
