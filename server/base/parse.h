// Reading of messages that clients may have nested deeper than protobuf's default allows, as chains
// of failures are: they are cut later, which takes that they are read first. Any thread.
#ifndef CHIMERA_SERVER_BASE_PARSE_H_
#define CHIMERA_SERVER_BASE_PARSE_H_

#include "absl/strings/string_view.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/message_lite.h"

namespace chimera::server {

// Levels of messages. Each costs some 200 bytes of stack when it is read, copied or let go.
inline constexpr int kDepthMax = 2000;

inline bool parse_deep(google::protobuf::io::ZeroCopyInputStream& stream,
                       google::protobuf::MessageLite& message) {
  google::protobuf::io::CodedInputStream input(&stream);
  input.SetRecursionLimit(kDepthMax);
  return message.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

inline bool parse_deep(absl::string_view bytes, google::protobuf::MessageLite& message) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                               static_cast<int>(bytes.size()));
  input.SetRecursionLimit(kDepthMax);
  return message.ParseFromCodedStream(&input) && input.ConsumedEntireMessage();
}

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_BASE_PARSE_H_
