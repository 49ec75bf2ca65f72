// BatchSession, a session whose client starts batch operations in a namespace of its own: a
// namespace takes one at a time.
#ifndef CHIMERA_TESTS_CONFORMANCE_BATCH_SESSION_H_
#define CHIMERA_TESTS_CONFORMANCE_BATCH_SESSION_H_

#include <functional>
#include <string>

#include "absl/time/clock.h"

#include "tests/conformance/visibility_session.h"

namespace chimera::conformance {

class BatchSession : public VisibilitySession {
 protected:
  using Request = wf::StartBatchOperationRequest;
  using Described = wf::DescribeBatchOperationResponse;

  // A termination of all of this case's workflows.
  Request batch_request(const std::string& name) {
    Request request;
    request.set_namespace_(ns);
    request.set_job_id(absl::StrCat(id, "-", name));
    request.set_reason("enough");
    request.set_visibility_query(own);
    request.mutable_termination_operation()->set_identity("operator");
    return request;
  }

  // One that waits for batches of other cases, of which there is one at a time.
  absl::Status start_batch(const Request& request) {
    return patient_rpc<wf::StartBatchOperationResponse>(request).status();
  }

  absl::StatusOr<Described> described(const std::string& job_id) {
    wf::DescribeBatchOperationRequest request;
    request.set_namespace_(ns);
    request.set_job_id(job_id);
    return rpc<Described>(request);
  }

  // Starts it and waits for its end.
  Described run(const Request& request) {
    const absl::Status started = start_batch(request);
    EXPECT_TRUE(started.ok()) << started;
    absl::StatusOr<Described> reply = described(request.job_id());
    for (int i = 0; i < 600 && reply.ok() && reply->state() == enums::BATCH_OPERATION_STATE_RUNNING;
         ++i) {
      if (target().genuine) absl::SleepFor(absl::Milliseconds(100));  // Its worker takes seconds.
      reply = described(request.job_id());
    }
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? *reply : Described();
  }

  // Starts workflows `id`-1 and so on, and waits until lists show them.
  void start_many(int count) {
    for (int i = 1; i <= count; ++i) start_as(absl::StrCat(i));
    wait_until_listed(count);
  }
  void wait_until_listed(int count) {
    wf::CountWorkflowExecutionsRequest request;
    request.set_namespace_(ns);
    request.set_query(own);
    for (int i = 0; i < 100; ++i) {
      const auto reply = patient_rpc<wf::CountWorkflowExecutionsResponse>(request);
      if (reply.ok() && reply->count() == count) return;
      if (target().genuine) absl::SleepFor(absl::Milliseconds(20));  // Its lists lag.
    }
    ADD_FAILURE() << count << " workflows are not listed";
  }

  // The history of workflow `id`-`suffix`.
  std::string events_of(const std::string& suffix) {
    const std::string before = id;
    id = absl::StrCat(id, "-", suffix);
    std::string result = events();
    id = before;
    return result;
  }
  HistoryEvent last_of(const std::string& suffix) {
    const std::string before = id;
    id = absl::StrCat(id, "-", suffix);
    HistoryEvent event = last_event();
    id = before;
    return event;
  }

  static void expect_counts(const Described& batch, int total, int complete, int failed) {
    EXPECT_EQ(batch.state(), enums::BATCH_OPERATION_STATE_COMPLETED);
    EXPECT_EQ(batch.total_operation_count(), total);
    EXPECT_EQ(batch.complete_operation_count(), complete);
    EXPECT_EQ(batch.failure_operation_count(), failed);
  }
};

}  // namespace chimera::conformance

#endif  // CHIMERA_TESTS_CONFORMANCE_BATCH_SESSION_H_
