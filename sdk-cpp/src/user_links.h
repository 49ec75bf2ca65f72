// UserLinks, the links of the user's interceptors (chimera/interceptor.h) as one link of each of a
// worker's chains. Any thread.
#ifndef CHIMERA_SDK_CPP_SRC_USER_LINKS_H_
#define CHIMERA_SDK_CPP_SRC_USER_LINKS_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/interceptor.h"
#include "sdk-cpp/src/interceptors.h"

namespace chimera::sdk {

class UserLinks final : public WorkerInterceptor {
 public:
  explicit UserLinks(Interceptors interceptors) : interceptors_(std::move(interceptors)) {}
  std::unique_ptr<WorkflowOutbound> link(WorkflowOutbound* next) override;
  std::unique_ptr<WorkflowInbound> link(WorkflowInbound* next) override;
  std::unique_ptr<ActivityOutbound> link(ActivityOutbound* next) override;
  std::unique_ptr<ActivityInbound> link(ActivityInbound* next) override;
  std::unique_ptr<NexusInbound> link(NexusInbound* next) override;

 private:
  const Interceptors interceptors_;
};

// Throws std::invalid_argument for a null one.
void check_interceptors(const Interceptors& interceptors, std::string_view option);
// Those of a client, then those of its worker that are not among them.
Interceptors joined(const Interceptors& clients, const Interceptors& workers);
// The user's around the SDK's own.
WorkerInterceptors with_users(const Interceptors& users, WorkerInterceptors own);

// --- Between the two forms of an input ---

Headers to_public(const Header& header);
Header to_proto(const Headers& headers);
// Converted as those of the context.
std::vector<Payload> given(detail::Arguments arguments, const core::PayloadContext& context);
std::vector<Payload> given_own(detail::Arguments arguments);  // Of the run or activity.
// An empty one is null.
void put(const Payload& payload, PayloadSink& out);

// A user's payloads as arguments; borrows them.
class Passed {
 public:
  explicit Passed(const std::vector<Payload>& payloads);
  explicit Passed(std::vector<Payload>&&) = delete;
  operator detail::Arguments() const { return list_; }

 private:
  std::vector<detail::Argument> list_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_USER_LINKS_H_
