// Interceptors and what they carry, through a server.
#include "chimera/interceptor.h"

#include <memory>
#include <string>
#include <vector>

#include "chimera/context.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::ElementsAre;

CHIMERA_LIVE(InterceptorLive);

std::string tenant() { return Context::current().get<std::string>("tenant").value_or("nobody"); }
std::string whose() { return tenant(); }

class Told {
 public:
  std::string run() {
    workflow::wait_condition([this] { return !by_.empty(); });
    return tenant() + " told by " + by_;
  }
  void tell() { by_ = tenant(); }

 private:
  std::string by_;
};
inline const auto kTold = define_workflow<&Told::run>("Told").signal<&Told::tell>("tell");

// Everything that has headers.
class Carries {
 public:
  std::vector<std::string> run(std::vector<std::string> seen) {
    seen.push_back(tenant());
    if (seen.size() == 1) workflow::continue_as_new<&Carries::run>(seen);
    seen.push_back(workflow::execute_activity<&whose>({.start_to_close_timeout = 10s}));
    seen.push_back(workflow::execute_local_activity<&whose>({.start_to_close_timeout = 10s}));
    auto child = workflow::start_child_workflow<&Told::run>({});
    {
      const ContextScope scope(Context::current().with("tenant", "parent"));
      child.signal<&Told::tell>();
    }
    seen.push_back(child.get());
    workflow::wait_condition([this] { return updated_; });
    return seen;
  }
  std::string ask() const { return tenant(); }
  std::string change() {
    updated_ = true;
    return tenant();
  }

 private:
  bool updated_ = false;
};
inline const auto kCarries =
    define_workflow<&Carries::run>("Carries").query<&Carries::ask>("ask").update<&Carries::change>(
        "change");

TEST_P(InterceptorLive, HeadersCrossEveryCall) {
  client_options().interceptors = {context_propagator({"tenant"})};
  registry().add(kCarries).add(kTold).add_activity<&whose>();
  start_worker();

  const auto with = options();
  const auto handle = [&] {
    const ContextScope scope(Context::current().with("tenant", "client"));
    return client().start_workflow<&Carries::run>(with, std::vector<std::string>());
  }();
  const auto current = client().get_workflow_handle<kCarries>(with.id);
  eventually([&] { return current.describe().run_id != handle.run_id(); }, "the second run");
  const ContextScope scope(Context::current().with("tenant", "caller"));
  EXPECT_EQ(current.query<&Carries::ask>(), "caller");
  EXPECT_EQ(current.execute_update<&Carries::change>(), "caller");
  EXPECT_THAT(handle.result(),
              ElementsAre("client", "client", "client", "client", "client told by parent"));
}

// Links that answer themselves, call again, and wait.
struct Twice : WorkflowOutboundInterceptor {
  using WorkflowOutboundInterceptor::WorkflowOutboundInterceptor;
  workflow::ActivityHandle<Payload> start_activity(StartActivityInput input) override {
    if (input.activity == "absent") {
      input.activity = "whose";
      input.arguments.clear();
    }
    next().start_activity(input).get();
    workflow::sleep(1ms);
    return next().start_activity(input);
  }
};
struct Makes : Interceptor {
  std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
      WorkflowOutboundInterceptor* next) override {
    return std::make_unique<Twice>(next);
  }
};

struct CallsAbsent {
  std::string run() {
    return workflow::execute_activity<std::string>("absent", {.start_to_close_timeout = 10s}, 1);
  }
};
inline const auto kCallsAbsent = define_workflow<&CallsAbsent::run>("CallsAbsent");

TEST_P(InterceptorLive, ALinkMayDoAsTheCodeMay) {
  worker_options().interceptors = {std::make_shared<Makes>()};
  registry().add(kCallsAbsent).add_activity<&whose>();
  start_worker();
  const auto handle = start<&CallsAbsent::run>();
  EXPECT_EQ(handle.result(), "nobody");
  EXPECT_EQ(count_events(handle.fetch_history(), "ACTIVITY_TASK_SCHEDULED"), 2);
}

}  // namespace
}  // namespace chimera::live
