// What &Payments::charge says, a member of a service's contract (chimera/nexus_contract.h): names
// and types of its operation, for all who call or handle it.
#ifndef CHIMERA_NEXUS_MEMBER_H_
#define CHIMERA_NEXUS_MEMBER_H_

#include <string_view>
#include <tuple>
#include <type_traits>

#include "chimera/definition.h"
#include "chimera/nexus_contract.h"

namespace chimera::detail {

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

#endif  // CHIMERA_NEXUS_MEMBER_H_
