// JSON without a JSON library in the header: JsonWriter appends text, JsonDocument parses it and
// JsonNode looks inside. The text is the one that Python's json.dumps(value, separators=(",", ":"),
// sort_keys=True) writes, so that both languages put the same bytes on the wire; the caller writes
// an object's keys in sorted order. Not thread safe; a JsonNode lives no longer than its document.
#ifndef CHIMERA_CORE_CONVERTER_JSON_H_
#define CHIMERA_CORE_CONVERTER_JSON_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

namespace chimera::core {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object();
  void key(std::string_view name);
  void end_object();
  void begin_array();
  void end_array();
  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);  // As Python's repr: shortest digits, "1.0", "1e+16", NaN, Infinity.
  // Invalid UTF-8 is written as U+FFFD.
  void string(std::string_view value);
  void raw(std::string_view json);  // A value that is JSON already.

  // For whoever carries a writer's state elsewhere: no comma is due before the next value.
  bool first() const { return first_; }
  void set_first(bool first) { first_ = first; }

 private:
  void separate();

  std::string& out_;
  bool first_ = true;  // No comma before the next value.
};

enum class JsonKind { kNull, kBoolean, kInteger, kUnsigned, kNumber, kString, kArray, kObject };

// A value inside a JsonDocument; as cheap to copy as a pointer.
class JsonNode {
 public:
  JsonKind kind() const;
  bool boolean() const;                    // Requires kind() == kBoolean, and so on.
  std::int64_t integer() const;            // kInteger: negative values.
  std::uint64_t unsigned_integer() const;  // kUnsigned: zero and above.
  double number() const;                   // Any of the three number kinds.
  std::string_view string() const;
  std::size_t size() const;              // Of an array or object; 0 otherwise.
  JsonNode at(std::size_t index) const;  // Of an array.
  // Of an object; stops when visit returns false.
  void for_each(absl::FunctionRef<bool(std::string_view key, JsonNode value)> visit) const;
  // The value as JSON, shortened for an error message: `"three"`, `[1,2,...`.
  std::string preview() const;
  // The value as JsonWriter would write it.
  std::string text() const;

 private:
  friend class JsonDocument;
  explicit JsonNode(const void* value) : value_(value) {}
  const void* value_;
};

class JsonDocument {
 public:
  // The error says where the text stops being JSON. NaN, Infinity and -Infinity are numbers, as
  // in Python's json.
  static absl::StatusOr<JsonDocument> parse(std::string_view text);
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  JsonNode root() const;

 private:
  struct Tree;
  explicit JsonDocument(std::unique_ptr<Tree> tree);
  std::unique_ptr<Tree> tree_;
};

}  // namespace chimera::core

#endif  // CHIMERA_CORE_CONVERTER_JSON_H_
