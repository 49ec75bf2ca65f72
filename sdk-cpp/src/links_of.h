// LinksOf, an Interceptor whose links of all kinds share one thing, which they are made with.
#ifndef CHIMERA_SDK_CPP_SRC_LINKS_OF_H_
#define CHIMERA_SDK_CPP_SRC_LINKS_OF_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "chimera/interceptor.h"

namespace chimera::sdk {

// Each of the links is made from its next one and a const Shared&, which outlives it. Without one
// for Nexus services it has no part in those.
template <class Shared, class Client, class Activity, class Workflow, class WorkflowCalls,
          class Nexus = void>
class LinksOf final : public Interceptor {
 public:
  template <class... A>
  explicit LinksOf(A&&... arguments) : shared_(std::forward<A>(arguments)...) {}
  std::unique_ptr<ClientOutboundInterceptor> intercept_client(
      ClientOutboundInterceptor* next) override {
    return std::make_unique<Client>(next, shared_);
  }
  std::unique_ptr<ActivityInboundInterceptor> intercept_activity(
      ActivityInboundInterceptor* next) override {
    return std::make_unique<Activity>(next, shared_);
  }
  std::unique_ptr<NexusOperationInboundInterceptor> intercept_nexus_operation(
      NexusOperationInboundInterceptor* next) override {
    if constexpr (std::is_void_v<Nexus>) {
      return nullptr;
    } else {
      return std::make_unique<Nexus>(next, shared_);
    }
  }
  std::unique_ptr<WorkflowInboundInterceptor> intercept_workflow(
      WorkflowInboundInterceptor* next) override {
    return std::make_unique<Workflow>(next, shared_);
  }
  std::unique_ptr<WorkflowOutboundInterceptor> intercept_workflow_calls(
      WorkflowOutboundInterceptor* next) override {
    return std::make_unique<WorkflowCalls>(next, shared_);
  }

 private:
  const Shared shared_;
};

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_LINKS_OF_H_
