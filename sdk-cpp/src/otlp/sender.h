// Sender, which brings reports to a collector by OTLP over HTTP, and what reporters have in common.
#ifndef CHIMERA_SDK_CPP_SRC_OTLP_SENDER_H_
#define CHIMERA_SDK_CPP_SRC_OTLP_SENDER_H_

#include <chrono>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "google/protobuf/message.h"

#include "chimera_otlp/common/v1/common.pb.h"
#include "sdk-cpp/src/http/client.h"

namespace chimera::otlp {

namespace proto = ::chimera_otlp;

// Used by one thread, but for give_up().
class Sender {
 public:
  // Throws std::invalid_argument, naming the option, which `options` is the prefix of.
  Sender(const std::string& options, const std::string& endpoint, const http::Headers& headers,
         std::chrono::milliseconds timeout);

  // Tries again what OTLP says may be tried again (429, 502, 503, 504, no connection), until the
  // timeout. Empty: taken, and `reply` is what the collector said. Otherwise why not.
  std::string send(const google::protobuf::Message& report, google::protobuf::Message& reply);
  // send() returns soon, now and from now on. Any thread; once.
  void give_up();

 private:
  const std::string endpoint_;
  const std::chrono::milliseconds timeout_;
  http::Client client_;
  absl::Notification gave_up_;
};

// Nothing: the header does not say. Seconds, or a date (RFC 9110, 10.2.3).
std::chrono::milliseconds retry_after(const std::string& header);

void set(proto::common::v1::KeyValue& attribute, const std::string& name, const std::string& text);
// telemetry.sdk.* and the scope that all we report has.
template <class Resource>
void set_sdk(Resource& resource) {
  set(*resource.add_attributes(), "telemetry.sdk.name", "chimera");
  set(*resource.add_attributes(), "telemetry.sdk.language", "cpp");
  set(*resource.add_attributes(), "telemetry.sdk.version", CHIMERA_VERSION);
}

std::uint64_t nanoseconds(std::chrono::system_clock::time_point time);

// What has something to send before the process ends.
class Ending {
 public:
  virtual ~Ending() = default;
  virtual void end() = 0;  // Bounded in time; any thread, and it may have ended already.
};
// end() is called when the process exits in order, if it still lives then.
void end_with_process(const std::shared_ptr<Ending>& what);

}  // namespace chimera::otlp

#endif  // CHIMERA_SDK_CPP_SRC_OTLP_SENDER_H_
