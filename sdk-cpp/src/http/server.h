// Server, a small HTTP/1.1 server for what is asked now and then. No slow client holds another up.
#ifndef CHIMERA_SDK_CPP_SRC_HTTP_SERVER_H_
#define CHIMERA_SDK_CPP_SRC_HTTP_SERVER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "sdk-cpp/src/http/message.h"

namespace chimera::http {

struct ServerOptions {
  std::string bind_address;  // HOST:PORT; port 0 takes a free one, no host means all interfaces.
  std::size_t max_body_bytes = std::size_t{16} << 20;  // Larger ones are answered with 413.
};

class Server {
 public:
  // Any of the server's threads, several at once. What it throws is answered with 500.
  using Handler = std::function<Reply(const Request&)>;

  // Listens when it returns. Throws std::invalid_argument for an address that is none, and
  // std::runtime_error when it cannot listen there.
  Server(const ServerOptions& options, Handler handler);
  ~Server();  // The handler has run for the last time. Any thread but its own.

  int port() const;

 private:
  class State;
  const std::unique_ptr<State> state_;
};

}  // namespace chimera::http

#endif  // CHIMERA_SDK_CPP_SRC_HTTP_SERVER_H_
