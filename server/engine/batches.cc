#include "server/engine/batches.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include <nlohmann/json.hpp>

#include "server/base/errors.h"
#include "server/engine/engine.h"
#include "server/engine/rules/limits.h"
#include "server/engine/run/archive.h"
#include "server/engine/run/transition.h"
#include "server/engine/turn/start.h"
#include "server/engine/turn/workflow_task.h"
#include "server/visibility/attributes.h"
#include "server/visibility/values.h"
#include "server/visibility/visibility.h"

namespace chimera::server {
namespace {

constexpr std::uint64_t kLayout = 1;  // Of a row.
// Of the genuine server: worker.batcherConcurrency, worker.batcherRPS, and a page.
constexpr int kAtOnce = 5;
constexpr double kMostPerSecond = 50;
constexpr int kPage = 1000;
constexpr int kAttemptsMost = 50;
constexpr char kRequestType[] = "temporal.api.workflowservice.v1.StartBatchOperationRequest";

common::Payload json_payload(const nlohmann::json& value) {
  common::Payload payload;
  (*payload.mutable_metadata())["encoding"] = "json/plain";
  payload.set_data(value.dump());
  return payload;
}

double rate_of(const BatchRequest& request) {
  const double asked = request.max_operations_per_second();
  return asked > 0 ? std::min(asked, kMostPerSecond) : kMostPerSecond;
}

// The filter with what the genuine server adds to it: all but deletions and resets are about what
// is open.
std::string filter_of(const BatchRequest& request) {
  std::string query = request.visibility_query();
  if (query.empty()) return query;
  const auto& unpause = request.unpause_activities_operation();
  if (request.has_unpause_activities_operation() && !unpause.type().empty()) {
    std::string quoted;
    for (char c : unpause.type()) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    query =
        absl::StrCat("TemporalPauseInfo = 'property:activityType=", quoted, "' AND (", query, ")");
  }
  if (request.has_deletion_operation() || request.has_reset_operation()) return query;
  return absl::StrCat("(", query, ") AND (ExecutionStatus='Running' OR ExecutionStatus='Paused')");
}

bool may_pass(const absl::Status& status) {
  return status.code() == absl::StatusCode::kResourceExhausted ||
         status.code() == absl::StatusCode::kUnavailable;
}

void close(Engine& engine, const Run& run, HistoryEvent event,
           std::optional<common::Payload> stats) {
  Transition t(engine, run);
  end_task_by_force(t);
  if (stats) {
    HistoryEvent memo = t.event(enums::EVENT_TYPE_WORKFLOW_PROPERTIES_MODIFIED);
    (*memo.mutable_workflow_properties_modified_event_attributes()
          ->mutable_upserted_memo()
          ->mutable_fields())["batch_operation_stats"] = *std::move(stats);
    t.write(std::move(memo));
  }
  *event.mutable_event_time() = t.event(event.event_type()).event_time();
  t.write(std::move(event));
  t.commit();
}

}  // namespace

struct Batches::Batch {
  std::string run_id;
  BatchRequest request;
  std::string filter;  // Empty: the request lists executions.
  std::unique_ptr<Timer> timer;
  // --- Stored.
  Progress progress;
  bool counted = false;
  std::int64_t listed = 0;                 // Of the request's executions, those that are done.
  std::optional<visibility::Place> after;  // The place of the last one that is done.
  // --- Not stored.
  std::deque<std::string> rows;  // What the index answered and is not done.
  bool fetched = false;          // Once since the start.
  bool more = true;              // Behind the rows.
  bool asked = false;            // The index is about to answer.
  int attempts = 0;              // At the next execution.
  double tokens = 0;
  WallTime refilled{};

