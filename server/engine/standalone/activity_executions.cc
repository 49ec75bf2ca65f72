#include "server/engine/standalone/activity_executions.h"

#include "server/engine/engine.h"
#include "server/engine/standalone/activity_change.h"

namespace chimera::server {

void ActivityExecutions::do_due(const ActivityExecution& execution) {
  ActivityChange change(engine_, execution);
  change.do_due() ? change.commit() : change.commit_unseen();
}

void ActivityExecutions::go_on(const ActivityExecution& execution) {
  ActivityChange change(engine_, execution);
  Activity& activity = change.activity();
  if (activity.is_started())
    activity.dispatched = true;
  else if (!activity.paused && activity.scheduled <= engine_.now())
    attempt::dispatch(change, activity);
  change.commit_unseen();
}

void ActivityExecutions::terminate(const ActivityExecution& execution) {
  ActivityChange change(engine_, execution);
  change.terminate("Delete activity execution", "", "");
  change.commit();
}

}  // namespace chimera::server
