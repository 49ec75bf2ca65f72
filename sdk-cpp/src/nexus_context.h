// NexusContext, a request to a Nexus service that is handled: what its handler asks and is told, on
// the thread that runs it.
#ifndef CHIMERA_SDK_CPP_SRC_NEXUS_CONTEXT_H_
#define CHIMERA_SDK_CPP_SRC_NEXUS_CONTEXT_H_

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "chimera/client.h"
#include "chimera/nexus.h"
#include "core/language/nexus_language.h"
#include "core/telemetry/metrics.h"
#include "sdk-cpp/src/log.h"
#include "sdk-cpp/src/nexus_links.h"
#include "sdk-cpp/src/operations/values.h"
#include "sdk-cpp/src/stop_request.h"

namespace chimera::sdk {

// Its own thread, but for what is said to be any's.
class NexusContext {
 public:
  struct Worker {  // All borrowed, but for the client.
    const Codec& codec;
    const std::string &namespace_, &task_queue;
    core::Metrics& metrics;
    detail::ClientPtr client;
  };
  NexusContext(core::NexusTask task, Worker worker);
  // Throws std::logic_error on a thread that handles no request.
  static NexusContext& current(const char* call);
  static NexusContext* current_or_null();
  // From now on this thread handles that one, or none (null).
  static void enter(NexusContext* context);

  const nexus::Info& info() const { return info_; }
  const api::nexus::v1::Request& request() const { return task_.message->request(); }
  const std::string& token() const { return task_.message->task_token(); }
  core::NexusHandle& handle() const { return *task_.handle; }
  // "Nexus operation Payments/charge (request 01a1...)"
  const std::string& owner() const { return owner_; }
  const Codec& codec() const { return values_.codec(); }
  core::Metrics& metrics() const { return worker_.metrics; }
  const detail::ClientPtr& client() const { return worker_.client; }

  void add_link(nexus::Link link) { links_.push_back(std::move(link)); }
  const std::vector<nexus::Link>& links() const { return links_; }
  // Those of the request that a call to the server can have.
  std::vector<ProtoLink> request_links() const;

  // Any thread.
  void cancel(core::NexusCancelReason reason);
  // Why it was cancelled, if it was.
  std::optional<core::NexusCancelReason> cancel_reason() const;
  StopRequest& cancelled() { return cancelled_; }
  StopRequest& worker_shutdown() { return worker_shutdown_; }

  // The start of a workflow that is under way is the operation's own.
  bool backing = false;

 private:
  const core::NexusTask task_;
  const Worker worker_;
  const nexus::Info info_;
  const NexusValues values_;
  const std::string owner_;
  std::vector<nexus::Link> links_;
  std::atomic<int> cancel_reason_{-1};
  StopRequest cancelled_, worker_shutdown_;
};

LogFields log_fields(const nexus::Info& info);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_NEXUS_CONTEXT_H_