  template <class Archive>
  void visit(Archive& ar) {
    ar.number(progress.total);
    ar.number(progress.complete);
    ar.number(progress.failed);
    ar.number(counted);
    ar.number(listed);
    bool place = after.has_value();
    ar.number(place);
    if (!place) return;
    if constexpr (Archive::kReading) after.emplace();
    ar.number(after->open);
    ar.number(after->close_time);
    ar.number(after->start_time);
    ar.text(after->run_id);
  }
};

Batches::Batches(Engine& engine) : engine_(engine) {}
Batches::~Batches() = default;

bool Batches::of_activities(const BatchRequest& request) {
  return request.has_terminate_activities_operation() ||
         request.has_cancel_activities_operation() || request.has_delete_activities_operation();
}

std::optional<BatchRequest> Batches::request_of(const Run& run) {
  const auto& input = run.start().input();
  BatchRequest request;
  if (run.workflow_type != kBatchType || input.payloads_size() != 1 ||
      !request.ParseFromString(input.payloads(0).data()))
    return std::nullopt;
  return request;
}

std::size_t Batches::under_way(const Namespace& ns) const {
  return static_cast<std::size_t>(std::count_if(all_.begin(), all_.end(), [&](const auto& each) {
    const Run* run = engine_.runs().by_id(each.first);
    return run != nullptr && run->ns == &ns && run->running();
  }));
}

Batches::Batch* Batches::find(const std::string& run_id) {
  const auto found = all_.find(run_id);
  return found == all_.end() ? nullptr : found->second.get();
}

const Batches::Progress* Batches::progress(const Run& run) const {
  const auto found = all_.find(run.run_id);
  const bool there =
      found != all_.end() && run.running();  // What is stopped goes at its next turn.
  return there ? &found->second->progress : nullptr;
}

Batches::Batch& Batches::add(const std::string& run_id) {
  auto& batch = all_[run_id];
  batch = std::make_unique<Batch>();
  batch->run_id = run_id;
  batch->timer = std::make_unique<Timer>([this, run_id] { advance(run_id); });
  return *batch;
}

void Batches::erase(std::string run_id) {
  if (all_.erase(run_id) > 0) engine_.put_value(kTable, run_id, "", /*erase=*/true);
}

void Batches::save(Batch& batch) {
  Writer ar;
  ar.number(kLayout);
  batch.visit(ar);
  engine_.put_value(kTable, batch.run_id, std::move(ar.out));
}

void Batches::start(Namespace& ns, BatchRequest request, const std::string& identity,
                    common::Memo memo) {
  StartSpec spec;
  spec.ns = &ns;
  spec.workflow_id = request.job_id();
  spec.run_id = engine_.ids().run_id(engine_.now());
  spec.request_id = engine_.ids().uuid();
  spec.has_worker = false;
  auto& a = spec.attributes;
  a.mutable_workflow_type()->set_name(kBatchType);
  a.mutable_task_queue()->set_name(kBatchQueue);
  common::Payload& input = *a.mutable_input()->add_payloads();
  (*input.mutable_metadata())["encoding"] = "binary/protobuf";
  (*input.mutable_metadata())["messageType"] = kRequestType;
  input.set_data(request.SerializeAsString());
  set(a.mutable_workflow_task_timeout(), capped_task_timeout(Nanos{0}, Nanos{0}));
  set(a.mutable_first_workflow_task_backoff(), Nanos{0});
  a.set_identity(identity);
  *a.mutable_memo() = std::move(memo);
  common::SearchAttributes attributes;
  (*attributes.mutable_indexed_fields())["BatcherUser"] = json_payload(identity);
  (*attributes.mutable_indexed_fields())["TemporalNamespaceDivision"] =
      json_payload(kBatchDivision);
  *a.mutable_search_attributes() = with_types(ns.search_attributes, std::move(attributes));
  const Run& run = create_run(engine_, std::move(spec));
  Batch& batch = add(run.run_id);
  batch.filter = filter_of(request);
  batch.request = std::move(request);
  save(batch);
  engine_.follow_up([this, run_id = run.run_id] { advance(run_id); });
}

void Batches::advance(std::string run_id) {
  Batch* batch = find(run_id);
  if (batch == nullptr || batch->asked) return;
  const Run* run = engine_.runs().by_id(run_id);
  // It was stopped, which is to terminate its run, or deleted.
  if (run == nullptr || !run->running()) return erase(run_id);
  if (run->cancel_requested) {
    HistoryEvent event;
    event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED);
    event.mutable_workflow_execution_canceled_event_attributes();
    close(engine_, *run, std::move(event), std::nullopt);
    return erase(run_id);
  }
  if (!batch->counted) return count(run_id, *batch, *run);
  work(*batch, *run);
}

