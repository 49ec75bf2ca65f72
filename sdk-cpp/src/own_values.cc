// Whose values the templates of the public headers convert.
#include "chimera/serialization_context.h"
#include "sdk-cpp/src/activity_context.h"
#include "sdk-cpp/src/client_state.h"
#include "sdk-cpp/src/nexus_context.h"
#include "sdk-cpp/src/workflow_runtime.h"

namespace chimera::detail {
namespace {

const sdk::ValueContext* own_context() {
  if (const auto* activity = sdk::ActivityContext::current_or_null())
    return activity->codec().context();
  if (const auto* nexus = sdk::NexusContext::current_or_null()) return nexus->codec().context();
  if (const auto* run = sdk::WorkflowRuntime::current_or_null()) return &run->run().values;
  return nullptr;
}

const sdk::ValueContext* as_context(const void* context) {
  return static_cast<const sdk::ValueContext*>(context);
}

}  // namespace

OwnValues::OwnValues() : before_(sdk::set_converting(own_context())) {}
OwnValues::~OwnValues() { sdk::set_converting(as_context(before_)); }

WorkflowValues::WorkflowValues(const ClientState& client, const std::string& workflow_id)
    : context_(new sdk::ValueContext(client.values_of(workflow_id))),
      before_(sdk::set_converting(as_context(context_))) {}
WorkflowValues::~WorkflowValues() {
  sdk::set_converting(as_context(before_));
  delete as_context(context_);
}

ActivityValues::ActivityValues(const ClientState& client, const ActivityTarget& target)
    : context_(new sdk::ValueContext(client.values_of(target))),
      before_(sdk::set_converting(as_context(context_))) {}
ActivityValues::~ActivityValues() {
  sdk::set_converting(as_context(before_));
  delete as_context(context_);
}

}  // namespace chimera::detail
