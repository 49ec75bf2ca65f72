#include "core/telemetry/metrics_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_get.h"

namespace chimera::core {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class MetricsServerTest : public ::testing::Test {
 protected:
  std::string get(const std::string& path) { return testing::http_get(server_->port(), path); }

  Metrics metrics_;
  Health health_;
  std::unique_ptr<MetricsServer> server_ = *MetricsServer::start("127.0.0.1:0", metrics_, health_);
};

TEST_F(MetricsServerTest, ServesTheMetricsAsTheyAreNow) {
  Counter* counter = *metrics_.counter("seen", "Things seen", {});
  EXPECT_THAT(get("/metrics"), HasSubstr("\nseen 0\n"));
  counter->add(2);

  std::string text = get("/metrics?x=1");

  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(text, HasSubstr("\nseen 2\n"));
}

// Kubernetes reads the code: ready only while every worker is, alive unless one hangs.
TEST_F(MetricsServerTest, ProbesAskEveryPart) {
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 "));
  std::string trouble;
  auto well = [] { return std::string(); };
  int id = health_.add("worker orders", well, [&] { return trouble; });
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));

  trouble = "draining";
  std::string not_ready = get("/readyz");

  EXPECT_THAT(not_ready, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(not_ready, HasSubstr("worker orders: draining\n"));
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
  health_.remove(id);
}

TEST_F(MetricsServerTest, SaysWhatThereIs) {
  EXPECT_THAT(get("/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(get("/"), HasSubstr("/metrics, /livez and /readyz"));
  testing::TcpConnection post(server_->port());
  post.send("POST /metrics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(post.rest(), StartsWith("HTTP/1.1 405 "));
}

// Otherwise one connection without a request would fail the next liveness probe.
TEST_F(MetricsServerTest, AClientThatSaysNothingHoldsUpNobody) {
  testing::TcpConnection silent(server_->port());
  testing::TcpConnection slow(server_->port());
  slow.send("GET /met");

  EXPECT_THAT(get("/metrics"), StartsWith("HTTP/1.1 200 "));
  slow.send("rics HTTP/1.1\r\n\r\n");
  EXPECT_THAT(slow.rest(), StartsWith("HTTP/1.1 200 "));
}

TEST_F(MetricsServerTest, ARequestWithoutEndIsCutOff) {
  testing::TcpConnection endless(server_->port());

  endless.send("GET /" + std::string(9000, 'x'));

  EXPECT_THAT(endless.rest(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(MetricsServerTest, RefusesAddressesAndSaysWhatToDo) {
  auto refusal = [this](const std::string& address) {
    return std::string(MetricsServer::start(address, metrics_, health_).status().message());
  };

  EXPECT_THAT(refusal("9464"), HasSubstr("\"9464\": there is no port; give HOST:PORT"));
  EXPECT_THAT(refusal("localhost:http"), HasSubstr("\"http\" is no port"));
  EXPECT_THAT(refusal("127.0.0.1:" + std::to_string(server_->port())),
              HasSubstr("another process or runtime listens there"));
}

}  // namespace
}  // namespace chimera::core
