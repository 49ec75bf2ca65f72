// What workflow code decides once and its history keeps, in the form of the Go SDK: values of side
// effects, and versions of the code. Included by chimera/workflow.h, whose rules hold here too.
#ifndef CHIMERA_SIDE_EFFECT_H_
#define CHIMERA_SIDE_EFFECT_H_

#include <functional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "chimera/converter.h"

namespace chimera::detail {

// `make` writes the function's value, unless history has one; `take` reads the one that counts.
void side_effect(const std::function<void(PayloadSink&)>& make,
                 const std::function<void(const PayloadSource&)>& take);
// `make` gets the value that history has, or null, and says whether the new one is to be kept.
void mutable_side_effect(std::string_view id,
                         const std::function<bool(const PayloadSource*, PayloadSink&)>& make,
                         const std::function<void(const PayloadSource&)>& take);

template <class F>
using SideEffectValue = std::decay_t<std::invoke_result_t<F&>>;

}  // namespace chimera::detail

namespace chimera::workflow {

// The function's value, which history keeps: in replay the function is not called. For what is
// quick and need not be tried again: a random number of the system's, a setting of the process. It
// must not call chimera::workflow, nor change anything; what it throws fails the workflow task.
// The value goes through the converter and the codec, as a result of an activity does.
//   const int shard = workflow::side_effect([] { return std::random_device()() % 16; });
template <class F>
[[gnu::always_inline]] inline auto side_effect(F&& function) {
  using Value = detail::SideEffectValue<F>;
  static_assert(!std::is_void_v<Value>, "a side effect's function returns the value to keep");
  Value value{};
  detail::side_effect(
      [&](PayloadSink& out) {
        const Value fresh = function();
        const detail::OwnValues converting;
        encode(out, fresh);
      },
      [&](const PayloadSource& in) { decode(in, value); });
  return value;
}

// The same for a value that may change from call to call, such as a setting: history gets it only
// when it does, by `equal(new, before)`. `id` names the value in this workflow.
template <class F, class Equal = std::equal_to<>>
[[gnu::always_inline]] inline auto mutable_side_effect(std::string_view id, F&& function,
                                                       Equal equal = {}) {
  using Value = detail::SideEffectValue<F>;
  static_assert(!std::is_void_v<Value>, "a side effect's function returns the value to keep");
  Value value{};
  detail::mutable_side_effect(
      id,
      [&](const PayloadSource* before, PayloadSink& out) {
        const Value fresh = function();
        if (before != nullptr) {
          Value kept{};
          {
            const detail::OwnValues converting;
            decode(*before, kept);
          }
          if (equal(fresh, kept)) return false;
        }
        const detail::OwnValues converting;
        encode(out, fresh);
        return true;
      },
      [&](const PayloadSource& in) { decode(in, value); });
  return value;
}

// Of code that did not ask for a version.
inline constexpr int kDefaultVersion = -1;

// Which version of a change this run was made with: `max_supported` where it comes here for the
// first time, which history then keeps, kDefaultVersion where it had gone past before the code
// asked. A version that is not within the two fails the workflow task as nondeterminism. patched()
// is the same for two versions.
//   switch (workflow::get_version("ship-by-air", workflow::kDefaultVersion, 2)) { ...
int get_version(std::string_view change_id, int min_supported, int max_supported);

}  // namespace chimera::workflow

#endif  // CHIMERA_SIDE_EFFECT_H_
