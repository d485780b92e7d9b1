// The registry: the schemas of a subject, their versions, and the rules for new ones.
//
// It is the table `_schemas` (core/schema/registry_rows.h): every change is decided on what that log holds and appended
// only if nobody was first, so any number of processes may register at once; it counts once it is on stable storage.
// The rules and words are those of Confluent's Schema Registry: ids are global, the same text has the same id under all
// subjects, and no id is given twice. A softly deleted schema can still be found by its id, and by callers that ask for
// deleted ones; only then may it be deleted for good. Not thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/limits.h"
#include "core/schema/registry_error.h"
#include "core/schema/registry_view.h"
#include "core/schema/schema.h"
#include "core/store/log_table.h"

namespace pg {

struct RegisteredSchema {
  std::string subject;
  int32_t version = 0;
  int32_t id = 0;
  SchemaType type = SchemaType::avro;
  std::string text;
  bool deleted = false;
  std::string references = {};  // JSON, as another registry wrote it; empty: there are none
};

// A schema as its user writes it.
struct SchemaText {
  SchemaType type = SchemaType::avro;
  std::string text;
};

// A setting, and whether it is the subject's own or what holds for all.
template <class Value>
struct Setting {
  Value value;
  bool inherited = false;
};

// Whether softly deleted versions are wanted too.
enum class Deleted { no, too };

// invalid_subject: empty, longer than kSubjectBytesMax, no UTF-8, or with control characters.
RegistryResult<> check_subject(std::string_view subject);

class Registry {
 public:
  // Borrows `home`. The topic is made by the first change.
  using Parser = Result<std::unique_ptr<Schema>> (*)(SchemaType type, std::string_view text);
  static Result<Registry> open(Home& home, Deadline deadline, Parser parser = parse_schema);

  // Takes in what was written since the last call. What follows, up to the changes, is as of then.
  Result<> catch_up(Deadline deadline);
  // Everything that was read is on stable storage: no power cut takes back an id that values were written with.
  Result<> flush(Deadline deadline);

  RegistryResult<std::vector<std::string>> subjects(const std::string& prefix, Deleted deleted);
  // subject_not_found.
  RegistryResult<std::vector<int32_t>> versions(const std::string& subject, Deleted deleted);
  // With no version: the latest. subject_not_found, version_not_found.
  RegistryResult<RegisteredSchema> find(const std::string& subject, std::optional<int32_t> version, Deleted deleted);
  // One of those that have it, which is softly deleted only if all are. schema_not_found.
  RegistryResult<RegisteredSchema> find_id(int32_t id);
  // schema_not_found.
  RegistryResult<std::vector<SubjectVersion>> versions_of_id(int32_t id, Deleted deleted);
  // The version of this schema under the subject. subject_not_found, schema_not_found, invalid_schema.
  RegistryResult<RegisteredSchema> lookup(const std::string& subject, const SchemaText& schema, Deleted deleted);
  // The ids of schemas that refer to this version: Confluent's referencedby.
  RegistryResult<std::vector<int32_t>> referenced_by(const std::string& subject, std::optional<int32_t> version);

  // Why the schema cannot follow what the subject has, by the subject's level; or, with a version, that version alone.
  // Nothing: it can. invalid_schema, version_not_found.
  RegistryResult<std::vector<Incompatibility>> check(const std::string& subject, std::optional<int32_t> version,
                                                     const SchemaText& schema, CompatibilityPolicy policy);

  // No subject: for all of them. None: nothing was set.
  RegistryResult<std::optional<CompatibilityLevel>> own_level(const std::optional<std::string>& subject);
  RegistryResult<std::optional<RegistryMode>> own_mode(const std::optional<std::string>& subject);
  RegistryResult<Setting<CompatibilityLevel>> level(const std::optional<std::string>& subject);
  RegistryResult<Setting<RegistryMode>> mode(const std::optional<std::string>& subject);

  // The text of the subject's newest version with the same normal form; if there is none, the normal form.
  // invalid_schema.
  RegistryResult<SchemaText> normalized(const std::string& subject, const SchemaText& schema);

