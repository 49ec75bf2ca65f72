// The out-of-line half of chimera/json.h: the text is core's, the paths in errors and the limit on
// depth are this one's.
#include "chimera/json.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "chimera/payload.h"
#include "core/base/utf8.h"
#include "core/converter/json.h"
#include "sdk-cpp/src/crash_report.h"

namespace chimera {
namespace {

// A JsonNode is one pointer; the public header keeps it as such.
static_assert(sizeof(core::JsonNode) == sizeof(const void*));
core::JsonNode node(const void* pointer) {
  core::JsonNode out = *reinterpret_cast<core::JsonNode*>(&pointer);
  return out;
}
const void* pointer(core::JsonNode node) { return *reinterpret_cast<const void**>(&node); }

// What a level of a struct's conversion takes of the stack, and what throwing takes, with a margin.
constexpr std::size_t kStackLeft = 24 * 1024;

// Null if one level more may be entered.
const char* too_deep(int depth) {
  static const std::string limit =
      absl::StrCat("it nests more than ", kJsonDepthMax, " levels deep");
  if (depth >= kJsonDepthMax) return limit.c_str();
  if (sdk::stack_left() < kStackLeft) return "it nests too deep for what is left of the stack";
  return nullptr;
}

// The beginning and the end of a path of hundreds of steps.
std::string shortened(const std::string& path) {
  constexpr std::size_t kLongest = 160, kPart = 70;
  if (path.size() <= kLongest) return path;
  return absl::StrCat(path.substr(0, kPart), " ... ", path.substr(path.size() - kPart));
}

// Where the text that ends here would go on: `items[1].quantity`. `first`: no comma is due.
std::string path_at_end(std::string_view text, bool first) {
  struct Level {
    bool object;
    std::string_view key;
    std::size_t index = 0;
  };
  std::vector<Level> levels;
  std::string_view last_string;
  for (std::size_t at = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"': {
        const std::size_t begin = ++at;
        while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
        last_string = text.substr(begin, at - begin);
        break;
      }
      case '{':
      case '[':
        levels.push_back({text[at] == '{', {}});
        break;
      case '}':
      case ']':
        levels.pop_back();
        break;
      case ':':
        levels.back().key = last_string;
        break;
      case ',':
        ++levels.back().index;
        break;
      default:
        break;
    }
  }
  if (!first && !levels.empty()) ++levels.back().index;
  std::string path;
  for (const Level& level : levels) {
    if (level.object) {
      absl::StrAppend(&path, path.empty() ? "" : ".", std::string(level.key));
    } else {
      absl::StrAppend(&path, "[", level.index, "]");
    }
  }
  return path;
}

[[noreturn]] void cannot_write(std::string_view text, bool first, const char* why) {
  throw NestingError(
      absl::StrCat(shortened(path_at_end(text, first)), ": cannot write this value: ", why));
}

[[noreturn]] void refuse_text(std::string_view written, bool first, const char* what) {
  const std::string where = shortened(path_at_end(written, first));
  throw ConversionError(absl::StrCat(where, where.empty() ? "" : ": ", "cannot write ", what,
                                     " that is not UTF-8; bytes travel as std::vector<std::byte>"));
}

// How deep the arrays and objects of a text in JSON nest.
int nesting(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++at;
    if (quoted) continue;
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
  }
  return deepest;
}

}  // namespace

// The writer's text is core's; this one only carries whether a comma is due.
#define CHIMERA_FORWARD(call)     \
  core::JsonWriter writer(*out_); \
  writer.set_first(first_);       \
  writer.call;                    \
  first_ = writer.first()
void JsonWriter::begin_object() {
  enter();
  CHIMERA_FORWARD(begin_object());
}
void JsonWriter::key(std::string_view name) {
  if (!base::is_utf8(name))
    refuse_text(std::string_view(*out_).substr(begin_), first_, "a member's name");
  CHIMERA_FORWARD(key(name));
}
void JsonWriter::end_object() {
  --depth_;
  CHIMERA_FORWARD(end_object());
}
void JsonWriter::begin_array() {
  enter();
  CHIMERA_FORWARD(begin_array());
}
void JsonWriter::end_array() {
  --depth_;
  CHIMERA_FORWARD(end_array());
}
void JsonWriter::null() { CHIMERA_FORWARD(null()); }
void JsonWriter::boolean(bool value) { CHIMERA_FORWARD(boolean(value)); }
void JsonWriter::integer(std::int64_t value) { CHIMERA_FORWARD(integer(value)); }
void JsonWriter::unsigned_integer(std::uint64_t value) { CHIMERA_FORWARD(unsigned_integer(value)); }
void JsonWriter::number(double value) { CHIMERA_FORWARD(number(value)); }
void JsonWriter::string(std::string_view value) {
  if (!base::is_utf8(value)) refuse_text(std::string_view(*out_).substr(begin_), first_, "a text");
  CHIMERA_FORWARD(string(value));
}

