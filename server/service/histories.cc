// The history reads.
#include <algorithm>

#include "server/base/errors.h"
#include "server/base/tokens.h"
#include "server/engine/engine.h"
#include "server/engine/turn/workflow_task.h"
#include "server/service/archives.h"
#include "server/service/handlers.h"
#include "server/service/method_table.h"

namespace chimera::server {
namespace {

constexpr int kBatchesMax = 256;
constexpr Nanos kLongPoll = seconds{20};
constexpr Nanos kMargin = seconds{1};

// A read that waits for the run to change. Owned by the waiters that it has left at the run and by
// its timer's holder.
struct HistoryWait {
  HistoryCall call;
  PageToken token;
  RunWeak run;
  std::unique_ptr<Timer> deadline;
  std::uint64_t place = 0;  // Among the run's waiters.

  void leave() const {
    if (const RunPtr live = run.lock()) live->waiting.history.erase(place);
  }
};

void read(Engine& engine, std::shared_ptr<HistoryWait> waiting, bool may_wait);

void wait(Engine& engine, const std::shared_ptr<HistoryWait>& waiting, const Run& run) {
  waiting->place = engine.ids().next_stamp();
  run.waiting.history[waiting->place] = [&engine, waiting] {
    read(engine, waiting, /*may_wait=*/true);
  };
  if (waiting->deadline != nullptr) return;
  waiting->call.raw()->on_cancel = [weak = std::weak_ptr(waiting)] {
    if (const auto live = weak.lock()) live->leave();
  };
  waiting->deadline = std::make_unique<Timer>([&engine, weak = std::weak_ptr(waiting)] {
    const auto live = weak.lock();
    if (live != nullptr)
      engine.follow_up([&engine, live] { read(engine, live, /*may_wait=*/false); });
  });
  Nanos patience = kLongPoll;
  const Nanos timeout = waiting->call.raw()->timeout;
  if (timeout > Nanos{0})
    patience = std::min(patience, std::max<Nanos>(timeout - kMargin, milliseconds{1}));
  engine.loop().patience().arm(*waiting->deadline, engine.loop().real_now() + patience);
}

// The first event after a page of at most `batches` batches that begins at `first`.
std::int64_t page_end(const Run& run, std::int64_t first, std::int64_t end, int batches) {
  auto it = std::upper_bound(run.batches.begin(), run.batches.end(), first);
  if (run.batches.end() - it < batches) return end;
  return std::min(end, it[batches - 1]);
}

// Of an end that another run follows: a client that does not say that it goes on there by itself is
// told as of a run that continues as new (genuine servers 1.29, 1.32).
HistoryEvent as_continued(const HistoryEvent& event) {
  HistoryEvent continued;
  auto& a = *continued.mutable_workflow_execution_continued_as_new_event_attributes();
  switch (event.event_type()) {
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED: {
      const auto& end = event.workflow_execution_completed_event_attributes();
      a.set_new_execution_run_id(end.new_execution_run_id());
      if (end.has_result()) *a.mutable_last_completion_result() = end.result();
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_FAILED: {
      const auto& end = event.workflow_execution_failed_event_attributes();
      a.set_new_execution_run_id(end.new_execution_run_id());
      *a.mutable_failure() = end.failure();
      break;
    }
    case enums::EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT:
      a.set_new_execution_run_id(
          event.workflow_execution_timed_out_event_attributes().new_execution_run_id());
      a.mutable_failure()->set_message("workflow timeout");
      a.mutable_failure()->set_source("Server");
      a.mutable_failure()->mutable_timeout_failure_info()->set_timeout_type(
          enums::TIMEOUT_TYPE_START_TO_CLOSE);
      break;
    default:
      return event;
  }
  if (a.new_execution_run_id().empty()) return event;
  continued.set_event_id(event.event_id());
  *continued.mutable_event_time() = event.event_time();
  continued.set_version(event.version());
  continued.set_task_id(event.task_id());
  continued.set_event_type(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW);
  return continued;
}

void read_close_event(Engine& engine, const std::shared_ptr<HistoryWait>& waiting, const Run& run,
                      bool may_wait) {
  auto& response = waiting->call.response();
  if (!run.running()) {
    *response.mutable_history()->add_events() =
        waiting->call.raw()->follows_runs ? run.last_event() : as_continued(run.last_event());
  } else if (waiting->token.wait) {
    if (may_wait) return wait(engine, waiting, run);
    response.mutable_history();
    response.set_next_page_token(waiting->token.encode());
  } else {
    response.mutable_history();
  }
  engine.finish(waiting->call.raw(), absl::OkStatus());
}

void read_page(Engine& engine, const std::shared_ptr<HistoryWait>& waiting, const Run& run,
               bool may_wait) {
  const auto& request = waiting->call.request();
  auto& response = waiting->call.response();
  PageToken token = waiting->token;
  const std::int64_t end = token.end_id > 0 ? token.end_id : run.next_event_id();
  if (token.next_id >= end && token.wait && run.running()) {
    if (may_wait) return wait(engine, waiting, run);
    response.mutable_history();
    response.set_next_page_token(token.encode());
    engine.finish(waiting->call.raw(), absl::OkStatus());
    return;
  }
  int batches = request.maximum_page_size() > 0 ? request.maximum_page_size() : kBatchesMax;
  batches = std::min(batches, kBatchesMax);
  const std::int64_t until = page_end(run, token.next_id, end, batches);
  auto& history = *response.mutable_history();
  for (std::int64_t id = token.next_id; id < until; ++id) {
    *history.add_events() = run.events.events(static_cast<int>(id - 1));
  }
  token.next_id = until;
  const bool more = until < end || (token.wait && run.running());
  if (more) response.set_next_page_token(token.encode());
  if (!more && token.worker) append_unwritten_events(run, history);
  engine.finish(waiting->call.raw(), absl::OkStatus());
}

void read(Engine& engine, std::shared_ptr<HistoryWait> waiting, bool may_wait) {
  waiting->leave();
  if (waiting->call.raw()->finished) return;
  const RunPtr run = waiting->run.lock();
  if (run == nullptr || engine.runs().by_id(waiting->token.run_id) == nullptr) {
    engine.finish(waiting->call.raw(), not_found("workflow execution not found"));
    return;
  }
  if (waiting->call.request().history_event_filter_type() ==
      enums::HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT) {
    return read_close_event(engine, waiting, *run, may_wait);
  }
  read_page(engine, waiting, *run, may_wait);
}

// The token of a page that follows; `run_id` is the request's, and becomes the token's.
absl::StatusOr<PageToken> follow(const std::string& bytes, std::string& run_id) {
  if (bytes.empty()) return PageToken{};
  auto token = PageToken::decode(bytes);
  if (!token) return invalid("Invalid NextPageToken.");
  if (!run_id.empty() && token->run_id != run_id)
    return invalid("RunId in the request does not match the NextPageToken.");
  run_id = token->run_id;
  return *std::move(token);
}

// A token may come from a server that has lost what it tells of.
bool fits(const PageToken& token, const Run& run) {
  return token.next_id <= run.next_event_id() && token.end_id <= run.next_event_id();
}

absl::Status get_history(Engine& engine, HistoryCall call) {
  auto& request = call.request();
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  if (is_for_archive(engine, **ns, request)) return read_archived(engine, **ns, call);
  std::string run_id = request.execution().run_id();
  absl::StatusOr<PageToken> followed = follow(request.next_page_token(), run_id);
  if (!followed.ok()) return followed.status();
  PageToken token = *std::move(followed);
  absl::StatusOr<const Run*> run =
      engine.runs().find(**ns, request.execution().workflow_id(), run_id);
  if (!run.ok()) return run.status();
  if (!fits(token, **run)) return invalid("Invalid NextPageToken.");
  if (token.run_id.empty()) {
    token.run_id = (*run)->run_id;
    token.wait = request.wait_new_event();
    if (!token.wait) token.end_id = (*run)->next_event_id();
    token.worker = !token.wait && (*run)->running() && call.raw()->reads_unwritten;
  }
  auto waiting =
      std::make_shared<HistoryWait>(HistoryWait{call, std::move(token), share(**run), nullptr});
  read(engine, std::move(waiting), /*may_wait=*/true);
  return absl::OkStatus();
}

absl::Status get_history_reverse(Engine& engine,
                                 wf::GetWorkflowExecutionHistoryReverseRequest& request,
                                 wf::GetWorkflowExecutionHistoryReverseResponse& response) {
  absl::StatusOr<Namespace*> ns = engine.resolve_namespace(request.namespace_());
  if (!ns.ok()) return ns.status();
  std::string run_id = request.execution().run_id();
  const absl::StatusOr<PageToken> token = follow(request.next_page_token(), run_id);
  if (!token.ok()) return token.status();
  absl::StatusOr<const Run*> found =
      engine.runs().find(**ns, request.execution().workflow_id(), run_id);
  if (!found.ok()) return found.status();
  const Run& run = **found;
  if (!fits(*token, run)) return invalid("Invalid NextPageToken.");
  const std::int64_t last = token->run_id.empty() ? run.events.events_size() : token->next_id - 1;
  int batches = request.maximum_page_size() > 0 ? std::min(request.maximum_page_size(), kBatchesMax)
                                                : kBatchesMax;
  auto batch = std::upper_bound(run.batches.begin(), run.batches.end(), last);
  const std::int64_t first = batch - run.batches.begin() > batches ? *(batch - batches) : 1;
  auto& history = *response.mutable_history();
  for (std::int64_t id = last; id >= first; --id)
    *history.add_events() = run.events.events(static_cast<int>(id - 1));
  if (first > 1)
    response.set_next_page_token(PageToken{run.run_id, first, 0, false, false}.encode());
  return absl::OkStatus();
}

}  // namespace

void register_histories(MethodTable& table) {
  table.add("GetWorkflowExecutionHistory", get_history);
  table.add("GetWorkflowExecutionHistoryReverse", get_history_reverse);
}

}  // namespace chimera::server
