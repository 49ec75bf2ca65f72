// FakeTransport, a server that says what the test wants: calls wait until the test answers them.
// One thread.
#ifndef CHIMERA_TESTS_SUPPORT_FAKE_TRANSPORT_H_
#define CHIMERA_TESTS_SUPPORT_FAKE_TRANSPORT_H_

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/transport.h"

namespace chimera::testing {

class FakeTransport : public base::Transport {
 public:
  struct Call {
    std::string method, request;  // Serialized.
    base::RpcMetadata metadata;
    std::chrono::nanoseconds timeout{};
    base::RpcCall rpc;
    bool cancelled = false;

    std::string header(std::string_view name) const {
      for (const auto& [key, value] : metadata) {
        if (key == name) return value;
      }
      return "";
    }
    void answer(const google::protobuf::MessageLite& reply) {
      std::string bytes = reply.SerializeAsString();
      if (auto* message = std::get_if<google::protobuf::MessageLite*>(&rpc.response)) {
        (*message)->ParseFromString(bytes);
      } else {
        *std::get<std::string*>(rpc.response) = bytes;
      }
      finish(absl::OkStatus());
    }
    void finish(absl::Status status) {
      auto done = std::move(rpc.done);
      std::move(done)(std::move(status));
    }
  };

  // What the caller gets: it does not keep the call, which has the caller's callback.
  struct InFlight : base::RpcInFlight {
    std::weak_ptr<Call> call;

    void cancel() override {
      if (auto kept = call.lock()) kept->cancelled = true;
    }
  };

  std::shared_ptr<base::RpcInFlight> start(base::RpcCall rpc) override {
    auto call = std::make_shared<Call>();
    call->method = std::string(rpc.method);
    auto* message = std::get_if<const google::protobuf::MessageLite*>(&rpc.request);
    call->request =
        message ? (*message)->SerializeAsString() : std::move(std::get<std::string>(rpc.request));
    call->metadata = rpc.metadata;
    call->timeout = rpc.timeout;
    call->rpc = std::move(rpc);
    calls.push_back(call);
    ++started;
    auto in_flight = std::make_shared<InFlight>();
    in_flight->call = call;
    last_in_flight = in_flight;
    return in_flight;
  }

  // The oldest call that was not taken yet; null when there is none.
  std::shared_ptr<Call> take() {
    if (calls.empty()) return nullptr;
    auto call = calls.front();
    calls.pop_front();
    return call;
  }

  std::deque<std::shared_ptr<Call>> calls;
  std::weak_ptr<base::RpcInFlight> last_in_flight;
  int started = 0;
};

}  // namespace chimera::testing

#endif  // CHIMERA_TESTS_SUPPORT_FAKE_TRANSPORT_H_
