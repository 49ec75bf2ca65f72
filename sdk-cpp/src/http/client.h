// Client, which posts to one URL, over https with the system's roots. Used by one thread, but for
// give_up().
#ifndef CHIMERA_SDK_CPP_SRC_HTTP_CLIENT_H_
#define CHIMERA_SDK_CPP_SRC_HTTP_CLIENT_H_

#include <chrono>
#include <memory>
#include <string>

#include "sdk-cpp/src/http/message.h"

namespace chimera::http {

class Client {
 public:
  // The headers go with each request.
  Client(Url url, Headers headers);
  ~Client();

  // Any status is a reply. Throws std::runtime_error, saying what it was about to do, for what
  // failed before there was one, which includes the deadline.
  Reply post(const std::string& body, const std::string& content_type,
             std::chrono::steady_clock::time_point deadline);
  // What is under way, and all that comes, throws. Any thread.
  void give_up();

 private:
  class State;
  const std::unique_ptr<State> state_;
};

}  // namespace chimera::http

#endif  // CHIMERA_SDK_CPP_SRC_HTTP_CLIENT_H_
