#include "server/engine/turn/incoming.h"

#include "server/base/errors.h"

namespace chimera::server {

bool takes_no_more_signals(const Engine& engine, const Run& run) {
  return run.signal_count >= engine.config().signals_max;
}

absl::Status check_signal(const Engine& engine, const Run& run) {
  if (takes_no_more_signals(engine, run))
    return invalid("exceeded workflow execution limit for signal events");
  if (run.is_closing()) return closing();
  return absl::OkStatus();
}

bool signal_run(Engine& engine, const Run& run,
                history::WorkflowExecutionSignaledEventAttributes attributes,
                const std::string& request_id,
                google::protobuf::RepeatedPtrField<common::Link>* links) {
  if (!request_id.empty() && run.signal_request_ids.all().contains(request_id)) return false;
  Transition t(engine, run);
  if (!request_id.empty()) t.run().signal_request_ids.insert(request_id);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED);
  *event.mutable_workflow_execution_signaled_event_attributes() = std::move(attributes);
  if (links != nullptr) event.mutable_links()->Swap(links);
  t.external(std::move(event));
  t.commit();
  return true;
}

void cancel_run(Engine& engine, const Run& run,
                history::WorkflowExecutionCancelRequestedEventAttributes attributes) {
  Transition t(engine, run);
  HistoryEvent event = t.event(enums::EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED);
  *event.mutable_workflow_execution_cancel_requested_event_attributes() = std::move(attributes);
  t.external(std::move(event));
  // Unlike a signal, a cancel does not wait for a delayed first task.
  t.run().backoff_until = kUnset;
  if (!run.task.pending()) t.want_task();
  t.commit();
}

void wake_delayed(Engine& engine, const Run& run) {
  Transition t(engine, run);
  t.run().backoff_until = kUnset;
  if (!run.task.pending()) t.want_task();
  t.commit();
}

}  // namespace chimera::server
