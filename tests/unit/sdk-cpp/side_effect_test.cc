// Side effects and versions as workflow code calls them, without a core.
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "chimera/codec.h"
#include "chimera/workflow.h"
#include "sdk-cpp/src/codec.h"
#include "tests/unit/sdk-cpp/driver.h"

namespace chimera::sdk {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = core::Recorded::Kind;

const core::Recorded& recorded(const core::Completion& completion, std::size_t at) {
  static const core::Recorded none;
  const auto* record = command<core::RecordOnce>(completion, at);
  EXPECT_NE(record, nullptr) << "command " << at << "; " << task_failure(completion);
  return record == nullptr ? none : record->recorded;
}

template <class T>
core::Job told(Kind kind, std::string id, std::int64_t number, const T& value) {
  return core::NotifyRecorded{{kind, std::move(id), number, to_proto(make_payload(value))}};
}

TEST(SideEffectTest, LiveTheFunctionMakesTheValue) {
  int calls = 0;
  std::vector<int> values;
  code = [&] {
    for (int i = 0; i < 2; ++i) values.push_back(workflow::side_effect([&] { return ++calls; }));
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_THAT(values, ElementsAre(1, 2));
  EXPECT_EQ(recorded(done, 0).kind, Kind::kSideEffect);
  EXPECT_EQ(recorded(done, 0).number, 1);
  EXPECT_EQ(recorded(done, 0).value.data(), "1");
  EXPECT_EQ(recorded(done, 1).number, 2);
}

TEST(SideEffectTest, InReplayHistoryDoes) {
  int calls = 0;
  std::string value;
  code = [&] {
    value = workflow::side_effect([&] {
      ++calls;
      return std::string("new");
    });
  };
  Driver driver(kRuns);
  const auto done = driver.activate(
      {driver.init(), told(Kind::kSideEffect, "", 1, std::string("old"))}, /*replaying=*/true);

  EXPECT_EQ(value, "old");
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(recorded(done, 0).number, 1);
}

// The last task of a history that is replayed whole is not called a replay; its markers are there.
TEST(SideEffectTest, WhatHistoryHasCountsLiveToo) {
  int value = 0, version = 0, changing = 0;
  code = [&] {
    value = workflow::side_effect([] { return 1; });
    changing = workflow::mutable_side_effect("ms", [] { return 2; });
    version = workflow::get_version("a", 1, 9);
  };
  Driver driver(kRuns);
  driver.activate({driver.init(), told(Kind::kSideEffect, "", 1, 42),
                   told(Kind::kMutableSideEffect, "ms", 1, 43), told(Kind::kVersion, "a", 3, 0)});
  EXPECT_EQ(value, 42);
  EXPECT_EQ(changing, 43);
  EXPECT_EQ(version, 3);
}

TEST(SideEffectTest, OneThatHistoryLacksIsNondeterminism) {
  bool went_on = false;
  code = [&] {
    try {
      workflow::side_effect([] { return 1; });
    } catch (...) {
    }
    went_on = true;
  };
  Driver driver(kRuns);
  const auto done = driver.activate({driver.init()}, /*replaying=*/true);

  EXPECT_THAT(task_failure(done),
              AllOf(HasSubstr("[TMPRL1100]"),
                    HasSubstr("the code asks for side effect 1, which history has no marker of")));
  EXPECT_EQ(std::get<core::Completion::Failure>(done.status).cause,
            api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
  EXPECT_FALSE(went_on) << "with a value that is none";
}

TEST(SideEffectTest, AMutableOneIsKeptWhenItChanges) {
  const std::vector<int> made = {42, 42, 43, 43};
  std::size_t calls = 0;
  std::vector<int> values;
  code = [&] {
    for (int i = 0; i < 4; ++i)
      values.push_back(workflow::mutable_side_effect("ms", [&] { return made[calls++]; }));
  };
  Driver driver(kRuns);
  const auto done = driver.start();

  EXPECT_THAT(values, ElementsAre(42, 42, 43, 43));
  ASSERT_EQ(commands(done).size(), 3u);
  EXPECT_EQ(recorded(done, 0).id, "ms");
  EXPECT_EQ(recorded(done, 0).number, 1);
  EXPECT_EQ(recorded(done, 1).number, 3);
  EXPECT_EQ(recorded(done, 1).value.data(), "43");
}

TEST(SideEffectTest, AMutableOneFollowsHistoryCallByCall) {
  int calls = 0;
  std::vector<int> values;
  code = [&] {
    for (int i = 0; i < 4; ++i)
      values.push_back(workflow::mutable_side_effect("ms", [&] { return ++calls; }));
    workflow::sleep(1s);
    values.push_back(workflow::mutable_side_effect("ms", [] { return 44; }));
  };
  Driver driver(kRuns);
  driver.activate({driver.init(), told(Kind::kMutableSideEffect, "ms", 1, 42),
                   told(Kind::kMutableSideEffect, "ms", 3, 43)},
                  /*replaying=*/true);
  EXPECT_EQ(calls, 0);
  const auto live = driver.activate({core::FireTimer{1}});

  EXPECT_THAT(values, ElementsAre(42, 42, 43, 43, 44));
  EXPECT_EQ(recorded(live, 0).number, 5);
}

// Markers of older Go SDKs do not count calls: the last one of a task holds from there on.
TEST(SideEffectTest, AMutableOneWithoutItsCallHoldsFromNowOn) {
  std::vector<int> values;
  code = [&] {
    values.push_back(workflow::mutable_side_effect("ms", [] { return 0; }));
    workflow::sleep(1s);
    values.push_back(workflow::mutable_side_effect("ms", [] { return 0; }));
  };
  Driver driver(kRuns);
  driver.activate({driver.init(), told(Kind::kMutableSideEffect, "ms", 0, 42)}, true);
  driver.activate({told(Kind::kMutableSideEffect, "ms", 0, 43), core::FireTimer{1}}, true);
  EXPECT_THAT(values, ElementsAre(42, 43));
}

TEST(SideEffectTest, EqualIsTheCallersAffair) {
  std::vector<int> values;
  code = [&] {
    for (const int value : {10, 11, 19, 20})
      values.push_back(workflow::mutable_side_effect(
          "ms", [&] { return value; }, [](int a, int b) { return a / 10 == b / 10; }));
  };
  Driver driver(kRuns);
  driver.start();
  EXPECT_THAT(values, ElementsAre(10, 10, 10, 20));
}

TEST(SideEffectTest, VersionsAreTheHighestLiveAndTheOldestInReplay) {
  std::vector<int> versions;
  code = [&] {
    for (int i = 0; i < 2; ++i)
      versions.push_back(workflow::get_version("a", workflow::kDefaultVersion, 2));
  };
  Driver live(kRuns), old(kRuns), marked(kRuns);

  const auto first = live.start();
  EXPECT_EQ(recorded(first, 0).id, "a");
  EXPECT_EQ(recorded(first, 0).number, 2);
  EXPECT_EQ(commands(first).size(), 2u) << "asked twice, kept once";
  old.activate({old.init()}, /*replaying=*/true);
  marked.activate({marked.init(), told(Kind::kVersion, "a", 1, 0)}, /*replaying=*/true);
  EXPECT_THAT(versions, ElementsAre(2, 2, -1, -1, 1, 1));
}

TEST(SideEffectTest, AVersionThatIsNotSupportedIsNondeterminism) {
  code = [] { workflow::get_version("a", 1, 2); };
  Driver old(kRuns), newer(kRuns);
  const auto failed = old.activate({old.init()}, /*replaying=*/true);
  EXPECT_THAT(task_failure(failed),
              HasSubstr("this run has version -1 of the change \"a\", and the code supports 1 to "
                        "2: it has dropped the version too early"));
  EXPECT_EQ(std::get<core::Completion::Failure>(failed.status).cause,
            api::enums::v1::WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR);
  EXPECT_THAT(task_failure(newer.activate({newer.init(), told(Kind::kVersion, "a", 3, 0)}, true)),
              HasSubstr("it is older than the run"));
  code = [] { workflow::get_version("a", 2, 1); };
  Driver wrong(kRuns);
  EXPECT_THAT(task_failure(wrong.start()), HasSubstr("get_version(\"a\", 2, 1)"));
  code = [] { workflow::get_version("", 1, 2); };
  Driver nameless(kRuns);
  EXPECT_THAT(task_failure(nameless.start()), HasSubstr("needs an id"));
}

TEST(SideEffectTest, ValuesGoThroughTheCodec) {
  const auto codec = to_core(aes_gcm_codec("key", {{"key", std::string(32, 'k')}}));
  std::string value;
  code = [&] { value = workflow::side_effect([] { return std::string("secret"); }); };
  Driver live(kRuns, codec);
  const auto done = live.start();
  EXPECT_EQ(value, "secret");
  EXPECT_EQ(recorded(done, 0).value.metadata().at("encoding"), "binary/encrypted");

  value.clear();
  Driver replayed(kRuns, codec);
  replayed.activate({replayed.init(), core::NotifyRecorded{recorded(done, 0)}}, true);
  EXPECT_EQ(value, "secret");
}

// --- Functions that misbehave ---

TEST(SideEffectTest, AFunctionThatThrowsFailsTheTask) {
  const std::vector<std::function<void()>> calls = {
      [] { workflow::side_effect([]() -> int { throw ApplicationError("no luck"); }); },
      [] {
        workflow::mutable_side_effect("ms", []() -> int { throw std::runtime_error("no luck"); });
      }};
  for (const auto& call : calls) {
    bool went_on = false;
    code = [&] {
      try {
        call();
      } catch (const std::exception&) {
        went_on = true;
      }
    };
    Driver driver(kRuns);
    const auto done = driver.start();
    EXPECT_THAT(task_failure(done), AllOf(HasSubstr("side_effect() in workflow Runs"),
                                          HasSubstr("no luck"), HasSubstr("keeps only a value")));
    EXPECT_FALSE(went_on);
    testing::internal::CaptureStderr();
    driver.activate({core::RemoveFromCache{core::EvictionReason::kLangFail, ""}});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  }
}

TEST(SideEffectTest, AFunctionMayNotTouchTheWorkflow) {
  const std::vector<std::function<void()>> calls = {
      [] { workflow::sleep(1s); }, [] { workflow::uuid4(); },
      [] { workflow::get_version("a", 1, 1); }, [] { workflow::side_effect([] { return 2; }); },
      [] { workflow::start_activity<int>("x", {.start_to_close_timeout = 1s}).cancel(); }};
  for (const auto& call : calls) {
    code = [&] {
      workflow::side_effect([&] {
        call();
        return 1;
      });
    };
    Driver driver(kRuns);
    EXPECT_THAT(task_failure(driver.start()),
                HasSubstr("is not allowed in the function of a side effect"));
  }
}

TEST(SideEffectTest, TheWorkflowMayBeTouchedAgainAfterwards) {
  code = [] {
    workflow::side_effect([] { return workflow::now(); });
    workflow::uuid4();
  };
  Driver driver(kRuns);
  EXPECT_EQ(task_failure(driver.start()), "");
}

TEST(SideEffectTest, InAConstructorTheTaskFailsToo) {
  struct Made {
    Made() {
      workflow::side_effect([]() -> int { throw std::runtime_error("no luck"); });
    }
    void run() {}
  };
  Driver driver(define_workflow<&Made::run>("Made"));
  EXPECT_THAT(task_failure(driver.start()), HasSubstr("no luck"));
}

TEST(SideEffectTest, ConditionsMayNotDecideAnything) {
  const std::vector<std::function<void()>> calls = {
      [] { workflow::side_effect([] { return 1; }); },
      [] { workflow::mutable_side_effect("ms", [] { return 1; }); },
      [] { workflow::get_version("a", 1, 1); }};
  for (const auto& call : calls) {
    code = [&] {
      workflow::wait_condition([&] {
        call();
        return true;
      });
    };
    Driver driver(kRuns);
    EXPECT_THAT(task_failure(driver.start()),
                HasSubstr("is not allowed in a query, a validator or a wait condition"));
    EXPECT_THROW(call(), std::logic_error) << "outside of a workflow";
  }
}

}  // namespace
}  // namespace chimera::sdk
