// CodecServer, the HTTP endpoint that the Web UI and the CLI (--codec-endpoint) ask to decode what
// codecs have encoded: POST /encode and /decode of JSON payloads, the namespace in X-Namespace or
// before them in the path (/NAMESPACE/decode).
//
//   chimera::CodecServer server({.codec = my_codec, .allowed_origins = {"http://localhost:8233"}});
#ifndef CHIMERA_CODEC_SERVER_H_
#define CHIMERA_CODEC_SERVER_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "chimera/codec.h"
#include "chimera/external_storage.h"

namespace chimera {

struct CodecRequest {
  std::string namespace_;                      // Empty: the caller named none.
  std::string authorization;                   // The header's value; empty: there was none.
  std::map<std::string, std::string> headers;  // All, by names in lower case.
  bool decode;                                 // Otherwise it asks to encode.
};

struct CodecServerOptions {
  std::string bind_address = "127.0.0.1:8081";     // HOST:PORT; port 0 takes a free one.
  std::shared_ptr<const PayloadCodec> codec = {};  // For every namespace that has none of its own.
  std::map<std::string, std::shared_ptr<const PayloadCodec>> codecs = {};  // By namespace.
  // Browsers' pages that may ask (the Web UI's): "http://localhost:8233". Others are refused. "*"
  // is any page that its user opens, and without the credentials of the user.
  std::vector<std::string> allowed_origins = {};
  // Whether this caller may; false is answered with 403. Any thread, several at once. Empty: all.
  std::function<bool(const CodecRequest&)> authorize = {};
  ExternalStorage external_storage = {};  // What its drivers keep is read before it is decoded.
  std::size_t max_request_bytes = std::size_t{16} << 20;
};

// Serves on threads of its own for as long as it lives. What a codec throws is answered with 400
// and its text, for all payloads of the request; a namespace without a codec with 404. Any thread.
class CodecServer {
 public:
  // Throws std::invalid_argument for an option that is wrong, std::runtime_error, saying what to
  // change, when it cannot listen.
  explicit CodecServer(const CodecServerOptions& options);
  ~CodecServer();
  CodecServer(const CodecServer&) = delete;
  CodecServer& operator=(const CodecServer&) = delete;

  int port() const;
  std::string endpoint() const;  // "http://127.0.0.1:8081"

 private:
  class State;
  const std::unique_ptr<State> state_;
};

}  // namespace chimera

#endif  // CHIMERA_CODEC_SERVER_H_
