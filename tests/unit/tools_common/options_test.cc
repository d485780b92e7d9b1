#include "tools/common/options.h"

#include "tests/support/must.h"
#include "tests/support/printing.h"

using namespace pg;

namespace {

using Words = std::vector<std::string>;

// A command like pg-produce: flags, options of every kind, and any number of operands.
struct Command {
  Command() : table("pg-test", "TOPIC [MESSAGE...]", "Does nothing.") {
    table.operands(1, 100);
    table.flag("-0,--null", null, "records end with a NUL byte");
    table.flag("-v,--verbose", verbose, "say more");
    table.printing_flag("-h,--help", help, "print this help");
    table.option(
        "-k,--key", "KEY",
        [this](const std::string& value) {
          key = value;
          return Result<>();
        },
        "the key");
    table.option(
        "-H,--header", "NAME=VALUE",
        [this](const std::string& value) -> Result<> {
          if (value.find('=') == std::string::npos) return fail(Errc::invalid_argument, "no '='");
          headers.push_back(value);
          return {};
        },
        "a header");
    table.may_repeat();
    table.option("--file", "PATH", file, "a file");
    table.duration("--linger", linger, "how long");
    table.size("--bytes", 1, bytes, "how much");
    table.count("-n,--count", 0, count, "how many");
    table.hint("-t", "the topic is the first argument");
  }

  Result<Words> parse(const Words& arguments) { return table.parse(arguments); }

  OptionTable table;
  bool null = false, verbose = false, help = false;
  std::optional<std::string> key;
  Words headers;
  std::string file;
  Duration linger{};
  size_t bytes = 0;
  int64_t count = 0;
};

std::string refused(const Words& arguments) {
  Command command;
  const Error error = error_of(command.parse(arguments));
  CHECK(error.code == Errc::invalid_argument);
  return error.what;
}

}  // namespace

TEST_CASE("options: operands are bytes, whatever they look like") {
  const std::pair<Words, Words> rows[] = {
      {{"T"}, {"T"}},
      {{"T", "[1,2]"}, {"T", "[1,2]"}},
      {{"T", "[]"}, {"T", "[]"}},
      {{"T", "{}"}, {"T", "{}"}},
      {{"T", "++"}, {"T", "++"}},
      {{"T", ""}, {"T", ""}},
      {{"T", "", "a", ""}, {"T", "", "a", ""}},
      {{"T", "-"}, {"T", "-"}},
      {{"T", "--", "-x"}, {"T", "-x"}},
      {{"--", "T", "--", "-k"}, {"T", "--", "-k"}},
      {{"T", "a=b", "a,b", "\"q\"", "'q'", "a b"}, {"T", "a=b", "a,b", "\"q\"", "'q'", "a b"}},
      {{"T", "\xff\n"}, {"T", "\xff\n"}},
  };
  for (const auto& [arguments, operands] : rows) {
    CAPTURE(arguments);
    Command command;
    CHECK(must(command.parse(arguments)) == operands);
  }
}

TEST_CASE("options: each takes one argument and leaves the next word alone") {
  Command c;
  CHECK(must(c.parse({"-H", "a=1", "T", "msg"})) == Words{"T", "msg"});
  CHECK(c.headers == Words{"a=1"});
  Command d;
  CHECK(must(d.parse({"T", "-H", "a=1", "-H", "b=2", "msg", "-Hc=3", "--header=d=4", "--header", "e=[1,2]"})) ==
        Words{"T", "msg"});
  CHECK(d.headers == Words{"a=1", "b=2", "c=3", "d=4", "e=[1,2]"});
}

TEST_CASE("options: an empty argument is one") {
  for (const Words& arguments : {Words{"--key=", "T", "m"}, Words{"--key", "", "T", "m"}, Words{"-k", "", "T", "m"}}) {
    CAPTURE(arguments);
    Command c;
    CHECK(must(c.parse(arguments)) == Words{"T", "m"});
    CHECK(c.key == "");
  }
}

TEST_CASE("options: a value may look like an option") {
  for (const Words& arguments :
       {Words{"--key", "-v", "T"}, Words{"--key=-v", "T"}, Words{"-k", "-v", "T"}, Words{"-k-v", "T"}}) {
    CAPTURE(arguments);
    Command c;
    CHECK(must(c.parse(arguments)) == Words{"T"});
    CHECK(c.key == "-v");
    CHECK_FALSE(c.verbose);
  }
}

TEST_CASE("options: short ones may be joined") {
  Command c;
  CHECK(must(c.parse({"-v0k", "K", "T"})) == Words{"T"});
  CHECK(c.verbose);
  CHECK(c.null);
  CHECK(c.key == "K");
  Command d;
  CHECK(must(d.parse({"-0vkK", "T"})) == Words{"T"});
  CHECK(d.key == "K");
  Command e;
  CHECK(must(e.parse({"-kv", "T"})) == Words{"T"});
  CHECK(e.key == "v");
  CHECK_FALSE(e.verbose);
}

