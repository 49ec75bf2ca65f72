// Nexus operations, which workflow code calls through an endpoint: services of other namespaces and
// teams. As all of chimera/workflow.h, for a workflow's fiber.
//
//   const Receipt receipt = workflow::execute_nexus_operation<&Payments::charge>(
//       "payments-endpoint", {.schedule_to_close_timeout = 1min}, charge);
#ifndef CHIMERA_NEXUS_OPERATION_H_
#define CHIMERA_NEXUS_OPERATION_H_

#include <array>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "chimera/nexus_contract.h"
#include "chimera/workflow.h"

namespace chimera::detail {

// Waits for it to have started. At most one argument.
OperationPtr start_nexus_operation(std::string_view endpoint, std::string_view service,
                                   std::string_view operation, const NexusOperationOptions& options,
                                   Arguments input);
const std::string& nexus_operation_token(const OperationPtr& operation);

// Of &Payments::charge.
template <class Member>
struct NexusMember;
template <class C, class In, class Out>
struct NexusMember<nexus::Operation<In, Out> C::*> {
  using Contract = C;
  using Input = In;
  using Output = Out;
  using Arguments = std::tuple<std::decay_t<In>>;
};
template <class C, class Out>
struct NexusMember<nexus::Operation<void, Out> C::*> {
  using Contract = C;
  using Input = void;
  using Output = Out;
  using Arguments = std::tuple<>;
};
template <class T>
inline constexpr bool kNexusOperation = false;
template <class In, class Out>
inline constexpr bool kNexusOperation<nexus::Operation<In, Out>> = true;
template <auto Member>
using NexusMemberOf = NexusMember<std::remove_const_t<decltype(Member)>>;
template <auto Member>
concept NexusOperationMember = requires { typename NexusMemberOf<Member>::Output; };

template <class Contract>
constexpr std::string_view nexus_service_name() {
  if constexpr (requires { std::string_view(Contract::kName); }) {
    return Contract::kName;
  } else {
    return class_name<Contract>();
  }
}
template <auto Member, class = decltype(Member)>
constexpr std::string_view nexus_operation_name() {
  constexpr typename NexusMemberOf<Member>::Contract contract{};
  constexpr std::string_view given = (contract.*Member).name();
  return given.empty() ? reflect::kFunctionName<Member> : given;
}
template <auto Member, class = decltype(Member)>
consteval bool fits_nexus() {
  using Input = typename NexusMemberOf<Member>::Input;
  if constexpr (std::is_void_v<Input>) {
    return fits_result<typename NexusMemberOf<Member>::Output>();
  } else {
    return fits_all<typename NexusMemberOf<Member>::Output>(Types<Input>());
  }
}

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
