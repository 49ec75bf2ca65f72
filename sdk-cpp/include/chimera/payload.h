// Payload, a converted value as it travels, and the two ends of a conversion: PayloadSink, which a
// value is written into, and PayloadSource, which one is read from. Sinks and sources borrow; they
// live as long as the call that got them.
#ifndef CHIMERA_PAYLOAD_H_
#define CHIMERA_PAYLOAD_H_

#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace chimera {

// A value that stays as it came: an argument or result of this type passes through unconverted.
struct Payload {
  std::map<std::string, std::string> metadata;
  std::string data;
};

// A value and a type that do not fit each other. Says where in the value, what was expected and
// what was there.
class ConversionError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};
// A value that nests deeper than JSON of this SDK may, or than the stack has room for.
class NestingError : public ConversionError {
 public:
  using ConversionError::ConversionError;
};

class PayloadSink {
 public:
  explicit PayloadSink(void* payload) : payload_(payload) {}
  void set_null();
  void set_bytes(std::string_view bytes);
  void set(const Payload& payload);
  void set_message(const google::protobuf::Message& message);  // json/protobuf
  std::string& json();                                         // json/plain; append the text.

 private:
  void* payload_;
};

class PayloadSource {
 public:
  explicit PayloadSource(const void* payload) : payload_(payload) {}
  std::string_view encoding() const;  // "json/plain", "binary/null", ...
  std::string_view data() const;
  Payload get() const;
  void get_message(google::protobuf::Message& message) const;
  std::string describe() const;  // For error messages: "json/plain, 17 bytes".

 private:
  const void* payload_;
};

// The arguments that a handler was called with.
class PayloadList {
 public:
  explicit PayloadList(const void* payloads) : payloads_(payloads) {}
  std::size_t size() const;
  PayloadSource operator[](std::size_t index) const;

 private:
  const void* payloads_;  // Null: none.
};

}  // namespace chimera

#endif  // CHIMERA_PAYLOAD_H_
