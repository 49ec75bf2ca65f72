// ActivityExecutions, a client's calls about activities that stand alone, at the end of its chain
// of interceptors. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_ACTIVITY_EXECUTIONS_H_
#define CHIMERA_SDK_CPP_SRC_ACTIVITY_EXECUTIONS_H_

#include <optional>
#include <string>
#include <string_view>

#include "chimera/activity_execution.h"
#include "chimera/pages.h"
#include "sdk-cpp/src/interceptors.h"

namespace chimera::sdk {

// Everything is borrowed for the call.
struct StartActivityCall {
  using Answer = detail::ActivityTarget;
  std::string_view type;
  const StartActivityOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
struct ActivityResultCall {
  using Answer = std::optional<Payload>;
  const detail::ActivityTarget& target;
};
struct DescribeActivityCall {
  using Answer = ActivityExecutionDescription;
  const detail::ActivityTarget& target;
  const DescribeActivityOptions& options;
};
struct CancelActivityCall {
  using Answer = void;
  const detail::ActivityTarget& target;
  const std::string& reason;
};
struct TerminateActivityCall {
  using Answer = void;
  const detail::ActivityTarget& target;
  const std::string& reason;
};
struct PauseActivityCall {
  using Answer = void;
  const detail::ActivityTarget& target;
  const std::string& reason;
};
struct UnpauseActivityCall {
  using Answer = void;
  const detail::ActivityTarget& target;
  const std::string& reason;
  Duration jitter;
};
struct UpdateActivityOptionsCall {
  using Answer = ActivityExecutionOptions;
  const detail::ActivityTarget& target;
  const ActivityOptionsUpdate* update;  // Null: as it was started.
};
struct ListActivitiesCall {
  using Answer = PagedRange<ActivityExecution>;
  const std::string& query;
  const ListOptions& options;
};
struct CountActivitiesCall {
  using Answer = ActivityCount;
  const std::string& query;
};
using ActivityExecutionCalls =
    CallList<StartActivityCall, ActivityResultCall, DescribeActivityCall, CancelActivityCall,
             TerminateActivityCall, PauseActivityCall, UnpauseActivityCall,
             UpdateActivityOptionsCall, ListActivitiesCall, CountActivitiesCall>;

class ActivityExecutions {
 public:
  // Borrowed; may still be under construction.
  explicit ActivityExecutions(detail::ClientState& client) : client_(client) {}

  detail::ActivityTarget call(StartActivityCall& call);
  std::optional<Payload> call(ActivityResultCall& call);
  ActivityExecutionDescription call(DescribeActivityCall& call);
  void call(CancelActivityCall& call);
  void call(TerminateActivityCall& call);
  void call(PauseActivityCall& call);
  void call(UnpauseActivityCall& call);
  ActivityExecutionOptions call(UpdateActivityOptionsCall& call);
  PagedRange<ActivityExecution> call(ListActivitiesCall& call);
  ActivityCount call(CountActivitiesCall& call);

 private:
  detail::ClientState& client_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_ACTIVITY_EXECUTIONS_H_
