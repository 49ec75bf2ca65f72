#include "temporal/api/batch/v1/message.pb.h"

#include "tests/chaos/load.h"

namespace chimera::chaos {
namespace {

// More than its rate lets go at once, so that lives end in the middle of a batch.
constexpr int kKept = 80;
constexpr char kQuery[] = "WorkflowType = 'Kept'";

wf::StartBatchOperationRequest batch_request(const std::string& job) {
  wf::StartBatchOperationRequest request;
  request.set_namespace_(kNamespace);
  request.set_job_id(job);
  request.set_reason("load");
  return request;
}

std::string kept_id(int number) { return absl::StrCat("kept-", number); }

}  // namespace

// Workflows that nobody runs: nothing but batches happens to them.
bool Load::keep_some() {
  for (int i = 0; i < kKept; ++i) {
    wf::StartWorkflowExecutionRequest request;
    request.set_namespace_(kNamespace);
    request.set_workflow_id(kept_id(i));
    request.mutable_workflow_type()->set_name("Kept");
    request.mutable_task_queue()->set_name("kept");
    request.set_request_id("start-" + kept_id(i));
    const auto started = caller_.until_answered<wf::StartWorkflowExecutionResponse>(request);
    if (!went("start " + kept_id(i), started.status())) return false;
    ledger_.note([&](Acknowledged& all) { all.kept[kept_id(i)] = started->run_id(); });
  }
  return true;
}

// Starts it and waits until it has done all of its executions.
bool Load::run_batch(const wf::StartBatchOperationRequest& request) {
  const std::string what = "batch " + request.job_id();
  wf::DescribeBatchOperationRequest about;
  about.set_namespace_(kNamespace);
  about.set_job_id(request.job_id());
  for (;;) {
    // An answer that was lost makes the next one a refusal.
    const absl::Status started =
        caller_.until_answered<wf::StartBatchOperationResponse>(request).status();
    const bool taken = absl::IsAlreadyExists(started) || absl::IsResourceExhausted(started);
    if (!taken && !went(what, started)) return false;
    if (!taken) break;
    const auto there = caller_.until_answered<wf::DescribeBatchOperationResponse>(about);
    if (there.ok()) break;
    if (!absl::IsNotFound(there.status())) return went("describe " + what, there.status());
  }
  for (;;) {
    const auto described = caller_.until_answered<wf::DescribeBatchOperationResponse>(about);
    if (!went("describe " + what, described.status())) return false;
    if (described->state() == enums::BATCH_OPERATION_STATE_RUNNING) {
      std::this_thread::yield();
      continue;
    }
    if (described->state() != enums::BATCH_OPERATION_STATE_COMPLETED ||
        described->total_operation_count() != kKept ||
        described->complete_operation_count() != kKept || described->failure_operation_count() != 0)
      ledger_.wrong(absl::StrCat(what, ": ", described->ShortDebugString()));
    return true;
  }
}

bool Load::run_batches() {
  if (!keep_some()) return false;
  int number = 0;
  do {
    const std::string job = absl::StrCat("signal-", number);
    wf::StartBatchOperationRequest request = batch_request(job);
    request.mutable_signal_operation()->set_signal(job);
    if (number % 2 == 0) {
      request.set_visibility_query(kQuery);
    } else {
      for (int i = 0; i < kKept; ++i) request.add_executions()->set_workflow_id(kept_id(i));
    }
    if (!run_batch(request)) return false;
    ledger_.note([&](Acknowledged& all) { all.batches.insert(job); });
    ++number;
  } while (starting_);
  wf::StartBatchOperationRequest last = batch_request("terminate");
  last.set_visibility_query(kQuery);
  last.mutable_termination_operation();
  return run_batch(last);
}

void Load::drive_batches() {
  run_batches();
  std::lock_guard lock(mutex_);
  --driving_;
  idle_.notify_all();
}

}  // namespace chimera::chaos
