// What users get wrong, and what they are told: the workflow is never failed by a worker's defect.
#include "sdk-cpp/src/client_state.h"
#include "tests/integration/world.h"

namespace chimera::integration {
namespace {

namespace enums = api::enums::v1;

struct Item {
  std::string name;
  int count = 0;
};

std::string wrap(const Item& item) { return item.name; }
void explode_int(int) { throw 42; }
void explode_std(int index) { std::vector<int>().at(static_cast<std::size_t>(index)); }
std::string swell(int bytes) { return std::string(static_cast<std::size_t>(bytes), 'x'); }
std::int64_t measure(const std::string& text) { return static_cast<std::int64_t>(text.size()); }

class WrapWorkflow {
 public:
  std::string run(Item item) { return item.name; }
};
const auto kWrap = define_workflow<&WrapWorkflow::run>("Wrap");

// Runs the activity that its input names, with what the input gives; once.
class CallWorkflow {
 public:
  std::string run(std::string activity, int argument) {
    return workflow::execute_activity<std::string>(
        activity,
        {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.maximum_attempts = 1}},
        argument);
  }
};
const auto kCall = define_workflow<&CallWorkflow::run>("Call");

class BadInputTest : public World {};

TEST_F(BadInputTest, AnUnknownWorkflowTypeFailsTheTaskAndNamesTheKnownOnes) {
  Worker worker(client_, options());
  worker.add(kWrap).add(kCall);
  worker.start();

  client_.start_workflow<std::string>("Wrpa", start("w"), Item{"tea", 1});

  std::string message = task_failure("w");
  EXPECT_THAT(message, HasSubstr("Wrpa"));
  EXPECT_THAT(message, HasSubstr("Call, Wrap"));
  auto lines = logged("worker::workflow: Failing workflow task");
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines[0], HasSubstr(" workflow_id=w"));
}

TEST_F(BadInputTest, AnUnknownActivityTypeFailsTheActivityAndNamesTheKnownOnes) {
  Worker worker(client_, options());
  worker.add(kCall).add_activity<&wrap>("wrap").add_activity<&swell>("swell");
  worker.start();

  auto handle = client_.start_workflow<&CallWorkflow::run>(start("w"), "wrpa", 1);

  std::string failure = failure_of(handle);
  EXPECT_THAT(failure, HasSubstr("wrpa"));
  EXPECT_THAT(failure, HasSubstr("swell, wrap"));
}

TEST_F(BadInputTest, WrongArgumentsOfAWorkflowFailItsTask) {
  Worker worker(client_, options());
  worker.add(kWrap);
  worker.start();

  client_.start_workflow<std::string>("Wrap", start("none"));
  client_.start_workflow<std::string>("Wrap", start("type"), Item{"tea"}.name);
  client_.start_workflow<std::string>("Wrap", start("field"),
                                      std::map<std::string, std::string>{{"count", "three"}});

  EXPECT_THAT(task_failure("none"), HasSubstr("argument"));
  EXPECT_THAT(task_failure("type"), HasSubstr("expected object"));
  EXPECT_THAT(task_failure("field"), HasSubstr("count: expected integer, got \"three\""));
}

TEST_F(BadInputTest, WrongArgumentsOfAnActivityFailIt) {
  Worker worker(client_, options());
  worker.add(kCall).add_activity<&wrap>("wrap");
  worker.start();

  auto handle = client_.start_workflow<&CallWorkflow::run>(start("w"), "wrap", 1);

  EXPECT_THAT(failure_of(handle), HasSubstr("expected object, got 1"));
}

TEST_F(BadInputTest, APayloadInAnUnknownEncodingIsNamed) {
  Worker worker(client_, options());
  worker.add(kWrap);
  worker.start();

  client_.start_workflow<std::string>("Wrap", start("w"),
                                      Payload{{{"encoding", "binary/encrypted"}}, "\x01\x02"});

  EXPECT_THAT(task_failure("w"), HasSubstr("binary/encrypted"));
}

