// Times and durations as filters write them; as the Go library reads them.
#include <cctype>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "server/visibility/query.h"

namespace chimera::server::visibility {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// "0000-00-00T00:00:00", with any digits.
bool has_shape(std::string_view text, std::string_view shape) {
  if (text.size() < shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == '0' ? !is_digit(text[i]) : text[i] != shape[i]) return false;
  }
  return true;
}

constexpr std::pair<std::string_view, double> kUnits[] = {
    {"ns", 1},  {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3}, {"ms", 1e6},
    {"s", 1e9}, {"m", 6e10}, {"h", 3.6e12},    {"d", 8.64e13}};

// "1h30m", with a fraction in any part.
std::optional<std::int64_t> parse_parts(std::string_view text) {
  const bool negative = !text.empty() && text[0] == '-';
  if (negative || (!text.empty() && text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  long double total = 0;
  while (!text.empty()) {
    std::size_t end = 0;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    double number;
    if (!absl::SimpleAtod({text.data(), end}, &number)) return std::nullopt;
    text.remove_prefix(end);
    end = 0;
    while (end < text.size() && !is_digit(text[end]) && text[end] != '.') ++end;
    const std::string_view unit = text.substr(0, end);
    double scale = 0;
    for (const auto& [name, value] : kUnits) scale = unit == name ? value : scale;
    if (scale == 0) return std::nullopt;
    total += static_cast<long double>(number) * scale;
    text.remove_prefix(end);
  }
  if (total > static_cast<long double>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::int64_t>(negative ? -total : total);
}

// A number, perhaps behind spaces.
std::optional<std::int64_t> take_number(std::string_view& text) {
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  std::size_t end = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  std::int64_t number;
  if (!absl::SimpleAtoi({text.data(), end}, &number)) return std::nullopt;
  text.remove_prefix(end);
  return number;
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00", kZone = "00:00";
  constexpr std::size_t kHour = 11, kMinute = 14, kSecond = 17;
  if (!has_shape(text, kShape)) return std::nullopt;
  const auto number = [text](std::size_t at) { return (text[at] - '0') * 10 + text[at + 1] - '0'; };
  if (number(kHour) > 23 || number(kMinute) > 59 || number(kSecond) > 59) return std::nullopt;
  std::string plain(text);
  std::size_t end = kShape.size();
  if (end < text.size() && (text[end] == '.' || text[end] == ',')) {
    plain[end++] = '.';
    const std::size_t fraction = end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == fraction) return std::nullopt;
  }
  const std::string_view zone = text.substr(end);
  const bool offset = zone.size() == kZone.size() + 1 && (zone[0] == '+' || zone[0] == '-') &&
                      has_shape(zone.substr(1), kZone);
  if (zone != "Z" && !offset) return std::nullopt;
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, plain, &time, &error)) return std::nullopt;
  return absl::ToUnixNanos(time);
}

absl::StatusOr<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::int64_t kSecond = 1'000'000'000, kHours = 2'562'046;  // Almost 2^63 ns.
  std::int64_t number;
  if (absl::SimpleAtoi({text.data(), text.size()}, &number)) return number;
  if (const auto parts = parse_parts(text)) return *parts;
  std::int64_t fields[3];
  for (std::int64_t& field : fields) {
    if (&field != fields && (text.empty() || text[0] != ':'))
      return absl::InvalidArgumentError("invalid duration");
    if (&field != fields) text.remove_prefix(1);
    const auto value = take_number(text);
    if (!value) return absl::InvalidArgumentError("invalid duration");
    field = *value;
  }
  if (fields[0] < 0)
    return absl::InvalidArgumentError("invalid duration: hours must be a positive number");
  if (fields[1] < 0 || fields[1] > 59)
    return absl::InvalidArgumentError("invalid duration: minutes must be from 0 to 59");
  if (fields[2] < 0 || fields[2] > 59)
    return absl::InvalidArgumentError("invalid duration: seconds must be from 0 to 59");
  if (fields[0] > kHours) return absl::InvalidArgumentError("invalid duration");
  return ((fields[0] * 60 + fields[1]) * 60 + fields[2]) * kSecond;
}

}  // namespace chimera::server::visibility
