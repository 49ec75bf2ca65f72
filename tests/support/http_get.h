// What an HTTP server on this machine answers, header and all, for tests.
#ifndef CHIMERA_TESTS_SUPPORT_HTTP_GET_H_
#define CHIMERA_TESTS_SUPPORT_HTTP_GET_H_

#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace chimera::testing {

// A connection to a port of this machine. Used by one thread.
class TcpConnection {
 public:
  explicit TcpConnection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  ~TcpConnection() { close(fd_); }
  TcpConnection(const TcpConnection&) = delete;

  void send(const std::string& text) {
    EXPECT_EQ(write(fd_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  // Until the server closes.
  std::string rest() {
    std::string all;
    char buffer[4096];
    for (ssize_t size; (size = read(fd_, buffer, sizeof buffer)) > 0;)
      all.append(buffer, static_cast<std::size_t>(size));
    return all;
  }

 private:
  const int fd_;
};

inline std::string http_get(int port, const std::string& path) {
  TcpConnection connection(port);
  connection.send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  return connection.rest();
}

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_SUPPORT_HTTP_GET_H_
