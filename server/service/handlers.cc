#include "server/service/handlers.h"

namespace chimera::server {

void register_all_handlers(MethodTable& table) {
  register_system(table);
  register_namespaces(table);
  register_tasks(table);
  register_activities(table);
  register_executions(table);
  register_updates(table);
  register_histories(table);
  register_visibility(table);
  register_queues(table);
  register_operator(table);
}

}  // namespace chimera::server
