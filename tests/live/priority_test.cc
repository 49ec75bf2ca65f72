// Priorities of tasks, and texts for people.
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

CHIMERA_LIVE(PriorityLive);

std::string priority_of_activity() {
  const Priority& priority = activity::info().priority;
  return absl::StrCat(priority.priority_key, " ", priority.fairness_key, " ",
                      priority.fairness_weight);
}

struct TellsPriority {
  std::vector<std::string> run(bool child) {
    // Of one that starts eagerly 1.32 tells what its command says, not what it has from its run.
    const ActivityOptions quick{.start_to_close_timeout = 10s, .disable_eager_execution = true};
    ActivityOptions slow = quick;
    slow.priority = {.priority_key = 5, .fairness_key = "slow", .fairness_weight = 2};
    const Priority& own = workflow::info().priority;
    std::vector<std::string> told = {absl::StrCat("run ", own.priority_key, " ", own.fairness_key),
                                     workflow::execute_activity<&priority_of_activity>(quick),
                                     workflow::execute_activity<&priority_of_activity>(slow)};
    if (!child) return told;
    const ChildWorkflowOptions options{.priority = {.priority_key = 1},
                                       .static_summary = "the child",
                                       .static_details = "*its* details"};
    for (const std::string& each :
         workflow::execute_child_workflow<&TellsPriority::run>(options, false))
      told.push_back("child's " + each);
    return told;
  }
};

std::string in_json(std::string_view text) {
  return absl::Base64Escape(absl::StrCat("\"", std::string(text), "\""));
}

TEST_P(PriorityLive, IsHandedOnAndTextsAreKept) {
  registry()
      .add(define_workflow<&TellsPriority::run>("TellsPriority"))
      .add_activity<&priority_of_activity>();
  start_worker();
  WorkflowOptions with = options();
  with.priority = {.priority_key = 2, .fairness_key = "ann"};
  with.static_summary = "the parent";

  const auto handle = client().start_workflow<&TellsPriority::run>(with, true);

  EXPECT_EQ(handle.result(),
            (std::vector<std::string>{"run 2 ann", "2 ann 0", "5 slow 2", "child's run 1 ann",
                                      "child's 1 ann 0", "child's 5 slow 2"}));
  const std::string history = handle.fetch_history();
  for (const char* text : {"the parent", "the child", "*its* details"})
    EXPECT_THAT(history, testing::HasSubstr(in_json(text)));
}

}  // namespace
}  // namespace chimera::live
