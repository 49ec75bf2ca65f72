#include "server/schedule/go_text.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace chimera::server::schedule {
namespace {

bool is_digit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// How many characters at `from` are a number without a sign: "12", "1.", ".5".
std::size_t number_length(absl::string_view text, std::size_t from) {
  std::size_t end = from, digits = 0;
  bool point = false;
  for (; end < text.size() && (is_digit(text[end]) || (text[end] == '.' && !point)); ++end) {
    point = point || text[end] == '.';
    if (text[end] != '.') ++digits;
  }
  return digits == 0 ? 0 : end - from;
}

double number_of(absl::string_view text) {
  double value = 0;
  static_cast<void>(absl::SimpleAtod(text, &value));
  return value;
}

// A day is 24 hours.
std::string days_as_hours(absl::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = number_length(text, i);
    if (length == 0) {
      result += text[i++];
      continue;
    }
    const absl::string_view number = text.substr(i, length);
    i += length;
    if (i < text.size() && text[i] == 'd') {
      absl::StrAppendFormat(&result, "%fh", 24 * number_of(number));
      ++i;
    } else {
      absl::StrAppend(&result, number);
    }
  }
  return result;
}

double unit_of(absl::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us" || unit == "µs" || unit == "μs") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  if (unit == "m") return 60e9;
  return unit == "h" ? 3600e9 : 0;
}

absl::Status wrong(absl::string_view what, absl::string_view text) {
  return absl::InvalidArgumentError(absl::StrCat("time: ", what, " duration \"", text, "\""));
}

}  // namespace

absl::StatusOr<std::int64_t> go_atoi(absl::string_view text) {
  const auto problem = [text](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("strconv.Atoi: parsing \"", text, "\": ", what));
  };
  absl::string_view digits = text;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    return problem("invalid syntax");
  std::int64_t value = 0;
  if (!absl::SimpleAtoi(text, &value)) return problem("value out of range");
  return value;
}

absl::StatusOr<std::int64_t> go_duration(absl::string_view given) {
  const std::string whole = days_as_hours(given);
  absl::string_view text = whole;
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return wrong("invalid", whole);
  long double total = 0;
  while (!text.empty()) {
    const std::size_t length = number_length(text, 0);
    if (length == 0) return wrong("invalid", whole);
    const double number = number_of(text.substr(0, length));
    text.remove_prefix(length);
    const auto* end =
        std::find_if(text.begin(), text.end(), [](char c) { return c == '.' || is_digit(c); });
    const absl::string_view unit = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    if (unit.empty()) return wrong("missing unit in", whole);
    const double nanos = unit_of(unit);
    if (nanos == 0) return wrong(absl::StrCat("unknown unit \"", unit, "\" in"), whole);
    text.remove_prefix(unit.size());
    total += static_cast<long double>(number) * nanos;
  }
  if (total > static_cast<long double>(std::numeric_limits<std::int64_t>::max()))
    return wrong("invalid", whole);
  return static_cast<std::int64_t>(negative ? -total : total);
}

}  // namespace chimera::server::schedule
