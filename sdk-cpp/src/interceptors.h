// The seam for interceptors: every call that workflow code, a client or a worker makes is an input
// (what is called, with which options, arguments and headers) that goes through a chain whose last
// link does it. Without interceptors the chain is that link alone. The public classes will stand on
// these; until then only the SDK's own code can add links.
//
// Outbound links belong to one run and are called on its fibers; inbound ones are called around its
// code. A link changes the input, calls on, and returns; what it throws is as if the code had.
#ifndef CHIMERA_SDK_CPP_SRC_INTERCEPTORS_H_
#define CHIMERA_SDK_CPP_SRC_INTERCEPTORS_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chimera/options.h"
#include "chimera/workflow.h"
#include "core/base/api.h"
#include "sdk-cpp/src/payload_access.h"

namespace chimera::sdk {

using Header = api::common::v1::Header;

// --- What workflow code asks for ---

// Everything is borrowed for the call; a link that wants it otherwise passes an input of its own
// on.
struct StartActivityInput {
  std::string_view name;
  const ActivityOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
struct StartLocalActivityInput {
  std::string_view name;
  const LocalActivityOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
struct StartChildInput {
  std::string_view type;
  const ChildWorkflowOptions& options;
  detail::Arguments arguments;
  Header header = {};
};
struct SignalExternalInput {
  const std::string &workflow_id, &run_id;
  bool child;  // Only if it is one of this workflow's.
  std::string_view name;
  detail::Arguments arguments;
  Header header = {};
};
struct CancelExternalInput {
  const std::string &workflow_id, &run_id, &reason;
};
struct ContinueAsNewInput {
  const ContinueAsNewOptions& options;
  detail::Arguments arguments;
  Header header = {};
};

// A link; the base class calls on.
class WorkflowOutbound {
 public:
  // `next` is borrowed and outlives this link; null for the last.
  explicit WorkflowOutbound(WorkflowOutbound* next) : next_(next) {}
  virtual ~WorkflowOutbound() = default;
  virtual detail::OperationPtr start_activity(StartActivityInput& input) {
    return next_->start_activity(input);
  }
  virtual detail::OperationPtr start_local_activity(StartLocalActivityInput& input) {
    return next_->start_local_activity(input);
  }
  // Of the start; the operation of the child's end hangs from it.
  virtual detail::OperationPtr start_child(StartChildInput& input) {
    return next_->start_child(input);
  }
  virtual detail::OperationPtr signal_external(SignalExternalInput& input) {
    return next_->signal_external(input);
  }
  virtual detail::OperationPtr cancel_external(CancelExternalInput& input) {
    return next_->cancel_external(input);
  }
  // The last link throws.
  virtual void continue_as_new(ContinueAsNewInput& input) { next_->continue_as_new(input); }

 private:
  WorkflowOutbound* const next_;
};

// --- What reaches workflow code ---

struct ExecuteWorkflowInput {
  const ProtoPayloads& arguments;  // Decoded, and borrowed for the call like all of this.
  const Header& header;
};
struct HandlerInput {  // Of a signal, a query, an update or its validator.
  const detail::HandlerType& handler;
  const std::string& name;
  const std::string& id;  // Of the query or update; empty for signals.
  const ProtoPayloads& arguments;
  const Header& header;
};

class WorkflowInbound {
 public:
  explicit WorkflowInbound(WorkflowInbound* next) : next_(next) {}
  virtual ~WorkflowInbound() = default;
  virtual void execute(const ExecuteWorkflowInput& input, PayloadSink& result) {
    next_->execute(input, result);
  }
  virtual void handle_signal(const HandlerInput& input) { next_->handle_signal(input); }
  virtual void handle_query(const HandlerInput& input, PayloadSink& result) {
    next_->handle_query(input, result);
  }
  virtual void validate_update(const HandlerInput& input) { next_->validate_update(input); }
  virtual void handle_update(const HandlerInput& input, PayloadSink& result) {
    next_->handle_update(input, result);
  }

 private:
  WorkflowInbound* const next_;
};

// --- Activities ---

struct ExecuteActivityInput {
  const ProtoPayloads& arguments;  // Decoded.
  const Header& header;
};

class ActivityInbound {
 public:
  explicit ActivityInbound(ActivityInbound* next) : next_(next) {}
  virtual ~ActivityInbound() = default;
  virtual void execute(const ExecuteActivityInput& input, PayloadSink& result) {
    next_->execute(input, result);
  }

 private:
  ActivityInbound* const next_;
};

struct HeartbeatInput {
  detail::Arguments details;
};

class ActivityOutbound {
 public:
  explicit ActivityOutbound(ActivityOutbound* next) : next_(next) {}
  virtual ~ActivityOutbound() = default;
  virtual void heartbeat(const HeartbeatInput& input) { next_->heartbeat(input); }

 private:
  ActivityOutbound* const next_;
};

// --- The chains ---

// Makes the links of a worker; null where it has none to add. Shared by its runs and activities:
// any thread.
class WorkerInterceptor {
 public:
  virtual ~WorkerInterceptor() = default;
  virtual std::unique_ptr<WorkflowOutbound> link(WorkflowOutbound* next) { return nullptr; }
  virtual std::unique_ptr<WorkflowInbound> link(WorkflowInbound* next) { return nullptr; }
  virtual std::unique_ptr<ActivityOutbound> link(ActivityOutbound* next) { return nullptr; }
  virtual std::unique_ptr<ActivityInbound> link(ActivityInbound* next) { return nullptr; }
};
using WorkerInterceptors = std::vector<std::shared_ptr<WorkerInterceptor>>;  // Outermost first.

template <class Link>
class Chain {
 public:
  // `last` is borrowed and outlives the chain.
  template <class Interceptor>
  Chain(const std::vector<std::shared_ptr<Interceptor>>& interceptors, Link& last) : first_(&last) {
    for (auto each = interceptors.rbegin(); each != interceptors.rend(); ++each) {
      std::unique_ptr<Link> link = (*each)->link(first_);
      if (link == nullptr) continue;
      first_ = link.get();
      links_.push_back(std::move(link));
    }
  }
  Link& first() const { return *first_; }

 private:
  std::vector<std::unique_ptr<Link>> links_;
  Link* first_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_INTERCEPTORS_H_