void Batches::work(Batch& batch, const Run& run) {
  const std::string run_id = batch.run_id;
  const RunPtr keep = share(run);
  for (int done = 0; done < kAtOnce; ++done) {
    const std::optional<common::WorkflowExecution> execution = next(batch);
    if (!execution && has_more(batch)) return fetch(run_id, batch, run);
    if (!execution) return complete(run_id, run);
    if (!may_go_on(batch)) return;
    batch.request.set_namespace_(run.ns->name());
    const absl::Status status = operate_(engine_, run_id, batch.request, *execution);
    if (may_pass(status) && ++batch.attempts < kAttemptsMost) continue;
    ++(status.ok() || absl::IsNotFound(status) ? batch.progress.complete : batch.progress.failed);
    pass(batch);
    save(batch);
    if (!run.running()) return erase(run_id);  // It was one of its own executions.
  }
  engine_.post([this, run_id] { advance(run_id); });  // Behind what others have asked for.
}

bool Batches::may_go_on(Batch& batch) {
  const double rate = rate_of(batch.request);
  const WallTime now = engine_.now();
  const double most = std::max(rate, 1.0);
  if (batch.refilled == kUnset) {
    batch.tokens = most;
  } else {
    const double passed = std::chrono::duration<double>(now - batch.refilled).count();
    batch.tokens = std::min(most, batch.tokens + std::max(passed, 0.0) * rate);
  }
  batch.refilled = now;
  if (batch.tokens >= 1) {
    batch.tokens -= 1;
    return true;
  }
  const std::chrono::duration<double> wait((1 - batch.tokens) / rate);
  engine_.timers().arm(*batch.timer, now + std::max<Nanos>(std::chrono::duration_cast<Nanos>(wait),
                                                           milliseconds{1}));
  return false;
}

std::optional<common::WorkflowExecution> Batches::next(Batch& batch) {
  const BatchRequest& request = batch.request;
  const auto listed = static_cast<int>(batch.listed);
  if (!batch.filter.empty()) {
    if (batch.rows.empty()) return std::nullopt;
    ::temporal::api::workflow::v1::WorkflowExecutionInfo info;
    info.ParseFromString(batch.rows.front());
    return info.execution();
  }
  if (listed < request.executions_size()) return request.executions(listed);
  if (listed >= request.target_executions_size()) return std::nullopt;
  common::WorkflowExecution execution;
  execution.set_workflow_id(request.target_executions(listed).business_id());
  execution.set_run_id(request.target_executions(listed).run_id());
  return execution;
}

void Batches::pass(Batch& batch) {
  batch.attempts = 0;
  if (batch.filter.empty()) {
    ++batch.listed;
    return;
  }
  ::temporal::api::workflow::v1::WorkflowExecutionInfo info;
  info.ParseFromString(batch.rows.front());
  batch.rows.pop_front();
  const auto nanos = [](const google::protobuf::Timestamp& time) {
    return to_wall(time).time_since_epoch().count();
  };
  batch.after = {info.status() == enums::WORKFLOW_EXECUTION_STATUS_RUNNING ||
                     info.status() == enums::WORKFLOW_EXECUTION_STATUS_PAUSED,
                 nanos(info.close_time()), nanos(info.start_time()), info.execution().run_id()};
}

bool Batches::has_more(const Batch& batch) const {
  return !batch.filter.empty() && (!batch.fetched || batch.more);
}

