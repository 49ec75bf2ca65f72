// What clients do to executions that run: resets, and batches of many.
#include <limits>

#include "absl/strings/str_cat.h"

#include "tests/live/live.h"

namespace chimera::live {
namespace {

using testing::HasSubstr;

CHIMERA_LIVE(ResetLive);
CHIMERA_LIVE(BatchLive);

struct Collects {
  std::string text;
  bool done = false;
  void add(std::string more) { text += more; }
  void finish() { done = true; }
  std::string run(std::string start) {
    text = start + text;
    workflow::wait_condition([this] { return done; });
    return text;
  }
};
const auto kCollects = define_workflow<&Collects::run>("Collects")
                           .signal<&Collects::add>("add")
                           .signal<&Collects::finish>("finish");

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "done";
}

TEST_P(ResetLive, GoesBackAndTakesSignalsAlong) {
  registry().add(kCollects);
  start_worker();
  const auto handle = start<&Collects::run>("a");
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_COMPLETED") == 1; },
             "the first task");
  handle.signal<&Collects::add>("b");
  handle.signal<&Collects::finish>();
  EXPECT_EQ(handle.result(), "ab");

  const std::string run = handle.reset({.to = ResetTo::kFirstWorkflowTask, .reason = "again"});
  const auto again = client().get_workflow_handle<&Collects::run>(handle.id(), run);
  EXPECT_EQ(again.result(), "ab");
  EXPECT_NE(run, handle.run_id());

  // Before its first task it has nothing of what came, and other options.
  ResetOptions without{
      .event_id = 4, .reason = "without what came", .exclude = {ResetExclude::kSignals}};
  if (!server_is("1.29")) {
    without.post_reset_operations = {
        WorkflowExecutionOptionsUpdate{.priority = Priority{.priority_key = 2}}};
  }
  const auto last = client().get_workflow_handle<&Collects::run>(handle.id(), again.reset(without));
  last.signal<&Collects::add>("c");
  last.signal<&Collects::finish>();
  EXPECT_EQ(last.result(), "ac");
  EXPECT_EQ(count_events(last.fetch_history(), "WORKFLOW_EXECUTION_OPTIONS_UPDATED"),
            server_is("1.29") ? 0 : 1);
}

TEST_P(ResetLive, WhatAServerCannotDoAfterwardsIsItsRefusal) {
  registry().add(kCollects);
  start_worker();
  const auto handle = start<&Collects::run>("a");
  eventually([&] { return count_events(handle.fetch_history(), "WORKFLOW_TASK_COMPLETED") == 1; },
             "the first task");
  EXPECT_THAT(refusal([&] {
                handle.reset({.to = ResetTo::kLastWorkflowTask,
                              .reason = "r",
                              .post_reset_operations = {PostResetSignal{.name = "finish"}}});
              }),
              HasSubstr("unsupported post reset operation"));
  handle.terminate();
}

TEST_P(ResetLive, SaysWhatIsMissing) {
  registry().add(kCollects);
  const auto nobody = client().get_workflow_handle<&Collects::run>("nobody-" + queue());
  EXPECT_THAT(refusal([&] { nobody.reset({.event_id = 4}); }), HasSubstr("needs a reason"));
  EXPECT_THAT(refusal([&] { nobody.reset({.reason = "r"}); }), HasSubstr("needs the event_id"));
  EXPECT_THAT(refusal([&] {
                nobody.reset({.event_id = 4, .to = ResetTo::kLastWorkflowTask, .reason = "r"});
              }),
              HasSubstr("only goes with ResetTo::kEvent"));
  EXPECT_THAT(refusal([&] {
                nobody.reset({.event_id = 4,
                              .reason = "r",
                              .post_reset_operations = {WorkflowExecutionOptionsUpdate{}}});
              }),
              HasSubstr("options of the new run: none is given"));
  EXPECT_THAT(refusal([&] { nobody.reset({.event_id = 4, .reason = "r"}); }),
              HasSubstr("cannot reset workflow 'nobody-"));
}

