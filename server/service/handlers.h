// The groups of RPC handlers; each registers its methods in the table.
#ifndef CHIMERA_SERVER_SERVICE_HANDLERS_H_
#define CHIMERA_SERVER_SERVICE_HANDLERS_H_

namespace chimera::server {

class MethodTable;

void register_system(MethodTable& table);  // GetSystemInfo, GetClusterInfo.
// TestService: its time.
void register_test_service(MethodTable& table);
void register_health(MethodTable& table);
void register_namespaces(MethodTable& table);
void register_tasks(MethodTable& table);        // What workers call.
void register_nexus_tasks(MethodTable& table);  // Their answers.
void register_activities(MethodTable& table);
void register_activity_options(MethodTable& table);
void register_activity_executions(MethodTable& table);  // Those that stand alone.
void register_nexus_operations(MethodTable& table);     // Likewise.
void register_standalone_lists(MethodTable& table);
void register_activity_operators(MethodTable& table);  // Of both kinds, by id.
void register_starts(MethodTable& table);
void register_executions(MethodTable& table);        // Signal, cancel, terminate, describe.
void register_workflow_options(MethodTable& table);  // And pauses of workflows.
void register_fast_forwards(MethodTable& table);     // Their ends; of single workflows.
void register_batches(MethodTable& table);
void register_queries(MethodTable& table);
void register_resets(MethodTable& table);
void register_updates(MethodTable& table);
void register_histories(MethodTable& table);
void register_visibility(MethodTable& table);
void register_archives(MethodTable& table);
void register_schedules(MethodTable& table);
void register_queues(MethodTable& table);
void register_deployments(MethodTable& table);
void register_workers(MethodTable& table);   // What they tell of themselves.
void register_refusals(MethodTable& table);  // Of what the genuine server refuses, too.
void register_operator(MethodTable& table);
void register_nexus_endpoints(MethodTable& table);  // Behind the one before.
void register_all_handlers(MethodTable& table);

}  // namespace chimera::server

#endif  // CHIMERA_SERVER_SERVICE_HANDLERS_H_
