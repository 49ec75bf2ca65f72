#include "server/engine/pending/external.h"

namespace chimera::server {

const Run* external_target(Engine& engine, const Run& sender, const Namespace* ns,
                           const common::WorkflowExecution& execution, bool child_only) {
  if (ns == nullptr) return nullptr;
  const Run* target = execution.run_id().empty()
                          ? engine.runs().current(*ns, execution.workflow_id())
                          : engine.runs().by_id(execution.run_id());
  if (target == nullptr || target->ns != ns || target == &sender || !target->running() ||
      target->workflow_id != execution.workflow_id()) {
    return nullptr;
  }
  if (child_only && target->start().parent_workflow_execution().workflow_id() != sender.workflow_id)
    return nullptr;
  return target;
}

const Namespace* target_namespace(const Engine& engine, const Run& run, const std::string& named) {
  return named.empty() ? run.ns : engine.namespaces().find(named);
}

const std::string& target_namespace_name(const Run& run, const std::string& named) {
  return named.empty() ? run.ns->name() : named;
}

}  // namespace chimera::server
