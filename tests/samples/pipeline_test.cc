// samples/cpp/pipeline: steps that are named at run time.
#include "samples/cpp/pipeline/pipeline.h"

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "samples/cpp/pipeline/steps.h"
#include "tests/live/live.h"

namespace chimera::live {
namespace {

using pipeline::Stage;
using testing::AllOf;
using testing::HasSubstr;

constexpr char kText[] = "the cat sat on the mat";

class PipelineSample : public Live {
 protected:
  void SetUp() override {
    registry().add(pipeline::kPipeline);
    pipeline::add_steps(registry());
  }
  auto send(const std::vector<Stage>& stages, const std::string& text = kText) {
    return start<&pipeline::PipelineWorkflow::run>(stages, make_payload(text));
  }
  // The JSON of the result.
  std::string result(const std::vector<Stage>& stages) { return send(stages).result().data; }
  // What a pipeline failed of, with its causes.
  std::string failure(const std::vector<Stage>& stages, const std::string& text = kText) {
    return describe(failure_of(send(stages, text)).cause());
  }
};
INSTANTIATE_TEST_SUITE_P(, PipelineSample, testing::Values(std::size_t{1000}, std::size_t{0}),
                         cache_name);

TEST_P(PipelineSample, Words) {
  std::ifstream file(CHIMERA_TEST_DATA "/../samples/cpp/pipeline/words.json");
  const auto stages =
      from_payload<std::vector<Stage>>({.metadata = {{"encoding", "json/plain"}},
                                        .data = {std::istreambuf_iterator<char>(file), {}}});
  start_worker();

  const auto handle = send(stages);

  EXPECT_EQ(handle.result().data, "\"6 words, the longest is elephant\"");
  const std::string history = handle.fetch_history();
  EXPECT_EQ(count_events(history, "ACTIVITY_TASK_SCHEDULED"), 3) << "replace, count, longest";
  EXPECT_EQ(count_events(history, "MARKER_RECORDED"), 2) << "split, report";
}

TEST_P(PipelineSample, NoStage) {
  start_worker();

  EXPECT_EQ(result({}), absl::StrCat("\"", kText, "\""));
}

TEST_P(PipelineSample, AnUnknownStepIsNamed) {
  start_worker();

  EXPECT_THAT(failure({{{.name = "split"}}, {{.name = "count"}, {.name = "frobnicate"}}}),
              AllOf(HasSubstr("step frobnicate of stage 2 failed"), HasSubstr("NotFoundError"),
                    HasSubstr("count, longest")));
  EXPECT_THAT(
      failure({{{.name = "split"}}, {{.name = "count"}, {.name = "frobnicate", .local = true}}}),
      AllOf(HasSubstr("step frobnicate of stage 2 failed"),
            HasSubstr("UnknownStep: this program has no step frobnicate")));
}

TEST_P(PipelineSample, AStepFails) {
  start_worker();

  EXPECT_THAT(
      failure({{{.name = "split"}}, {{.name = "longest", .attempts = 2}}}, ""),
      AllOf(HasSubstr("step longest of stage 2 failed"), HasSubstr("Empty: there are no words")));
}

void nothing(const std::string&) {}
std::vector<std::byte> noise(const std::string&) { return {std::byte{0}}; }

TEST_P(PipelineSample, WhatStandsInAList) {
  registry().add_activity<&nothing>().add_activity<&noise>();
  start_worker();

  EXPECT_EQ(result({{{.name = "nothing"}, {.name = "split"}}}),
            "[null,[\"the\",\"cat\",\"sat\",\"on\",\"the\",\"mat\"]]");
  EXPECT_THAT(failure({{{.name = "noise"}, {.name = "split"}}}),
              HasSubstr("the output of step noise is binary/plain"));
}

std::atomic<bool> told_to_stop, endless_begun;
void endless(const std::string&) {
  endless_begun = true;
  endless_begun.notify_all();
  while (!activity::wait_for_cancelled(20ms)) activity::heartbeat();
  told_to_stop = true;
  activity::throw_if_cancelled();
}
void failing(const std::string&) {
  endless_begun.wait(false);
  throw ApplicationError("no", {.non_retryable = true});
}

TEST_P(PipelineSample, TheRestOfAStageIsCancelled) {
  told_to_stop = endless_begun = false;
  registry().add_activity<&endless>().add_activity<&failing>();
  start_worker();

  EXPECT_THAT(failure({{{.name = "failing"}, {.name = "endless", .timeout_seconds = 60}}}),
              HasSubstr("step failing of stage 1 failed"));
  eventually([] { return told_to_stop.load(); }, "the other step is told");
}

TEST_P(PipelineSample, IsCancelledItself) {
  endless_begun = false;
  registry().add_activity<&endless>();
  start_worker();
  const auto handle = send({{{.name = "endless", .timeout_seconds = 60}}});
  eventually([] { return endless_begun.load(); }, "the step runs");
  EXPECT_EQ(handle.query<&pipeline::PipelineWorkflow::progress>(), "stage 1 of 1");

  handle.cancel();

  const auto failed = failure_of(handle);
  EXPECT_TRUE(is_cancelled(*failed.cause())) << describe(failed.cause());
}

}  // namespace
}  // namespace chimera::live
