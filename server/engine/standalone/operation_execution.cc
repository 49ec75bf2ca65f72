#include "server/engine/standalone/operation_execution.h"

#include "server/engine/run/archive.h"

namespace chimera::server {
namespace {

constexpr std::uint64_t kLayout = 1;  // Of both rows.

template <class Archive, class Execution>
void visit_start(Archive& ar, Execution& e, std::string& namespace_id) {
  ar.text(namespace_id);
  ar.text(e.run_id);
  ar.text(e.operation_id);
  ar.text(e.identity);
  ar.message(e.event);
  ar.message(e.search_attributes);
  ar.message(e.user_metadata);
  ar.text(e.start_request_id);
  ar.time(e.scheduled);
}

template <class Archive, class Execution>
void visit_state(Archive& ar, Execution& e) {
  if constexpr (Archive::kReading) {
    e.operation.read(ar);
  } else {
    e.operation.write(ar);
  }
  ar.number(e.operation.cancel.requested_id);
  ar.number(e.status);
  ar.time(e.closed);
  ar.optional(e.result);
  ar.optional(e.failure);
  ar.number(e.transitions);
  ar.number(e.superseded);
  visit_list(ar, e.links, [&ar](auto& link) { ar.message(link); });
  for (auto* text :
       {&e.cancel_reason, &e.cancel_identity, &e.cancel_request_id, &e.terminate_request_id})
    ar.text(*text);
}

}  // namespace

std::string OperationExecution::state() const {
  switch (status) {
    case enums::NEXUS_OPERATION_EXECUTION_STATUS_COMPLETED:
      return "Succeeded";
    case enums::NEXUS_OPERATION_EXECUTION_STATUS_FAILED:
      return "Failed";
    case enums::NEXUS_OPERATION_EXECUTION_STATUS_CANCELED:
      return "Canceled";
    case enums::NEXUS_OPERATION_EXECUTION_STATUS_TERMINATED:
      return "Terminated";
    case enums::NEXUS_OPERATION_EXECUTION_STATUS_TIMED_OUT:
      return "TimedOut";
    default:
      return "";
  }
}

std::string OperationExecution::start_row() const {
  Writer ar;
  ar.number(kLayout);
  std::string of = ns->id;
  visit_start(ar, *this, of);
  return std::move(ar.out);
}

std::string OperationExecution::state_row() const {
  Writer ar;
  ar.number(kLayout);
  visit_state(ar, *this);
  return std::move(ar.out);
}

bool OperationExecution::read(absl::string_view start, absl::string_view state) {
  Reader first(start), second(state);
  std::uint64_t layout = 0;
  first.number(layout);
  if (!first.ok || layout != kLayout) return false;
  visit_start(first, *this, namespace_id);
  second.number(layout);
  if (!first.ok || !second.ok || layout != kLayout) return false;
  visit_state(second, *this);
  stored = true;
  return second.ok;
}

}  // namespace chimera::server