void Batches::count(const std::string& run_id, Batch& batch, const Run& run) {
  if (batch.filter.empty()) {
    batch.counted = true;
    batch.progress.total = batch.request.executions_size() + batch.request.target_executions_size();
    return work(batch, run);
  }
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(batch.filter, attribute_types(run.ns->search_attributes));
  if (query.ok() && !query->group_by.empty())
    query = invalid("invalid query: operation is not supported: 'group by' clause");
  if (!query.ok()) return fail(run_id, query.status());
  batch.asked = true;
  engine_.visibility().count(run.ns->id, *std::move(query),
                             [this, run_id](absl::StatusOr<visibility::Count> count) {
                               engine_.post([this, run_id, count = std::move(count)] {
                                 Batch* waiting = find(run_id);
                                 if (waiting == nullptr) return;
                                 waiting->asked = false;
                                 if (!count.ok()) return fail(run_id, count.status());
                                 waiting->counted = true;
                                 waiting->progress.total = count->rows;
                                 save(*waiting);
                                 advance(run_id);
                               });
                             });
}

void Batches::fetch(const std::string& run_id, Batch& batch, const Run& run) {
  absl::StatusOr<visibility::Query> query =
      visibility::parse_query(batch.filter, attribute_types(run.ns->search_attributes));
  if (!query.ok()) return fail(run_id, query.status());
  batch.asked = true;
  engine_.visibility().list(run.ns->id, *std::move(query), kPage, batch.after,
                            [this, run_id](absl::StatusOr<visibility::Page> page) {
                              engine_.post([this, run_id, page = std::move(page)]() mutable {
                                Batch* waiting = find(run_id);
                                if (waiting == nullptr) return;
                                waiting->asked = false;
                                if (!page.ok()) return fail(run_id, page.status());
                                waiting->fetched = true;
                                waiting->more = page->last.has_value();
                                waiting->rows.assign(std::make_move_iterator(page->infos.begin()),
                                                     std::make_move_iterator(page->infos.end()));
                                advance(run_id);
                              });
                            });
}

void Batches::complete(const std::string& run_id, const Run& run) {
  const Progress& progress = find(run_id)->progress;
  HistoryEvent event;
  event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED);
  *event.mutable_workflow_execution_completed_event_attributes()->mutable_result()->add_payloads() =
      json_payload({{"TotalEstimate", progress.total},
                    {"SuccessCount", progress.complete},
                    {"ErrorCount", progress.failed}});
  close(engine_, run, std::move(event),
        json_payload({{"NumSuccess", progress.complete}, {"NumFailure", progress.failed}}));
  erase(run_id);
}

void Batches::fail(const std::string& run_id, const absl::Status& why) {
  const Run* run = engine_.runs().by_id(run_id);
  if (run == nullptr || !run->running()) return erase(run_id);
  HistoryEvent event;
  event.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED);
  auto& a = *event.mutable_workflow_execution_failed_event_attributes();
  a.mutable_failure()->set_message(std::string(why.message()));
  a.mutable_failure()->set_source("Server");
  a.mutable_failure()->mutable_application_failure_info()->set_type("InvalidArgument");
  a.mutable_failure()->mutable_application_failure_info()->set_non_retryable(true);
  a.set_retry_state(enums::RETRY_STATE_RETRY_POLICY_NOT_SET);
  close(engine_, *run, std::move(event), std::nullopt);
  erase(run_id);
}

absl::Status Batches::restore(const std::string& key, const std::string& value) {
  Reader ar(value);
  ar.number(ar.version);
  if (ar.ok && ar.version == kLayout) add(key).visit(ar);
  if (ar.ok && ar.version == kLayout) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("the database is damaged: batch operation ", key,
                   ". Restore a copy of the file, or start with another file name."));
}

void Batches::resume() {
  for (auto& [run_id, batch] : all_) {
    const Run* run = engine_.runs().by_id(run_id);
    if (std::optional<BatchRequest> request = run == nullptr ? std::nullopt : request_of(*run)) {
      batch->request = *std::move(request);
      batch->filter = filter_of(batch->request);
    }
    // Its turn comes when the loop runs.
    engine_.timers().arm(*batch->timer, engine_.now());
  }
}

}  // namespace chimera::server