TEST_F(BadInputTest, WhatAnActivityThrowsIsItsFailure) {
  Worker worker(client_, options());
  worker.add(kCall).add_activity<&explode_int>("int").add_activity<&explode_std>("std");
  worker.start();

  std::string number =
      failure_of(client_.start_workflow<&CallWorkflow::run>(start("int"), "int", 1));
  std::string range =
      failure_of(client_.start_workflow<&CallWorkflow::run>(start("std"), "std", 1));

  EXPECT_THAT(number, HasSubstr("int"));
  EXPECT_THAT(range, HasSubstr("std::out_of_range"));
}

// --- Payloads of 3 MiB: the server takes 2 ---

constexpr int kLarge = 3 * 1024 * 1024;

class LargeWorkflow {
 public:
  std::int64_t run(std::string what) {
    if (what == "argument")
      return workflow::execute_activity<&measure>(
          {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.maximum_attempts = 1}},
          std::string(kLarge, 'x'));
    auto text = workflow::execute_activity<&swell>(
        {.start_to_close_timeout = 10s, .retry_policy = RetryPolicy{.maximum_attempts = 1}},
        kLarge);
    return static_cast<std::int64_t>(text.size());
  }
};
const auto kLargeWorkflow = define_workflow<&LargeWorkflow::run>("Large");

class SwellWorkflow {
 public:
  std::string run(int bytes) { return swell(bytes); }
};
const auto kSwell = define_workflow<&SwellWorkflow::run>("Swell");

TEST_F(BadInputTest, ALargeArgumentOfAWorkflowIsRefusedWhenItStarts) {
  try {
    client_.start_workflow<std::string>("Wrap", start("w"), std::string(kLarge, 'x'));
    FAIL() << "it was taken";
  } catch (const RpcError& error) {
    EXPECT_THAT(error.what(), HasSubstr("limit"));
  }
}

// The task fails, not the workflow: mended code can go on.
TEST_F(BadInputTest, ALargeArgumentOfAnActivityFailsTheTask) {
  Worker worker(client_, options());
  worker.add(kLargeWorkflow).add_activity<&measure>("measure").add_activity<&swell>("swell");
  worker.start();

  client_.start_workflow<&LargeWorkflow::run>(start("w"), "argument");

  EXPECT_THAT(task_failure("w"), HasSubstr("[TMPRL1103] the arguments of activity measure: 31457"));
}

TEST_F(BadInputTest, ALargeResultOfAnActivityFailsIt) {
  Worker worker(client_, options());
  worker.add(kLargeWorkflow).add_activity<&measure>("measure").add_activity<&swell>("swell");
  worker.start();

  auto handle = client_.start_workflow<&LargeWorkflow::run>(start("w"), "result");

  EXPECT_THAT(failure_of(handle), HasSubstr("[TMPRL1103] The activity's result has 31457"));
}

TEST_F(BadInputTest, ALargeResultOfAWorkflowFailsTheTask) {
  Worker worker(client_, options());
  worker.add(kSwell);
  worker.start();

  client_.start_workflow<&SwellWorkflow::run>(start("w"), kLarge);

  EXPECT_THAT(task_failure("w"), HasSubstr("[TMPRL1103] the workflow's result: 31457"));
}

// --- Registration ---

TEST_F(BadInputTest, OneNameTwiceIsRefusedByName) {
  Worker worker(client_, options());
  worker.add(kWrap);

  EXPECT_THAT([&] { worker.add(kWrap); },
              ::testing::ThrowsMessage<std::invalid_argument>(HasSubstr("'Wrap'")));
}

TEST_F(BadInputTest, ANamespaceThatIsNotThereEndsTheStart) {
  auto state = client_.state();
  state->namespace_ = "nowhere";
  Worker worker(client_, options());
  worker.add(kWrap);

  EXPECT_THAT([&] { worker.start(); },
              ::testing::ThrowsMessage<RpcError>(HasSubstr("Register the namespace")));
}

TEST(ConnectTest, AnUnreachableServerIsNamed) {
  EXPECT_THAT(
      [] {
        Client::connect({.target_host = "127.0.0.1:1", .connect_timeout = std::chrono::seconds(1)});
      },
      ::testing::ThrowsMessage<RpcError>(HasSubstr("127.0.0.1:1")));
}

}  // namespace
}  // namespace chimera::integration
