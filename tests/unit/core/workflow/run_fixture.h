// RunFixture, a run that a test steps by hand, and what its last step gave.
#ifndef CHIMERA_TESTS_UNIT_CORE_WORKFLOW_RUN_FIXTURE_H_
#define CHIMERA_TESTS_UNIT_CORE_WORKFLOW_RUN_FIXTURE_H_

#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "core/workflow/run.h"
#include "history_builder.h"

namespace chimera::core::testing {

inline RunOptions run_options(bool has_side_effects) {
  RunOptions options;
  options.context = {"id", "run", "Test", "queue", "default"};
  options.identity = {"test-sdk", "1.0", "TestSDK", has_side_effects};
  return options;
}

class RunFixture : public ::testing::Test {
 protected:
  explicit RunFixture(bool has_side_effects) : run_(run_options(has_side_effects)) {}

  std::vector<RunOutput>& step(RunInput input) {
    outputs_.clear();
    run_.step(std::move(input), outputs_);
    return outputs_;
  }
  // The last step's only output, as T.
  template <class T>
  const T& only() {
    EXPECT_EQ(outputs_.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<T>(outputs_.at(0))) << "output " << outputs_[0].index();
    return std::get<T>(outputs_.at(0));
  }
  const Activation& activation() { return *only<Activate>().activation; }
  const api::workflowservice::v1::RespondWorkflowTaskCompletedRequest& completion() {
    return *only<SendCompletion>().request;
  }

  WorkflowRun run_;
  std::vector<RunOutput> outputs_;
  HistoryBuilder history_;
};

}  // namespace chimera::core::testing

#endif  // CHIMERA_TESTS_UNIT_CORE_WORKFLOW_RUN_FIXTURE_H_