TEST_CASE("options: durations, sizes and counts") {
  Command c;
  must(c.parse({"--linger", "20ms", "--bytes", "4K", "-n", "7", "T"}));
  CHECK(c.linger == std::chrono::milliseconds(20));
  CHECK(c.bytes == 4096);
  CHECK(c.count == 7);
  CHECK(refused({"--linger", "20", "T"}) ==
        "--linger: '20' is not a duration: write a number and us, ms, s, m, h or d");
  CHECK(refused({"--bytes", "0", "T"}).starts_with("--bytes: '0' is not a size of at least 1"));
  CHECK(refused({"-n", "-1", "T"}) == "--count: '-1' is not a number of at least 0");
  CHECK(refused({"--count=x", "T"}) == "--count: 'x' is not a number of at least 0");
  CHECK(refused({"-H", "a", "T"}) == "--header: no '='");
}

TEST_CASE("options: misuse says what is wrong, and hints at what was meant") {
  CHECK(refused({"--no-such", "T"}).find("try 'pg-test --help'") != std::string::npos);
  CHECK(refused({"-x", "T"}).find("try 'pg-test --help'") != std::string::npos);
  CHECK(refused({"T", "-k"}).find("try 'pg-test --help'") != std::string::npos);
  CHECK(refused({"-v=1", "T"}).find("try 'pg-test --help'") != std::string::npos);
  CHECK(refused({}) == "missing operand: pg-test TOPIC [MESSAGE...] (try 'pg-test --help')");
  CHECK(refused({"-t", "x"}) == "-t: the topic is the first argument (try 'pg-test --help')");
  Command c;
  c.table.operands(0, 1);
  CHECK(error_of(c.parse({"a", "b"})).what == "unexpected argument 'b' (try 'pg-test --help')");
}

TEST_CASE("options: an option that was renamed still takes its old name, which help does not show") {
  Command c;
  c.table.old_name("--key-of-all", "--key");
  CHECK(must(c.parse({"T", "--key-of-all", "k"})) == Words{"T"});
  CHECK(c.key == "k");
  CHECK(c.table.notices() == Words{"--key-of-all is called --key now: use that"});
  CHECK(c.table.help().find("--key-of-all") == std::string::npos);
  Command joined;
  joined.table.old_name("--key-of-all", "--key");
  CHECK(must(joined.parse({"--key-of-all=", "T"})) == Words{"T"});
  CHECK(joined.key == "");
  Command both;
  both.table.old_name("--key-of-all", "--key");
  CHECK(error_of(both.parse({"--key", "a", "--key-of-all", "b", "T"})).what == "--key: given twice, as 'a' and as 'b'");
  // A value and an operand may look like the old name.
  Command value;
  value.table.old_name("--key-of-all", "--key");
  CHECK(must(value.parse({"--key", "--key-of-all", "--", "--key-of-all"})) == Words{"--key-of-all"});
  CHECK(value.key == "--key-of-all");
  CHECK(value.table.notices().empty());
}

TEST_CASE("options: a flag takes no value, spelt any way") {
  for (const Words& arguments : {Words{"--verbose=yes", "T"}, Words{"--verbose=", "T"}}) {
    CAPTURE(arguments);
    Command c;
    const auto parsed = c.parse(arguments);
    // "yes" must not silently become an operand.
    CHECK((!parsed || (*parsed == Words{"T"} && c.verbose)));
  }
}

TEST_CASE("options: long names are not abbreviated, and case counts") {
  CHECK(refused({"--verb", "T"}) != "");
  CHECK(refused({"--Verbose", "T"}) != "");
  CHECK(refused({"-verbose", "T"}) != "");
}

TEST_CASE("options: help wants no operands, and lists every option") {
  Command c;
  CHECK(must(c.parse({"-h"})).empty());
  CHECK(c.help);
  const std::string help = c.table.help();
  CHECK(help.starts_with("usage: pg-test [OPTION...] TOPIC [MESSAGE...]\n\nDoes nothing.\n\noptions:\n"));
  for (const char* line :
       {"  -0, --null ", "  -k, --key KEY ", "      --file PATH ", "      --linger DURATION ", "  -n, --count N "}) {
    CAPTURE(line);
    CHECK(help.find(line) != std::string::npos);
  }
}

TEST_CASE("options: what is given twice is refused, unless each value counts") {
  for (const Words& words :
       {Words{"-k", "a", "-k", "b", "t"}, Words{"-k", "a", "--key=b", "t"}, Words{"-vka", "-kb", "t"},
        Words{"-n", "1", "t", "-n", "1"}, Words{"--linger", "1s", "--linger=1s", "t"},
        Words{"--bytes", "1", "--bytes", "2", "t"}, Words{"--file=", "--file=", "t"}}) {
    Command command;
    const Error error = error_of(command.table.parse(words));
    CHECK(error.code == Errc::invalid_argument);
    CHECK(error.what.find("given twice") != std::string::npos);
  }
  Command command;
  CHECK(must(command.table.parse({"-v", "-H", "a=1", "-v", "--header", "a=2", "t"})) == Words{"t"});
  CHECK(command.headers == Words{"a=1", "a=2"});
}
