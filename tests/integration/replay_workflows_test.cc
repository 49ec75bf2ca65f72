// Replayer over what a server has.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chimera/replayer.h"
#include "chimera/testing/gtest.h"

namespace chimera {
namespace {

using namespace std::chrono_literals;

std::string greet(const std::string& name) { return "Hello, " + name; }

struct Hello {
  std::string run(std::string name) {
    return workflow::execute_activity<&greet>({.start_to_close_timeout = 10s}, name);
  }
};
struct SleepyHello {
  std::string run(std::string name) {
    workflow::sleep(1h);
    return workflow::execute_activity<&greet>({.start_to_close_timeout = 10s}, name);
  }
};

class ReplayWorkflows : public WorkflowTest {
 protected:
  void SetUp() override {
    worker.add(define_workflow<&Hello::run>("Hello")).add_activity<&greet>();
    for (const char* name : {"Ann", "Bob"}) worker.execute_workflow<&Hello::run>(std::string(name));
  }
  template <auto Run>
  ReplayReport replay(const std::string& query) {
    Replayer replayer;
    replayer.add(define_workflow<Run>("Hello"));
    return replayer.replay_workflows(env.client(), query);
  }
};

TEST_F(ReplayWorkflows, ReplaysWhatAFilterFinds) {
  const ReplayReport report = replay<&Hello::run>("WorkflowType = 'Hello'");
  EXPECT_TRUE(report.ok()) << report.text();
  EXPECT_EQ(report.results.size(), 2u);
}

TEST_F(ReplayWorkflows, TellsEachThatTheCodeBreaks) {
  const ReplayReport report = replay<&SleepyHello::run>("WorkflowType = 'Hello'");
  EXPECT_EQ(report.failures(), 2u);
  EXPECT_THAT(report.text(), ::testing::AllOf(::testing::HasSubstr("workflow test-1, run "),
                                              ::testing::HasSubstr("workflow test-2, run ")));
  EXPECT_THROW(std::rethrow_exception(report.results[0].error), NondeterminismError);
}

TEST_F(ReplayWorkflows, RefusesToReplayNothing) {
  EXPECT_THROW(replay<&Hello::run>("WorkflowType = 'Other'"), std::invalid_argument);
}

}  // namespace
}  // namespace chimera
