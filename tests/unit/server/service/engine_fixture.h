// A server whose parts the test can look into: its loop and engine, with calls through the local
// transport, on a clock that the test moves and a store that counts what it is given.
#ifndef CHIMERA_TESTS_UNIT_SERVER_SERVICE_ENGINE_FIXTURE_H_
#define CHIMERA_TESTS_UNIT_SERVER_SERVICE_ENGINE_FIXTURE_H_

#include <atomic>
#include <future>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/api.h"
#include "server/engine/engine.h"
#include "server/engine/matched/query.h"
#include "server/engine/run/update.h"
#include "server/service/dispatcher.h"
#include "server/service/local_transport.h"

namespace chimera::server {

class MovedClock : public base::Clock {
 public:
  base::WallTime now() const override { return base::system_clock().now() + moved_.load(); }
  base::SteadyTime steady() const override { return base::system_clock().steady(); }
  void move(std::chrono::nanoseconds by) { moved_ = moved_.load() + by; }

 private:
  std::atomic<std::chrono::nanoseconds> moved_{};
};

// Says that it keeps everything, and keeps the last batch that changed something. Loop thread.
class CountingStore : public Store {
 public:
  bool durable() const override { return true; }
  void commit(WriteBatch batch, Written written) override {
    std::move(written)(absl::OkStatus());
    if (!batch.empty()) last = std::move(batch);
  }
  absl::StatusOr<StoredState> load() override { return StoredState{}; }

  WriteBatch last;
};

class EngineFixture : public testing::Test {
 protected:
  explicit EngineFixture(std::unique_ptr<Store> kept = std::make_unique<CountingStore>())
      : engine(loop, std::move(kept)) {
    engine.namespaces().add("default", engine.ids().uuid(), std::chrono::hours{24});
    loop.start([this] { engine.after_task(); }, [this] { engine.after_turn(); });
    transport = make_local_transport(dispatcher);
  }
  ~EngineFixture() override {
    loop.post([this] { dispatcher->abandon_all(); });
    loop.stop();
    dispatcher->close();
    engine.detach_timers();
  }

  // What `look` gives of the engine, on its thread.
  template <class Look>
  auto peek(Look look) {
    std::promise<decltype(look(engine))> seen;
    loop.post([&] { seen.set_value(look(engine)); });
    return seen.get_future().get();
  }

  // A call under way.
  template <class Request, class Response>
  struct Open {
    Request request;
    Response response;
    std::promise<absl::Status> done;
    std::shared_ptr<base::RpcInFlight> in_flight;
    absl::Status status() { return done.get_future().get(); }
  };
  template <class Request, class Response>
  void begin(Open<Request, Response>& open, std::string_view method) {
    base::RpcCall rpc;
    rpc.method = method;
    rpc.request = &open.request;
    rpc.response = &open.response;
    rpc.timeout = std::chrono::hours{1};
    rpc.done = [&open](absl::Status status) { open.done.set_value(std::move(status)); };
    open.in_flight = transport->start(std::move(rpc));
  }
  template <class Response, class Request>
  absl::StatusOr<Response> call(std::string_view method, const Request& request) {
    Open<Request, Response> open{request, {}, {}, {}};
    begin(open, method);
    if (absl::Status status = open.status(); !status.ok()) return status;
    return std::move(open.response);
  }

  std::string start(const std::string& id, const std::string& queue = "queue") {
    wf::StartWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.set_workflow_id(id);
    request.mutable_workflow_type()->set_name("Case");
    request.mutable_task_queue()->set_name(queue);
    const auto reply =
        call<wf::StartWorkflowExecutionResponse>(method("StartWorkflowExecution"), request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->run_id() : "";
  }
  absl::Status signal(const std::string& id, const std::string& request_id) {
    wf::SignalWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    request.set_signal_name("go");
    request.set_request_id(request_id);
    return call<wf::SignalWorkflowExecutionResponse>(method("SignalWorkflowExecution"), request)
        .status();
  }
  absl::Status terminate(const std::string& id) {
    wf::TerminateWorkflowExecutionRequest request;
    request.set_namespace_("default");
    request.mutable_workflow_execution()->set_workflow_id(id);
    return call<wf::TerminateWorkflowExecutionResponse>(method("TerminateWorkflowExecution"),
                                                        request)
        .status();
  }

  static std::string method(const std::string& name) {
    return "/temporal.api.workflowservice.v1.WorkflowService/" + name;
  }

  MovedClock clock;
  Loop loop{clock, /*foreign_clock=*/true};
  Engine engine;
  std::shared_ptr<Dispatcher> dispatcher = std::make_shared<Dispatcher>(loop, engine);
  std::shared_ptr<base::Transport> transport;
};

}  // namespace chimera::server

#endif  // CHIMERA_TESTS_UNIT_SERVER_SERVICE_ENGINE_FIXTURE_H_