void JsonWriter::payload(const Payload& value) {
  const auto found = value.metadata.find("encoding");
  const std::string encoding = found == value.metadata.end() ? "" : found->second;
  if (encoding == "binary/null") return null();
  const auto refuse = [this](const std::string& why) {
    const std::string where =
        shortened(path_at_end(std::string_view(*out_).substr(begin_), first_));
    throw ConversionError(absl::StrCat(where, where.empty() ? "" : ": ", why));
  };
  if (encoding != "json/plain") {
    refuse(absl::StrCat("a payload of '", encoding,
                        "' cannot stand inside JSON; to_payload() must give json/plain or "
                        "binary/null there"));
  }
  if (const auto parsed = core::JsonDocument::parse(value.data); !parsed.ok())
    refuse(absl::StrCat("to_payload() gave no JSON: ", std::string(parsed.status().message())));
  if (const char* why = too_deep(depth_ + nesting(value.data) - 1))
    cannot_write(std::string_view(*out_).substr(begin_), first_, why);
  CHIMERA_FORWARD(raw(value.data));
}
#undef CHIMERA_FORWARD

void JsonWriter::enter() {
  if (const char* why = too_deep(depth_))
    cannot_write(std::string_view(*out_).substr(begin_), first_, why);
  ++depth_;
}

struct JsonText::State {
  core::JsonDocument document;
};

JsonText::JsonText(std::string_view text) {
  auto document = core::JsonDocument::parse(text);
  if (!document.ok()) throw ConversionError(std::string(document.status().message()));
  state_ = std::make_unique<State>(State{*std::move(document)});
}
JsonText::~JsonText() = default;
JsonReader JsonText::root() const { return JsonReader(pointer(state_->document.root()), nullptr); }

std::string JsonReader::path() const {
  std::vector<const JsonReader*> steps;  // No recursion: the stack may be short.
  for (const JsonReader* at = this; at->parent_ != nullptr; at = at->parent_) steps.push_back(at);
  std::string path;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if ((*step)->key_.data() == nullptr) {
      absl::StrAppend(&path, "[", (*step)->index_, "]");
    } else {
      absl::StrAppend(&path, path.empty() ? "" : ".", std::string((*step)->key_));
    }
  }
  return path;
}

void JsonReader::enter() const {
  if (const char* why = too_deep(depth_))
    throw NestingError(absl::StrCat(shortened(path()), ": cannot read this value: ", why));
}

void JsonReader::fail(std::string_view expected) const {
  refuse(absl::StrCat("expected ", std::string(expected), ", got ", node(node_).preview()));
}

void JsonReader::refuse(std::string_view why) const {
  const std::string where = shortened(path());
  throw ConversionError(absl::StrCat(where, where.empty() ? "" : ": ", std::string(why)));
}

Payload JsonReader::payload() const {
  if (is_null()) return {.metadata = {{"encoding", "binary/null"}}, .data = {}};
  return {.metadata = {{"encoding", "json/plain"}}, .data = node(node_).text()};
}

bool JsonReader::is_null() const { return node(node_).kind() == core::JsonKind::kNull; }
bool JsonReader::is_string() const { return node(node_).kind() == core::JsonKind::kString; }

bool JsonReader::boolean() const {
  if (node(node_).kind() != core::JsonKind::kBoolean) fail("true or false");
  return node(node_).boolean();
}

std::int64_t JsonReader::integer(std::int64_t min, std::int64_t max) const {
  const core::JsonNode value = node(node_);
  std::int64_t number = 0;
  if (value.kind() == core::JsonKind::kInteger) {
    number = value.integer();
  } else if (value.kind() == core::JsonKind::kUnsigned) {
    if (value.unsigned_integer() > static_cast<std::uint64_t>(max))
      fail(absl::StrCat("at most ", max));
    number = static_cast<std::int64_t>(value.unsigned_integer());
  } else if (value.kind() == core::JsonKind::kNumber && value.number() >= -9e15 &&
             value.number() <= 9e15 &&
             value.number() == static_cast<double>(static_cast<std::int64_t>(value.number()))) {
    number = static_cast<std::int64_t>(value.number());  // 3.0, as other languages may write it.
  } else {
    fail("integer");
  }
  if (number < min || number > max) fail(absl::StrCat("an integer from ", min, " to ", max));
  return number;
}

std::uint64_t JsonReader::unsigned_integer(std::uint64_t max) const {
  const core::JsonNode value = node(node_);
  if (value.kind() == core::JsonKind::kUnsigned) {
    if (value.unsigned_integer() > max) fail(absl::StrCat("an integer up to ", max));
    return value.unsigned_integer();
  }
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const auto most =
      max > static_cast<std::uint64_t>(kMost) ? kMost : static_cast<std::int64_t>(max);
  return static_cast<std::uint64_t>(integer(0, most));
}

double JsonReader::number() const {
  const core::JsonKind kind = node(node_).kind();
  if (kind != core::JsonKind::kNumber && kind != core::JsonKind::kInteger &&
      kind != core::JsonKind::kUnsigned) {
    fail("number");
  }
  return node(node_).number();
}

std::string_view JsonReader::string() const {
  if (!is_string()) fail("string");
  return node(node_).string();
}

std::size_t JsonReader::array_size() const {
  if (node(node_).kind() != core::JsonKind::kArray) fail("array");
  enter();
  return node(node_).size();
}

JsonReader JsonReader::element(std::size_t index) const {
  JsonReader child(pointer(node(node_).at(index)), this);
  child.index_ = index;
  return child;
}

void JsonReader::object(Visit visit, void* context) const {
  if (node(node_).kind() != core::JsonKind::kObject) fail("object");
  enter();
  node(node_).for_each([&](std::string_view key, core::JsonNode value) {
    JsonReader child(pointer(value), this);
    child.key_ = key;
    visit(context, key, child);
    return true;
  });
}

}  // namespace chimera
