// Any text as a -f format: refused with a reason, or the same wherever it is cut in two. And each byte can be written.
#include "core/base/text.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/fuzz_record.h"
#include "tools/common/record_printer.h"

using namespace pg;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const std::string_view key = input.bytes(input.up_to(9)), value = input.bytes(input.up_to(30));
  const bool null = input.byte() % 2 == 1;
  const size_t cut = input.byte();
  const std::string_view text = input.rest();
  const FuzzRecord record(
      {null ? std::nullopt : std::optional(key), value, {{key, value}, {"null", {}}}, 1'732'320'000'000});
  const auto printed = [&](std::string_view format) -> std::optional<std::string> {
    const auto parsed = FormatString::parse(format);
    if (!parsed) {
      PG_ASSERT(parsed.error().code == Errc::invalid_argument && !parsed.error().what.empty());
      return {};
    }
    std::string out;
    parsed->append(out, record.view());
    return out;
  };
  const auto whole = printed(text);
  const auto left = printed(text.substr(0, cut)), right = cut <= text.size() ? printed(text.substr(cut)) : "";
  // "%v" and "{hex}" belong together; every other format that makes sense in two parts is the two parts.
  const bool divides_field = cut < text.size() && text[cut] == '{';
  if (left && right && !divides_field) PG_ASSERT(whole == *left + *right);
  std::string escaped;
  for (const char c : text) escaped += "\\x" + hex({&c, 1});
  PG_ASSERT(printed(escaped) == text);
  return 0;
}
