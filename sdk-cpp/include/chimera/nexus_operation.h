// Nexus operations, which workflow code calls through an endpoint: services of other namespaces and
// teams. As all of chimera/workflow.h, for a workflow's fiber.
//
//   const Receipt receipt = workflow::execute_nexus_operation<&Payments::charge>(
//       "payments-endpoint", {.schedule_to_close_timeout = 1min}, charge);
#ifndef CHIMERA_NEXUS_OPERATION_H_
#define CHIMERA_NEXUS_OPERATION_H_

#include <string>
#include <string_view>

#include "chimera/nexus_member.h"
#include "chimera/workflow.h"

namespace chimera::detail {

// Waits for it to have started. At most one argument.
OperationPtr start_nexus_operation(std::string_view endpoint, std::string_view service,
                                   std::string_view operation, const NexusOperationOptions& options,
                                   Arguments input);
const std::string& nexus_operation_token(const OperationPtr& operation);

}  // namespace chimera::detail

namespace chimera::workflow {

template <class R>
class [[nodiscard]] NexusOperationHandle : public Handle<R> {
 public:
  using Handle<R>::Handle;
  // By which its handler knows it. Empty: it was over when it started.
  const std::string& operation_token() const {
    return detail::nexus_operation_token(this->operation_);
  }
};

// Waits until it has started, and get() then for its end; one that is answered at once has both.
// Throws NexusOperationError, from get() what comes after the start. What a cancellation does, of
// the handle or of what is around it, its cancellation type says, before the start, too.
template <auto Operation, class = decltype(Operation), class... A>
  requires detail::NexusOperationMember<Operation>
[[gnu::always_inline]] inline auto start_nexus_operation(std::string_view endpoint,
                                                         const NexusOperationOptions& options,
                                                         const A&... input) {
  using Member = detail::NexusMemberOf<Operation>;
  static_assert(detail::fits_nexus<Operation>());
  return NexusOperationHandle<typename Member::Output>(detail::start_nexus_operation(
      endpoint, detail::nexus_service_name<typename Member::Contract>(),
      detail::nexus_operation_name<Operation>(), options,
      detail::Passing<typename Member::Arguments>::list(input...)));
}
// By name, with one input or none.
template <class R, class... A>
[[gnu::always_inline]] inline NexusOperationHandle<R> start_nexus_operation(
    std::string_view endpoint, std::string_view service, std::string_view operation,
    const NexusOperationOptions& options, const A&... input) {
  static_assert(sizeof...(A) <= 1, "a Nexus operation takes one input, or none");
  return NexusOperationHandle<R>(detail::start_nexus_operation(
      endpoint, service, operation, options, detail::list_any(input...)));
}
template <auto Operation, class = decltype(Operation), class... A>
  requires detail::NexusOperationMember<Operation>
[[gnu::always_inline]] inline auto execute_nexus_operation(std::string_view endpoint,
                                                           const NexusOperationOptions& options,
                                                           const A&... input) {
  return start_nexus_operation<Operation>(endpoint, options, input...).get();
}
template <class R, class... A>
[[gnu::always_inline]] inline R execute_nexus_operation(std::string_view endpoint,
                                                        std::string_view service,
                                                        std::string_view operation,
                                                        const NexusOperationOptions& options,
                                                        const A&... input) {
  return start_nexus_operation<R>(endpoint, service, operation, options, input...).get();
}

}  // namespace chimera::workflow

#endif  // CHIMERA_NEXUS_OPERATION_H_
