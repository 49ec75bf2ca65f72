// Exceptions that are no failures of chimera's, out of workflow code of every kind.
#include "tests/integration/world.h"

namespace chimera::integration {
namespace {

namespace enums = api::enums::v1;

// Throws where its input says.
class ThrowingWorkflow {
 public:
  std::string run(std::string where) {
    where_ = where;
    if (where == "run int") throw 42;
    if (where == "run std") std::vector<int>().at(3);
    workflow::wait_condition([this] { return done_; });
    return "went on";
  }
  void signal() { blow("signal"); }
  std::string query() const {
    blow("query");
    return "fine";
  }
  std::string update() {
    blow("update");
    return "fine";
  }
  void validate() const { blow("validator"); }
  void finish() { done_ = true; }

 private:
  void blow(const std::string& where) const {
    if (where_ == where + " int") throw 42;
    if (where_ == where + " std") std::vector<int>().at(3);
  }
  std::string where_;
  bool done_ = false;
};
const auto kThrowing =
    define_workflow<&ThrowingWorkflow::run>("Throwing")
        .signal<&ThrowingWorkflow::signal>("signal")
        .signal<&ThrowingWorkflow::finish>("finish")
        .query<&ThrowingWorkflow::query>("query")
        .update<&ThrowingWorkflow::update, &ThrowingWorkflow::validate>("update");

class ExceptionsTest : public World {
 protected:
  ExceptionsTest() {
    worker_.add(kThrowing);
    worker_.start();
  }

  auto begin(const std::string& where) {
    return client_.start_workflow<&ThrowingWorkflow::run>(start(where), where);
  }
  // Begins, and waits until it is parked.
  auto parked(const std::string& where) {
    auto handle = begin(where);
    wait_for(where, enums::EVENT_TYPE_WORKFLOW_TASK_COMPLETED);
    return handle;
  }

  Worker worker_{client_, options()};
};

TEST_F(ExceptionsTest, OutOfTheRunMethodTheyFailTheTaskNotTheWorkflow) {
  begin("run int");
  begin("run std");

  std::string number = task_failure("run int"), range = task_failure("run std");

  EXPECT_THAT(number, HasSubstr("an exception of type int: 42 left workflow Throwing (id run int"));
  EXPECT_THAT(range, HasSubstr("std::out_of_range"));
  EXPECT_THAT(range, HasSubstr("Only chimera's failures"));
  auto lines = logged("out_of_range");
  ASSERT_FALSE(lines.empty());
  for (const char* field : {" workflow_id=run std", " run_id=", " workflow_type=Throwing",
                            " task_queue=", " attempt=1"})
    EXPECT_THAT(lines[0], HasSubstr(field));
}

TEST_F(ExceptionsTest, OutOfASignalHandlerTheyFailTheTask) {
  parked("signal int").signal<&ThrowingWorkflow::signal>();
  parked("signal std").signal<&ThrowingWorkflow::signal>();

  EXPECT_THAT(task_failure("signal int"), HasSubstr("int: 42"));
  EXPECT_THAT(task_failure("signal std"), HasSubstr("std::out_of_range"));
}

TEST_F(ExceptionsTest, OutOfAQueryTheyAreItsAnswer) {
  auto number = parked("query int"), range = parked("query std");

  EXPECT_THAT([&] { number.query<&ThrowingWorkflow::query>(); },
              ::testing::ThrowsMessage<WorkflowQueryFailedError>(HasSubstr("int")));
  EXPECT_THAT([&] { range.query<&ThrowingWorkflow::query>(); },
              ::testing::ThrowsMessage<WorkflowQueryFailedError>(HasSubstr("vector")));
  number.signal<&ThrowingWorkflow::finish>();
  EXPECT_EQ(number.result(), "went on");
}

TEST_F(ExceptionsTest, OutOfAValidatorTheyRejectTheUpdate) {
  auto number = parked("validator int"), range = parked("validator std");

  EXPECT_THAT([&] { number.execute_update<&ThrowingWorkflow::update>(); },
              ::testing::ThrowsMessage<WorkflowUpdateFailedError>(HasSubstr("int")));
  EXPECT_THAT([&] { range.execute_update<&ThrowingWorkflow::update>(); },
              ::testing::ThrowsMessage<WorkflowUpdateFailedError>(HasSubstr("out_of_range")));
}

TEST_F(ExceptionsTest, OutOfAnUpdateTheyFailTheTask) {
  auto number = parked("update int"), range = parked("update std");
  auto ask = [](auto handle) {
    return std::thread([handle] {
      try {
        handle.template execute_update<&ThrowingWorkflow::update>();
      } catch (const std::exception&) {
        // The workflow is terminated while it waits.
      }
    });
  };
  std::thread first = ask(number), second = ask(range);

  std::string number_failure = task_failure("update int");
  std::string range_failure = task_failure("update std");
  first.join();
  second.join();

  EXPECT_THAT(number_failure, HasSubstr("int: 42 left the update 'update'"));
  EXPECT_THAT(range_failure, HasSubstr("std::out_of_range"));
}

}  // namespace
}  // namespace chimera::integration
