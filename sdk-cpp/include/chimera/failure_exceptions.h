// FailureExceptions, which exceptions fail a workflow rather than its task.
#ifndef CHIMERA_FAILURE_EXCEPTIONS_H_
#define CHIMERA_FAILURE_EXCEPTIONS_H_

#include <type_traits>
#include <vector>

namespace chimera {
namespace detail {

// True if the exception that is being handled is an E.
template <class E>
bool current_exception_is() {
  try {
    throw;
  } catch (const E&) {
    return true;
  } catch (...) {
    return false;
  }
}

}  // namespace detail

class NondeterminismError;  // replayer.h

// Exceptions that fail a workflow or an update beside chimera's own failures: a value of
// failure_exceptions<E...>().
struct FailureExceptions {
  std::vector<bool (*)()> types = {};  // Each says whether the one that is being handled is of it.
  bool nondeterminism = false;

  void add(const FailureExceptions& more) {
    types.insert(types.end(), more.types.begin(), more.types.end());
    nondeterminism |= more.nondeterminism;
  }
};

// failure_exceptions<std::exception>() takes what is derived too. NondeterminismError stands for
// code and history that disagree, whatever else is listed.
template <class... E>
FailureExceptions failure_exceptions() {
  FailureExceptions all;
  const auto add = [&]<class One>(std::type_identity<One>) {
    if constexpr (std::is_same_v<One, NondeterminismError>) {
      all.nondeterminism = true;
    } else {
      all.types.push_back(&detail::current_exception_is<One>);
    }
  };
  (add(std::type_identity<E>()), ...);
  return all;
}

}  // namespace chimera

#endif  // CHIMERA_FAILURE_EXCEPTIONS_H_
