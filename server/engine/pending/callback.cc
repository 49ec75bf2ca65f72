#include "server/engine/pending/callback.h"

#include "server/engine/run/archive.h"

namespace chimera::server {
namespace {

template <class Archive, class Callback>
void visit(Archive& ar, Callback& callback) {
  ar.number(callback.state);
  NexusAttempts::visit(ar, callback.attempts);
}

}  // namespace

void RunCallback::write(Writer& ar) const { visit(ar, *this); }
void RunCallback::read(Reader& ar) { visit(ar, *this); }

void Callbacks::add(const google::protobuf::RepeatedPtrField<common::Callback>& callbacks,
                    const std::string& attached_by, WallTime at) {
  for (const common::Callback& callback : callbacks) {
    RunCallback& added = all_.emplace_back();
    added.callback = callback;
    added.attached_by = attached_by;
    added.registered = at;
  }
}

bool Callbacks::fold(const HistoryEvent& event) {
  const WallTime at = to_wall(event.event_time());
  if (event.has_workflow_execution_started_event_attributes()) {
    add(event.workflow_execution_started_event_attributes().completion_callbacks(), "", at);
  } else if (event.has_workflow_execution_options_updated_event_attributes()) {
    const auto& a = event.workflow_execution_options_updated_event_attributes();
    add(a.attached_completion_callbacks(), a.attached_request_id(), at);
  }
  return false;
}

void Callbacks::read_row(std::int64_t place, Reader& ar) {
  RunCallback unknown;
  (has_row(place) ? all_[static_cast<std::size_t>(place)] : unknown).read(ar);
}

void Callbacks::hand_on(history::WorkflowExecutionStartedEventAttributes& start) const {
  start.clear_completion_callbacks();
  for (const RunCallback& each : all_) *start.add_completion_callbacks() = each.callback;
}

}  // namespace chimera::server
