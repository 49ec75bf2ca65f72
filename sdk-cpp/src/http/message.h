// What HTTP's client and server here speak of.
#ifndef CHIMERA_SDK_CPP_SRC_HTTP_MESSAGE_H_
#define CHIMERA_SDK_CPP_SRC_HTTP_MESSAGE_H_

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace chimera::http {

using Headers =
    std::map<std::string, std::string>;  // Names in lower case where they were received.

struct Request {
  std::string method;
  std::string path;  // Without a query; as it was sent.
  Headers headers = {};
  std::string body = {};

  std::string header(const std::string& name) const {  // Empty: there is none.
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

struct Reply {
  int status = 200;
  Headers headers = {};
  std::string body = {};
};

struct Url {
  bool tls = false;
  std::string host;  // Of IPv6 without brackets.
  std::string port;
  std::string target;  // "/v1/traces"

  std::string host_and_port() const;
};

// These throw std::invalid_argument; `option` is where the text came from.
Url parse_url(const std::string& text, const std::string& option);  // http and https.
// "127.0.0.1:80", "[::1]:80", ":80" (an empty host).
std::pair<std::string, std::string> split_address(const std::string& text,
                                                  const std::string& option);
void check_headers(const Headers& headers, const std::string& option);

// Of %XX; what is none stays.
std::string percent_decoded(std::string_view text);

}  // namespace chimera::http

#endif  // CHIMERA_SDK_CPP_SRC_HTTP_MESSAGE_H_
