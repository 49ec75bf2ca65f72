#include "server/service/handlers.h"

#include "server/service/method_table.h"

namespace chimera::server {

void register_all_handlers(MethodTable& table) {
  table.set_service("temporal.api.workflowservice.v1.WorkflowService");
  register_system(table);
  register_namespaces(table);
  register_tasks(table);
  register_nexus_tasks(table);
  register_activities(table);
  register_activity_options(table);
  register_activity_executions(table);
  register_nexus_operations(table);
  register_standalone_lists(table);
  register_activity_operators(table);
  register_starts(table);
  register_executions(table);
  register_workflow_options(table);
  register_fast_forwards(table);
  register_batches(table);
  register_queries(table);
  register_resets(table);
  register_updates(table);
  register_histories(table);
  register_visibility(table);
  register_archives(table);
  register_schedules(table);
  register_queues(table);
  register_workers(table);
  register_deployments(table);
  register_refusals(table);
  register_operator(table);
  register_nexus_endpoints(table);
  table.set_service("temporal.api.testservice.v1.TestService");
  register_test_service(table);
  register_health(table);
}

}  // namespace chimera::server
