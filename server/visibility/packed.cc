#include "server/visibility/packed.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace chimera::server::visibility {
namespace {

constexpr std::size_t kUuidBytes = 16, kUuidText = 36;
constexpr std::size_t kDashes[] = {8, 13, 18, 23};

bool is_list(AttributeType type) {
  return type == AttributeType::kKeywordList || type == AttributeType::kText;
}

void put_size(std::size_t size, std::string& into) {
  const auto number = static_cast<std::uint32_t>(size);
  into.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// One attribute in its packed form; an empty name ends them.
struct Field {
  absl::string_view name, bytes;
  AttributeType type = AttributeType::kKeyword;
};

absl::string_view take(absl::string_view& from) {
  std::uint32_t size = 0;
  if (from.size() < sizeof size) return {};
  std::memcpy(&size, from.data(), sizeof size);
  const absl::string_view part = from.substr(sizeof size, size);
  from.remove_prefix(std::min(from.size(), sizeof size + size));
  return part;
}

Field take_field(absl::string_view& from) {
  Field field;
  field.name = take(from);
  if (!from.empty()) {
    field.type = static_cast<AttributeType>(from[0]);
    from.remove_prefix(1);
  }
  field.bytes = take(from);
  return field;
}

std::optional<Field> find(absl::string_view packed, absl::string_view name) {
  while (!packed.empty()) {
    const Field field = take_field(packed);
    if (field.name == name) return field;
  }
  return std::nullopt;
}

template <class Number>
Number number_of(absl::string_view bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), std::min(bytes.size(), sizeof number));
  return number;
}

Value value_of(const Field& field) {
  if (field.type == AttributeType::kKeyword) return std::string(field.bytes);
  if (field.type == AttributeType::kDouble) return number_of<double>(field.bytes);
  return number_of<std::int64_t>(field.bytes);
}

absl::string_view bytes_of(sqlite3_value* value) {
  const void* data = sqlite3_value_blob(value);
  return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

std::optional<Field> asked_for(sqlite3_value** arguments) {
  const auto field = find(bytes_of(arguments[0]), bytes_of(arguments[1]));
  const auto type = static_cast<AttributeType>(sqlite3_value_int(arguments[2]));
  return field && field->type == type ? field : std::nullopt;
}

void attribute(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto field = asked_for(arguments);
  if (!field) return sqlite3_result_null(context);
  const auto text = [&](absl::string_view bytes) {
    sqlite3_result_text(context, bytes.data(), static_cast<int>(bytes.size()), SQLITE_TRANSIENT);
  };
  if (is_list(field->type)) return text(field->bytes);
  const Value value = value_of(*field);
  if (const auto* real = std::get_if<double>(&value)) return sqlite3_result_double(context, *real);
  if (const auto* whole = std::get_if<std::int64_t>(&value))
    return sqlite3_result_int64(context, *whole);
  text(std::get<std::string>(value));
}

void has_any(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto field = asked_for(arguments);
  bool found = false;
  if (field) {
    for (absl::string_view phrase :
         absl::StrSplit(bytes_of(arguments[3]), kBetweenPhrases, absl::SkipEmpty()))
      found = found || absl::StrContains(field->bytes, phrase);
  }
  sqlite3_result_int(context, found);
}

void run_id_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const std::string text = run_id_text(bytes_of(arguments[0]));
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

}  // namespace

std::string joined_parts(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (all.empty()) all += kBetweenParts;
    absl::StrAppend(&all, part, std::string(1, kBetweenParts));
  }
  return all;
}

void pack(const Folding& folding, absl::string_view name, AttributeType type, const Value& value,
          std::string& into) {
  std::string bytes;
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> items;
    for (const std::string& each : *list) items.push_back(folding.item(each));
    bytes = joined_parts(items);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    bytes = type == AttributeType::kText ? joined_parts(folding.words(*text)) : *text;
  } else if (const auto* real = std::get_if<double>(&value)) {
    bytes.assign(reinterpret_cast<const char*>(real), sizeof *real);
  } else {
    const auto* truth = std::get_if<bool>(&value);
    const std::int64_t number = truth != nullptr ? *truth : std::get<std::int64_t>(value);
    bytes.assign(reinterpret_cast<const char*>(&number), sizeof number);
  }
  put_size(name.size(), into);
  into.append(name.data(), name.size());
  into += static_cast<char>(type);
  put_size(bytes.size(), into);
  into.append(bytes);
}

void each_value(absl::string_view packed,
                absl::FunctionRef<void(absl::string_view, const Value&)> visit) {
  while (!packed.empty()) {
    const Field field = take_field(packed);
    if (!is_list(field.type)) {
      visit(field.name, value_of(field));
      continue;
    }
    std::vector<std::string> parts = absl::StrSplit(field.bytes, kBetweenParts, absl::SkipEmpty());
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
    for (std::string& part : parts) visit(field.name, Value(std::move(part)));
  }
}

bool add_functions(sqlite3* database) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
  const auto add = [&](const char* name, int arguments, auto* function) {
    return sqlite3_create_function_v2(database, name, arguments, kFlags, nullptr, function, nullptr,
                                      nullptr, nullptr) == SQLITE_OK;
  };
  return add("attribute", 3, attribute) && add("has_any", 4, has_any) &&
         add("run_id_text", 1, run_id_function);
}

std::string packed_run_id(absl::string_view run_id) {
  if (run_id.size() != kUuidText) return std::string(run_id);
  std::string bytes;
  for (std::size_t i = 0; i < run_id.size(); i += 2) {
    if (std::find(std::begin(kDashes), std::end(kDashes), i) != std::end(kDashes)) {
      if (run_id[i] != '-') return std::string(run_id);
      ++i;
    }
    const auto digit = [](char c) {
      return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    const int high = digit(run_id[i]), low = digit(run_id[i + 1]);
    if (high < 0 || low < 0) return std::string(run_id);
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::string run_id_text(absl::string_view packed) {
  if (packed.size() != kUuidBytes) return std::string(packed);
  std::string text = absl::BytesToHexString(packed);
  for (std::size_t dash : kDashes) text.insert(dash, "-");
  return text;
}

}  // namespace chimera::server::visibility
