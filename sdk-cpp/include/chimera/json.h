// The JSON side of the converter, without a JSON library: what conversions write to and read from.
#ifndef CHIMERA_JSON_H_
#define CHIMERA_JSON_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace chimera {

struct Payload;

// How deep arrays and objects may nest, in writing and in reading.
inline constexpr int kJsonDepthMax = 300;

// Appends JSON text: compact, ASCII, byte for byte what Python's converter writes. Keys must come
// in sorted order. begin_object() and begin_array() throw NestingError.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(&out), begin_(out.size()) {}
  void begin_object();
  void key(std::string_view name);
  void end_object();
  void begin_array();
  void end_array();
  void null();
  void boolean(bool value);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void number(double value);
  void string(std::string_view value);
  // What a type's own conversion gave. Throws ConversionError unless that is JSON or null.
  void payload(const Payload& value);

 private:
  void enter();

  std::string* out_;
  std::size_t begin_;  // Of this text in *out_.
  int depth_ = 0;
  bool first_ = true;
};

// One value of a parsed text. It knows its way from the root, so that an error can name it:
// `items[1].quantity`.
class JsonReader {
 public:
  bool is_null() const;
  bool is_string() const;
  bool boolean() const;  // Throws ConversionError if the value is something else, as do all below.
  std::int64_t integer(std::int64_t min, std::int64_t max) const;
  std::uint64_t unsigned_integer(std::uint64_t max) const;
  double number() const;
  std::string_view string() const;
  std::size_t array_size() const;
  JsonReader element(std::size_t index) const;  // Refers to *this.
  using Visit = void (*)(void* context, std::string_view key, const JsonReader& value);
  void object(Visit visit, void* context) const;
  // Inside more than kJsonDepthMax others, array_size() and object() throw NestingError.
  [[noreturn]] void fail(std::string_view expected) const;
  // What a type's own conversion is given: json/plain, or binary/null.
  Payload payload() const;
  // Throws ConversionError: what is wrong here, as another conversion has said it.
  [[noreturn]] void refuse(std::string_view why) const;

 private:
  friend class JsonText;
  JsonReader(const void* node, const JsonReader* parent)
      : node_(node), parent_(parent), depth_(parent == nullptr ? 0 : parent->depth_ + 1) {}
  std::string path() const;
  void enter() const;

  const void* node_;
  const JsonReader* parent_;
  std::string_view key_;
  std::size_t index_ = 0;
  int depth_;
};

// A parsed text. Throws ConversionError if it is not JSON.
class JsonText {
 public:
  explicit JsonText(std::string_view text);
  ~JsonText();
  JsonText(const JsonText&) = delete;
  JsonText& operator=(const JsonText&) = delete;
  JsonReader root() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chimera

#endif  // CHIMERA_JSON_H_