// A namespace takes one batch at a time.
BatchHandle start_patiently(Client& client, const BatchOperation& operation,
                            const BatchOptions& options,
                            const std::function<void(const std::function<bool()>&)>& eventually) {
  std::optional<BatchHandle> batch;
  eventually([&] {
    try {
      batch = client.start_batch(operation, options);
    } catch (const RpcError& error) {
      EXPECT_EQ(error.code(), StatusCode::kResourceExhausted) << error.what();
    }
    return batch.has_value();
  });
  return *batch;
}

TEST_P(BatchLive, OneOperationIsDoneToAll) {
  registry().add(kCollects);
  start_worker();
  const auto first = start<&Collects::run>("a"), second = start<&Collects::run>("b");
  const std::string query = absl::StrCat("TaskQueue = '", queue(), "'");
  eventually([&] { return client().count_workflows(query).count == 2; }, "both in the list");
  const auto wait = [](const std::function<bool()>& done) { eventually(done, "a batch"); };
  const auto run = [&](const BatchOperation& operation, const BatchOptions& options) {
    const BatchHandle batch = start_patiently(client(), operation, options, wait);
    wait([&] { return batch.describe().state != BatchState::kRunning; });
    return batch.describe();
  };

  const BatchDescription signalled =
      run(BatchSignal{.name = "add", .args = {make_payload("+")}},
          {.query = query, .reason = "more", .job_id = "job-" + queue()});
  EXPECT_EQ(signalled.job_id, "job-" + queue());
  EXPECT_EQ(signalled.type, BatchType::kSignal);
  EXPECT_EQ(signalled.state, BatchState::kCompleted);
  EXPECT_EQ(signalled.completed, 2);
  EXPECT_EQ(signalled.reason, "more");
  const BatchDescription finished =
      run(BatchSignal{.name = "finish"},
          {.executions = {{.workflow_id = first.id()}}, .reason = "the first"});
  EXPECT_EQ(finished.completed, 1);
  EXPECT_EQ(first.result(), "a+");
  run(BatchTerminate{}, {.executions = {{.workflow_id = second.id()}}, .reason = "the end"});
  EXPECT_THAT(describe(failure_of(second).cause()), HasSubstr("the end"));

  eventually(
      [&] {
        for (const BatchListEntry& each : client().list_batches({.page_size = 10}))
          if (each.job_id == signalled.job_id) return each.state == BatchState::kCompleted;
        return false;
      },
      "the batch in the list");
}

TEST_P(BatchLive, SaysWhatIsMissing) {
  registry().add(kCollects);
  const auto said = [&](const BatchOperation& operation, const BatchOptions& options) {
    return refusal([&] { client().start_batch(operation, options); });
  };
  EXPECT_THAT(said(BatchCancel{}, {.reason = "r"}), HasSubstr("needs a query or executions"));
  EXPECT_THAT(said(BatchCancel{}, {.query = "q", .executions = {{"w"}}, .reason = "r"}),
              HasSubstr("not both"));
  EXPECT_THAT(said(BatchCancel{}, {.query = "q"}), HasSubstr("needs a reason"));
  EXPECT_THAT(said(BatchSignal{}, {.query = "q", .reason = "r"}), HasSubstr("needs a name"));
  EXPECT_THAT(said(BatchReset{.to = ResetTo::kEvent}, {.query = "q", .reason = "r"}),
              HasSubstr("first or last workflow task"));
  EXPECT_THAT(said(BatchReset{.to = ResetTo::kFirstWorkflowTask, .build_id = "1.0"},
                   {.query = "q", .reason = "r"}),
              HasSubstr("both a build_id and another place"));
  for (const float rate : {-1.0F, std::numeric_limits<float>::quiet_NaN()})
    EXPECT_THAT(
        said(BatchCancel{}, {.query = "q", .reason = "r", .max_operations_per_second = rate}),
        HasSubstr("max_operations_per_second is "));
  EXPECT_THAT(said(BatchUpdateOptions{}, {.query = "q", .reason = "r"}),
              HasSubstr("none is given"));
  EXPECT_THAT(refusal([&] { client().get_batch_handle("none-" + queue()).describe(); }),
              HasSubstr("cannot describe batch 'none-"));
  EXPECT_THAT(refusal([&] { client().get_batch_handle("none").stop(""); }), HasSubstr("a reason"));
}

}  // namespace
}  // namespace chimera::live
