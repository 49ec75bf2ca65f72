// Context, and the propagator that carries it, on the embedded server.
#include "chimera/context.h"

#include <future>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/interceptor.h"
#include "chimera/testing.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

std::string tenant() { return Context::current().get<std::string>("tenant").value_or("nobody"); }

TEST(ContextTest, GoesWithTheCodeOfABlock) {
  EXPECT_EQ(tenant(), "nobody");
  {
    const ContextScope scope(Context::current().with("tenant", "blue").with("depth", 1));
    EXPECT_EQ(tenant(), "blue");
    {
      const ContextScope inner(Context::current().with("tenant", std::string("red")));
      EXPECT_EQ(tenant(), "red");
      EXPECT_EQ(Context::current().get<int>("depth"), 1);
      EXPECT_EQ(std::async(std::launch::async, tenant).get(), "nobody");  // Another thread.
    }
    EXPECT_EQ(tenant(), "blue");
    EXPECT_FALSE(Context::current().without("tenant").has("tenant"));
    EXPECT_TRUE(Context::current().without("tenant").has("depth"));
  }
  EXPECT_EQ(tenant(), "nobody");
}

struct Wire {  // Without a conversion.
  explicit Wire(int number_in) : number(number_in) {}
  int number;
};

TEST(ContextTest, SaysWhatDoesNotFit) {
  const auto context = Context().with("wire", std::make_shared<Wire>(3)).with("number", 4);
  EXPECT_EQ((*context.get<std::shared_ptr<Wire>>("wire"))->number, 3);
  EXPECT_THROW(context.get<std::string>("number"), ConversionError);
  EXPECT_EQ(from_payload<int>(*context.payload("number")), 4);
  EXPECT_EQ(context.payload("none"), std::nullopt);
  try {
    context.payload("wire");
    ADD_FAILURE();
  } catch (const ConversionError& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"wire\""));
  }
  // As a header brought it.
  EXPECT_EQ(Context().with("n", make_payload(5)).get<int>("n"), 5);
  EXPECT_THROW(Context().with("n", make_payload("x")).get<int>("n"), ConversionError);
  EXPECT_THROW(context_propagator({""}), std::invalid_argument);
}

// --- Through the server ---

constexpr char kQueue[] = "tenants";

std::string whose() { return tenant(); }
constexpr auto kWhose = define_activity<&whose>("whose");

class Child {
 public:
  std::string run() {
    workflow::wait_condition([this] { return !told_.empty(); });
    return tenant() + " " + told_;
  }
  void tell() { told_ = tenant(); }

 private:
  std::string told_;
};
const auto kChild = define_workflow<&Child::run>("TenantChild").signal<&Child::tell>("tell");

class Tenants {
 public:
  std::vector<std::string> run(std::vector<std::string> seen) {
    const auto note = [&](const std::string& what) { seen.push_back(what); };
    note("run " + tenant());
    if (seen.size() == 1) workflow::continue_as_new<&Tenants::run>(seen);
    note("activity " + workflow::execute_activity<kWhose>({.start_to_close_timeout = 30s}));
    {
      const ContextScope scope(Context::current().with("tenant", "inner"));
      note("local " + workflow::execute_local_activity<kWhose>({.start_to_close_timeout = 30s}));
      auto task = workflow::spawn([] {
        workflow::sleep(1ms);
        return tenant();
      });
      auto child = workflow::start_child_workflow<kChild>({});
      {
        const ContextScope deeper(Context::current().with("tenant", "deeper"));
        child.signal<&Child::tell>();
      }
      note("child " + child.get());
      note("task " + task.get());
    }
    note("after " + tenant());
    workflow::wait_condition([this] { return updated_; });
    note("still " + tenant());
    return seen;
  }
  std::string ask() const { return tenant(); }
  std::string change() {
    updated_ = true;
    return tenant();
  }
  void check() const {
    if (tenant() == "nobody") throw ApplicationError("no tenant");
  }

 private:
  bool updated_ = false;
};
const auto kTenants = define_workflow<&Tenants::run>("Tenants")
                          .query<&Tenants::ask>("ask")
                          .update<&Tenants::change, &Tenants::check>("change");

class ContextOnServer : public testing::TestWithParam<std::size_t> {
 protected:
  ContextOnServer() {
    TestEnvironmentOptions options;
    // Two of them: each leaves the other's alone.
    options.client.interceptors = {context_propagator({"tenant"}), context_propagator({"other"})};
    env.emplace(options);
    worker.emplace(env->client(),
                   WorkerOptions{.task_queue = kQueue, .max_cached_workflows = GetParam()});
    worker->add(kTenants).add(kChild).add(kWhose);
    worker->start();
  }

  std::optional<TestEnvironment> env;
  std::optional<Worker> worker;
};

TEST_P(ContextOnServer, CrossesEveryCall) {
  Client& client = env->client();
  const auto handle = [&] {
    const ContextScope scope(Context::current().with("tenant", "blue").with("other", 1));
    return client.start_workflow<&Tenants::run>({.id = "t", .task_queue = kQueue},
                                                std::vector<std::string>());
  }();
  const auto current = client.get_workflow_handle<kTenants>("t");
  EXPECT_EQ(current.query<&Tenants::ask>(), "nobody");
  {
    const ContextScope scope(Context::current().with("tenant", "asks"));
    EXPECT_EQ(current.query<&Tenants::ask>(), "asks");
  }
  while (current.describe().run_id == handle.run_id()) {  // The first one takes no update.
  }
  EXPECT_THROW(current.execute_update<&Tenants::change>(), WorkflowUpdateFailedError);
  {
    const ContextScope scope(Context::current().with("tenant", "updates"));
    EXPECT_EQ(current.execute_update<&Tenants::change>(), "updates");
  }
  EXPECT_THAT(handle.result(),
              ElementsAre("run blue", "run blue", "activity blue", "local inner",
                          "child inner deeper", "task inner", "after blue", "still blue"));
}

TEST_P(ContextOnServer, GoesAlongToAStartOnAnotherThread) {
  const ContextScope scope(Context::current().with("tenant", "async"));
  auto started = env->client().start_workflow_async<&Tenants::run>(
      {.id = "a", .task_queue = kQueue}, std::vector<std::string>{"x"});
  auto handle = started.get();
  handle.execute_update<&Tenants::change>();
  EXPECT_THAT(handle.result(), testing::Contains("activity async"));
}
INSTANTIATE_TEST_SUITE_P(, ContextOnServer, testing::Values(std::size_t{1000}, std::size_t{0}));

// --- What an eviction releases ---

std::weak_ptr<int> kept;
class Keeps {
 public:
  void run() {
    auto value = std::make_shared<int>(1);
    kept = value;
    const ContextScope scope(Context::current().with("value", std::move(value)));
    workflow::spawn_detached([] { workflow::sleep(1h); });
    workflow::sleep(1h);
  }
  bool holds() const { return true; }
};
const auto kKeeps = define_workflow<&Keeps::run>("Keeps").query<&Keeps::holds>("holds");

TEST(ContextTest, IsReleasedWithItsRun) {
  TestEnvironment env;
  {
    Worker worker(env.client(), {.task_queue = kQueue});
    worker.add(kKeeps);
    worker.start();
    auto handle = env.client().start_workflow<kKeeps>({.id = "k", .task_queue = kQueue});
    EXPECT_TRUE(handle.query<&Keeps::holds>());
    EXPECT_FALSE(kept.expired());
  }
  EXPECT_TRUE(kept.expired());
}

}  // namespace
}  // namespace chimera
