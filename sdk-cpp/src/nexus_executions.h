// NexusExecutions, a client's calls about Nexus operations that stand alone, at the end of its
// chain of interceptors. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_NEXUS_EXECUTIONS_H_
#define CHIMERA_SDK_CPP_SRC_NEXUS_EXECUTIONS_H_

#include <optional>
#include <string>
#include <string_view>

#include "chimera/nexus_execution.h"
#include "chimera/pages.h"
#include "sdk-cpp/src/interceptors.h"

namespace chimera::sdk {

// Everything is borrowed for the call.
struct StartNexusExecutionCall {
  using Answer = detail::NexusTarget;
  std::string_view endpoint, service, operation;
  const StartNexusOperationOptions& options;
  detail::Arguments input;  // One, or none: null.
};
struct NexusResultCall {
  using Answer = std::optional<Payload>;
  detail::NexusTarget& target;  // Learns of which operation it is.
};
struct DescribeNexusCall {
  using Answer = NexusExecutionDescription;
  const detail::NexusTarget& target;
  const DescribeNexusOperationOptions& options;
};
struct CancelNexusCall {
  using Answer = void;
  const detail::NexusTarget& target;
  const std::string& reason;
};
struct TerminateNexusCall {
  using Answer = void;
  const detail::NexusTarget& target;
  const std::string& reason;
};
struct ListNexusCall {
  using Answer = PagedRange<NexusExecution>;
  const std::string& query;
  const ListOptions& options;
};
struct CountNexusCall {
  using Answer = NexusExecutionCount;
  const std::string& query;
};
using NexusExecutionCalls =
    CallList<StartNexusExecutionCall, NexusResultCall, DescribeNexusCall, CancelNexusCall,
             TerminateNexusCall, ListNexusCall, CountNexusCall>;

class NexusExecutions {
 public:
  // Borrowed; may still be under construction.
  explicit NexusExecutions(detail::ClientState& client) : client_(client) {}

  detail::NexusTarget call(StartNexusExecutionCall& call);
  std::optional<Payload> call(NexusResultCall& call);
  NexusExecutionDescription call(DescribeNexusCall& call);
  void call(CancelNexusCall& call);
  void call(TerminateNexusCall& call);
  PagedRange<NexusExecution> call(ListNexusCall& call);
  NexusExecutionCount call(CountNexusCall& call);

 private:
  // Asks the server of which operation it is, unless that is known.
  void learn(detail::NexusTarget& target);

  detail::ClientState& client_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_NEXUS_EXECUTIONS_H_
