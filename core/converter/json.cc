#include "core/converter/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "nlohmann/json.hpp"

namespace chimera::core {
namespace {

using Json = nlohmann::json;

const Json& json(const void* value) { return *static_cast<const Json*>(value); }

// Decodes one code point and moves `at` past it; U+FFFD for anything that is not UTF-8.
std::uint32_t next_code_point(std::string_view text, std::size_t& at) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at++);
  if (lead < 0x80) return lead;
  const int extra = lead >= 0xF0 && lead < 0xF5 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
  if (extra == 0 || lead >= 0xF5) return kReplacement;
  std::uint32_t code = lead & (0x3F >> extra);
  std::size_t end = at;
  for (int i = 0; i < extra; ++i, ++end) {
    if (end >= text.size() || (byte(end) & 0xC0) != 0x80) return kReplacement;
    code = (code << 6) | (byte(end) & 0x3F);
  }
  constexpr std::array<std::uint32_t, 4> kSmallest = {0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code < 0xE000;
  if (code < kSmallest[extra] || code > 0x10FFFF || surrogate) return kReplacement;
  at = end;
  return code;
}

void append_escape(std::string& out, std::uint32_t unit) {
  absl::StrAppendFormat(&out, "\\u%04x", unit);
}

// json.dumps escapes everything that is not printable ASCII (ensure_ascii).
void append_escaped(std::string& out, std::uint32_t code) {
  switch (code) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\b':
      out += "\\b";
      return;
    default:
      break;
  }
  if (code >= 0x20 && code < 0x7F) {
    out += static_cast<char>(code);
  } else if (code < 0x10000) {
    append_escape(out, code);
  } else {
    append_escape(out, 0xD800 + ((code - 0x10000) >> 10));
    append_escape(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
  }
}

// What Python's json writes and reads beyond JSON.
constexpr std::array<std::pair<std::string_view, double>, 3> kSpecialNumbers = {
    {{"-Infinity", -std::numeric_limits<double>::infinity()},
     {"Infinity", std::numeric_limits<double>::infinity()},
     {"NaN", std::numeric_limits<double>::quiet_NaN()}}};

// The text with each bare one of them quoted, behind `mark`; empty if there is none.
std::string quote_special_numbers(std::string_view text, std::string_view mark) {
  std::string out;
  bool in_string = false, any = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (in_string && c == '\\' && at + 1 < text.size()) {
      out += c;
      out += text[++at];
      continue;
    }
    if (c == '"') in_string = !in_string;
    const auto found =
        std::find_if(kSpecialNumbers.begin(), kSpecialNumbers.end(), [&](const auto& number) {
          return !in_string && text.substr(at, number.first.size()) == number.first;
        });
    if (found == kSpecialNumbers.end()) {
      out += c;
      continue;
    }
    out.append("\"").append(mark).append(found->first).append("\"");
    at += found->first.size() - 1;
    any = true;
  }
  return any ? out : "";
}

void restore_special_numbers(Json& root, const std::string& mark) {
  std::vector<Json*> left = {&root};  // No recursion: the text may nest as deep as it likes.
  while (!left.empty()) {
    Json& value = *left.back();
    left.pop_back();
    if (value.is_structured()) {
      for (Json& inner : value) left.push_back(&inner);
      continue;
    }
    if (!value.is_string()) continue;
    const std::string text = value.get<std::string>();
    if (!absl::StartsWith(text, mark)) continue;
    for (const auto& [name, number] : kSpecialNumbers) {
      if (std::string_view(text).substr(mark.size()) == name) value = number;
    }
  }
}

// As JSON, until the text is longer than `longest`; so this goes no deeper either.
void append_preview(std::string& text, const Json& value, std::size_t longest) {
  if (text.size() > longest) return;
  if (!value.is_structured()) {
    text += value.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
    return;
  }
  text += value.is_array() ? '[' : '{';
  bool first = true;
  for (auto each = value.begin(); each != value.end() && text.size() <= longest; ++each) {
    if (!std::exchange(first, false)) text += ',';
    if (value.is_object()) text += Json(each.key()).dump(-1, ' ', true) + ':';
    append_preview(text, *each, longest);
  }
  text += value.is_array() ? ']' : '}';
}

void write_plain(JsonWriter& out, const Json& value) {
  if (value.is_null()) return out.null();
  if (value.is_boolean()) return out.boolean(value.get<bool>());
  if (value.is_number_unsigned()) return out.unsigned_integer(value.get<std::uint64_t>());
  if (value.is_number_integer()) return out.integer(value.get<std::int64_t>());
  if (value.is_number()) return out.number(value.get<double>());
  out.string(value.get_ref<const std::string&>());
}

bool plain(unsigned char c) { return c >= 0x20 && c < 0x7F && c != '"' && c != '\\'; }

// The value, where the text is a plain string or whole number: most are, and the library takes ten
// times as long for one.
std::optional<Json> parse_scalar(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (std::all_of(inner.begin(), inner.end(), plain)) return Json(std::string(inner));
    return std::nullopt;
  }
  constexpr std::size_t kDigitsMax = 18;  // Fit into 64 bits whatever they are.
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  const bool whole = !digits.empty() && digits.size() <= kDigitsMax &&
                     std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) &&
                     (digits.front() != '0' || digits == text.substr(0, 1));
  if (!whole) return std::nullopt;
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value < 0 ? Json(value) : Json(static_cast<std::uint64_t>(value));
}

}  // namespace

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

void JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
}

void JsonWriter::begin_object() {
  separate();
  out_ += '{';
  first_ = true;
}

void JsonWriter::key(std::string_view name) {
  string(name);
  out_ += ':';
  first_ = true;
}

void JsonWriter::end_object() {
  out_ += '}';
  first_ = false;
}

void JsonWriter::begin_array() {
  separate();
  out_ += '[';
  first_ = true;
}

void JsonWriter::end_array() {
  out_ += ']';
  first_ = false;
}

void JsonWriter::null() {
  separate();
  out_ += "null";
}

void JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::integer(std::int64_t value) {
  separate();
  absl::StrAppend(&out_, value);
}

void JsonWriter::unsigned_integer(std::uint64_t value) {
  separate();
  absl::StrAppend(&out_, value);
}

void JsonWriter::number(double value) {
  separate();
  if (std::isnan(value)) {
    out_ += "NaN";
    return;
  }
  if (std::isinf(value)) {
    out_ += value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  std::array<char, 400> text;
  const double size = std::fabs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e16);  // As float.__repr__.
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(text.begin(), text.end(), value, format).ptr;
  const std::string_view written(text.data(), static_cast<std::size_t>(end - text.begin()));
  out_ += written;
  if (fixed && written.find('.') == std::string_view::npos) out_ += ".0";
}

void JsonWriter::string(std::string_view value) {
  separate();
  out_ += '"';
  for (std::size_t at = 0; at < value.size();) {
    std::size_t end = at;
    while (end < value.size() && plain(static_cast<unsigned char>(value[end]))) ++end;
    out_ += value.substr(at, end - at);
    at = end;
    if (at < value.size()) append_escaped(out_, next_code_point(value, at));
  }
  out_ += '"';
}

JsonKind JsonNode::kind() const {
  switch (json(value_).type()) {
    case Json::value_t::boolean:
      return JsonKind::kBoolean;
    case Json::value_t::number_integer:
      return JsonKind::kInteger;
    case Json::value_t::number_unsigned:
      return JsonKind::kUnsigned;
    case Json::value_t::number_float:
      return JsonKind::kNumber;
    case Json::value_t::string:
      return JsonKind::kString;
    case Json::value_t::array:
      return JsonKind::kArray;
    case Json::value_t::object:
      return JsonKind::kObject;
    default:
      return JsonKind::kNull;
  }
}

bool JsonNode::boolean() const { return json(value_).get<bool>(); }
std::int64_t JsonNode::integer() const { return json(value_).get<std::int64_t>(); }
std::uint64_t JsonNode::unsigned_integer() const { return json(value_).get<std::uint64_t>(); }
double JsonNode::number() const { return json(value_).get<double>(); }
std::string_view JsonNode::string() const { return json(value_).get_ref<const std::string&>(); }

std::size_t JsonNode::size() const {
  const Json& value = json(value_);
  return value.is_structured() ? value.size() : 0;
}

JsonNode JsonNode::at(std::size_t index) const { return JsonNode(&json(value_)[index]); }

void JsonNode::for_each(absl::FunctionRef<bool(std::string_view, JsonNode)> visit) const {
  for (const auto& [key, value] : json(value_).get_ref<const Json::object_t&>()) {
    if (!visit(key, JsonNode(&value))) return;
  }
}

std::string JsonNode::text() const {
  std::string text;
  JsonWriter out(text);
  struct Level {
    const Json* value;
    Json::const_iterator next;
  };
  std::vector<Level> levels;  // No recursion: the text may nest as deep as it likes.
  const auto begin = [&](const Json& value) {
    if (!value.is_structured()) return write_plain(out, value);
    value.is_array() ? out.begin_array() : out.begin_object();
    levels.push_back({&value, value.begin()});
  };
  begin(json(value_));
  while (!levels.empty()) {
    Level& level = levels.back();
    const bool array = level.value->is_array();
    if (level.next == level.value->end()) {
      array ? out.end_array() : out.end_object();
      levels.pop_back();
      continue;
    }
    if (!array) out.key(level.next.key());
    begin(*level.next++);
  }
  return text;
}

std::string JsonNode::preview() const {
  constexpr std::size_t kLongest = 40;
  std::string text;
  append_preview(text, json(value_), kLongest);
  if (text.size() > kLongest) {
    text.resize(kLongest);
    text += "...";
  }
  return text;
}

struct JsonDocument::Tree {
  Json root;
};

JsonDocument::JsonDocument(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

absl::StatusOr<JsonDocument> JsonDocument::parse(std::string_view text) {
  auto tree = std::make_unique<Tree>();
  if (std::optional<Json> scalar = parse_scalar(text)) {
    tree->root = *std::move(scalar);
    return JsonDocument(std::move(tree));
  }
  try {
    tree->root = Json::parse(text);
  } catch (const Json::exception& error) {
    std::string mark = "~number~";
    while (text.find(mark) != std::string_view::npos) mark += '~';
    const std::string quoted = quote_special_numbers(text, mark);
    if (!quoted.empty() && Json::accept(quoted)) {
      tree->root = Json::parse(quoted);
      restore_special_numbers(tree->root, mark);
      return JsonDocument(std::move(tree));
    }
    return absl::InvalidArgumentError(absl::StrCat("not valid JSON: ", error.what()));
  }
  return JsonDocument(std::move(tree));
}

JsonNode JsonDocument::root() const { return JsonNode(&tree_->root); }

}  // namespace chimera::core
