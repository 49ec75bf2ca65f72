#include "server/archival/go_time.h"

#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "server/visibility/query.h"

namespace chimera::server::archival {
namespace {

std::string quoted(std::string_view text) {
  return absl::StrCat("\"", absl::CEscape({text.data(), text.size()}), "\"");
}

// A part of a time: how Go's layout has it, how many digits, the highest number, and its name where
// another is refused. Without digits: the text itself.
struct Part {
  const char* layout;
  std::size_t digits = 0;
  int highest = 9999, lowest = 0;
  const char* name = nullptr;
};

std::string refusal(const std::string& text) {
  static constexpr Part kParts[] = {{"2006", 4},
                                    {"-"},
                                    {"01", 2, 12, 1, "month"},
                                    {"-"},
                                    {"02", 2, 31, 1, "day"},
                                    {"T"},
                                    {"15", 2, 23, 0, "hour"},
                                    {":"},
                                    {"04", 2, 59, 0, "minute"},
                                    {":"},
                                    {"05", 2, 59, 0, "second"}};
  const std::string as = absl::StrCat("parsing time ", quoted(text));
  const auto cannot = [&](std::string_view rest, const char* layout) {
    return absl::StrCat(as, " as \"2006-01-02T15:04:05Z07:00\": cannot parse ", quoted(rest),
                        " as ", quoted(layout));
  };
  std::string_view rest = text;
  const auto digits = [&rest] {
    std::size_t count = 0;
    while (count < rest.size() && absl::ascii_isdigit(static_cast<unsigned char>(rest[count])))
      ++count;
    return count;
  };
  for (const Part& part : kParts) {
    if (part.digits == 0 ? rest.substr(0, 1) != part.layout : digits() < part.digits)
      return cannot(rest, part.layout);
    int number = 0;
    for (std::size_t i = 0; i < part.digits; ++i) number = number * 10 + rest[i] - '0';
    if (part.digits > 0 && (number < part.lowest || number > part.highest))
      return absl::StrCat(as, ": ", part.name, " out of range");
    rest.remove_prefix(part.digits > 0 ? part.digits : 1);
  }
  if (!rest.empty() && (rest[0] == '.' || rest[0] == ',')) {
    const std::string_view fraction = rest;
    rest.remove_prefix(1);
    if (digits() == 0) return cannot(fraction, "Z07:00");
    rest.remove_prefix(digits());
  }
  constexpr std::size_t kOffset = 6;  // "+01:00"
  const bool utc = rest.substr(0, 1) == "Z";
  if (!utc && (rest.size() < kOffset || rest[3] != ':' || (rest[0] != '+' && rest[0] != '-')))
    return cannot(rest, "Z07:00");
  const std::string_view zone = rest;
  rest.remove_prefix(utc ? 1 : kOffset);
  if (!rest.empty()) return absl::StrCat(as, ": extra text: ", quoted(rest));
  return utc ? absl::StrCat(as, ": day out of range") : cannot(zone, "Z07:00");
}

}  // namespace

absl::StatusOr<std::int64_t> parse_rfc3339(const std::string& text) {
  if (const auto time = visibility::parse_time(text)) return *time;
  return absl::InvalidArgumentError(refusal(text));
}

}  // namespace chimera::server::archival
