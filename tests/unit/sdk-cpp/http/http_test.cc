// The client and the server against each other, and the server against what is no client.
#include <latch>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sdk-cpp/src/http/client.h"
#include "sdk-cpp/src/http/server.h"
#include "tests/support/http_get.h"

namespace chimera::http {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using testing::TcpConnection;

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

std::string failure_of(const std::function<void()>& code) {
  try {
    code();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

Reply echo(const Request& request) {
  return {.status = 201,
          .headers = {{"X-Path", request.path}, {"X-Named", request.header("x-name")}},
          .body = request.body};
}

std::string url(const Server& server, const std::string& path = "/") {
  return "http://127.0.0.1:" + std::to_string(server.port()) + path;
}

TEST(UrlTest, ReadsWhatIsOne) {
  const Url plain = parse_url("http://collector/v1/traces?a=b#c", "endpoint");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host_and_port(), "collector:80");
  EXPECT_EQ(plain.target, "/v1/traces?a=b");
  const Url six = parse_url("https://[::1]:4318", "endpoint");
  EXPECT_TRUE(six.tls);
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.host_and_port(), "[::1]:4318");
  EXPECT_EQ(six.target, "/");
  EXPECT_EQ(parse_url("https://collector", "endpoint").port, "443");
  EXPECT_EQ(percent_decoded("a%20b%2"), "a b%2");
}

TEST(UrlTest, RefusesWhatIsNoneAndNamesTheOption) {
  for (const char* wrong : {"", "localhost:4318", "ftp://a", "http://", "http://:80", "http://a:b",
                            "http://a:70000", "http://a b/", "http://::1/", "http://u:p@a/"}) {
    const std::string said = failure_of([&] { parse_url(wrong, "Options::endpoint"); });
    EXPECT_THAT(said, StartsWith("Options::endpoint")) << wrong;
    EXPECT_THAT(said, Not(HasSubstr("u:p")));
  }
  EXPECT_THAT(failure_of([] { check_headers({{"a b", "c"}}, "h"); }),
              HasSubstr("no header's name"));
  EXPECT_THAT(failure_of([] { check_headers({{"a", "b\r\nc: d"}}, "h"); }), HasSubstr("control"));
  EXPECT_THAT(failure_of([] { check_headers({{"Host", "b"}}, "h"); }), HasSubstr("set already"));
}

TEST(HttpTest, ARequestGoesThereAndItsReplyComesBack) {
  Server server({.bind_address = "127.0.0.1:0"}, echo);
  Client client(parse_url(url(server, "/a/b?c"), "url"), {{"X-Name", "value"}});
  const std::string body = std::string(100'000, 'x') + std::string(1, '\0');
  for (int i = 0; i < 3; ++i) {
    const Reply reply = client.post(body, "text/plain", in(10s));
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.headers.at("x-path"), "/a/b");
    EXPECT_EQ(reply.headers.at("x-named"), "value");
    EXPECT_EQ(reply.body, body);
  }
}

TEST(HttpTest, WhatFailsSaysWhere) {
  int port = 0;
  {
    Server server({.bind_address = "127.0.0.1:0"}, echo);
    port = server.port();
    EXPECT_THAT(failure_of([&] {
                  Server second({.bind_address = "127.0.0.1:" + std::to_string(port)}, echo);
                }),
                AllOf(HasSubstr("cannot listen on 127.0.0.1:"), HasSubstr("in use")));
  }
  Client gone(parse_url("http://127.0.0.1:" + std::to_string(port), "url"), {});
  EXPECT_THAT(failure_of([&] { gone.post("", "text/plain", in(10s)); }),
              AllOf(HasSubstr("connecting to 127.0.0.1:"), HasSubstr("refused")));
  EXPECT_THAT(failure_of([] { Server server({.bind_address = "here"}, echo); }),
              HasSubstr("bind_address \"here\": there is no port"));
}

TEST(HttpTest, AServerThatDoesNotAnswerIsLeftAtTheDeadlineOrWhenItIsGivenUp) {
  std::latch asked(1), done(1);
  Server server({.bind_address = "127.0.0.1:0"}, [&](const Request&) {
    asked.count_down();
    done.wait();
    return Reply{};
  });
  Client client(parse_url(url(server), "url"), {});
  EXPECT_EQ(failure_of([&] { client.post("", "text/plain", in(50ms)); }),
            "reading the reply: no answer in time");
  asked.wait();
  Client other(parse_url(url(server), "url"), {});
  std::thread impatient([&] { other.give_up(); });
  EXPECT_THAT(failure_of([&] { other.post("", "text/plain", in(1h)); }), HasSubstr("given up"));
  impatient.join();
  EXPECT_THAT(failure_of([&] { other.post("", "text/plain", in(1h)); }), HasSubstr("given up"));
  done.count_down();
}

TEST(HttpTest, HttpsIsNotSpokenWithWhoHasNoCertificate) {
  Server server({.bind_address = "127.0.0.1:0"}, echo);
  Client client(parse_url("https://127.0.0.1:" + std::to_string(server.port()), "url"), {});
  EXPECT_THAT(failure_of([&] { client.post("", "text/plain", in(10s)); }),
              StartsWith("TLS with 127.0.0.1:"));
}

TEST(HttpTest, WhatIsNoRequestIsTurnedAway) {
  Server server({.bind_address = "127.0.0.1:0", .max_body_bytes = 10}, echo);
  const auto said = [&](const std::string& text) {
    TcpConnection connection(server.port());
    connection.send(text);
    return connection.rest();
  };
  EXPECT_THAT(said("nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(said("POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n01234567890"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(said("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0"
                   "\r\n\r\n"),
              StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(said("GET / HTTP/1.1\r\nX: " + std::string(70'000, 'x') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(said("POST / HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n"
                   "Content-Length: 3\r\n\r\nabc"),
              AllOf(StartsWith("HTTP/1.1 100"), HasSubstr("HTTP/1.1 201"), HasSubstr("abc")));
}

TEST(HttpTest, WhatAHandlerThrowsIs500AndTheServerGoesOn) {
  Server server({.bind_address = "127.0.0.1:0"}, [](const Request& request) -> Reply {
    if (request.body == "bad") throw std::runtime_error("secret");
    return {.body = "fine"};
  });
  Client client(parse_url(url(server), "url"), {});
  const Reply failed = client.post("bad", "text/plain", in(10s));
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(failed.body, Not(HasSubstr("secret")));
  EXPECT_EQ(client.post("good", "text/plain", in(10s)).body, "fine");
}

TEST(HttpTest, SilentClientsHoldNobodyUp) {
  Server server({.bind_address = "127.0.0.1:0"}, echo);
  std::vector<std::unique_ptr<TcpConnection>> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(std::make_unique<TcpConnection>(server.port()));
  Client client(parse_url(url(server), "url"), {});
  EXPECT_EQ(client.post("a", "text/plain", in(10s)).body, "a");
}

}  // namespace
}  // namespace chimera::http