  // The parsed schema of a version; kept. invalid_schema: this version cannot read it.
  RegistryResult<std::shared_ptr<const Schema>> parsed(const RegisteredSchema& schema);

  // Changes. Each returns when it is on stable storage; an error of the log leaves unknown whether it was made.
  //
  // What is there already is returned as it is. incompatible, invalid_schema, not_permitted, invalid_subject.
  RegistryResult<RegisteredSchema> register_schema(const std::string& subject, const SchemaText& schema,
                                                   CompatibilityPolicy policy, Deadline deadline);
  // The versions that it deletes. subject_not_found, subject_deleted, subject_not_soft_deleted, not_permitted.
  RegistryResult<std::vector<int32_t>> delete_subject(const std::string& subject, bool permanent, Deadline deadline);
  // With no version: the latest. The version that it deletes. version_not_found, version_deleted,
  // version_not_soft_deleted.
  RegistryResult<int32_t> delete_version(const std::string& subject, std::optional<int32_t> version, bool permanent,
                                         Deadline deadline);
  // None: the setting goes. What it was. not_permitted, no_subject_level.
  RegistryResult<std::optional<CompatibilityLevel>> set_level(const std::optional<std::string>& subject,
                                                              std::optional<CompatibilityLevel> level,
                                                              Deadline deadline);
  RegistryResult<std::optional<RegistryMode>> set_mode(const std::optional<std::string>& subject,
                                                       std::optional<RegistryMode> mode, Deadline deadline);

 private:
  Registry(Home& home, Parser parser) : home_(&home), env_(home.env()), parser_(parser) {}

  Result<> open_table(bool make, Deadline deadline);
  Result<> try_catch_up(Deadline deadline);
  void begin_view(std::shared_ptr<const SortedFile> base);
  Result<> begin_reading(bool with_index, Deadline deadline);
  Result<> read_new(Deadline deadline);
  // Answers from the view; from a whole one, should it turn out to be spoilt.
  template <class Answer>
  auto ask(const Answer& answer) -> decltype(answer());
  // What to append, decided on the view; nothing: nothing is to be changed. Called again when another process appended
  // first.
  using Decide = std::function<RegistryResult<std::vector<TableRow>>()>;
  RegistryResult<> change(const Decide& decide, Deadline deadline);

  RegistryResult<std::vector<int32_t>> forget_subject(const std::string& subject, Deadline deadline);
  RegistryResult<> check_permitted(const std::optional<std::string>& subject);
  RegistryResult<std::unique_ptr<Schema>> parse(const SchemaText& schema) const;
  std::optional<RegisteredSchema> same_schema(const std::string& subject, const Schema& schema, Deleted deleted);
  CompatibilityLevel level_of(const std::string& subject) const;
  RegistryResult<std::vector<Incompatibility>> compare(const std::string& subject, const Schema& schema,
                                                       CompatibilityPolicy policy);
  RegistryResult<std::vector<Incompatibility>> compare_with(const RegisteredSchema& old, const Schema& schema,
                                                            CompatibilityLevel level, CompatibilityPolicy policy);

  Home* home_;
  Env env_;
  Parser parser_;
  std::optional<LogTable> table_;  // none: there is no such topic yet
  RegistryView view_;
  bool begun_ = false;                                       // the view holds what was read of the table
  size_t unindexed_bytes_ = 0;                               // of the rows that were read and lie in no index
  int64_t views_ = 0;                                        // how often reading began
  std::map<int32_t, std::shared_ptr<const Schema>> parsed_;  // by id
};

template <class Answer>
auto Registry::ask(const Answer& answer) -> decltype(answer()) {
  for (;;) {
    const int64_t asked = views_;
    auto said = answer();
    if (view_.is_damaged()) PG_CHECK(begin_reading(false, env_.clock.after(kTimeoutDefault)));
    if (views_ == asked) return said;
  }
}

}  // namespace pg
