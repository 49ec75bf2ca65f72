// How the core says that an operation ended.
#ifndef CHIMERA_SDK_CPP_SRC_OPERATIONS_END_H_
#define CHIMERA_SDK_CPP_SRC_OPERATIONS_END_H_

#include <variant>

#include "core/language/activation.h"
#include "sdk-cpp/src/operations/operation.h"
#include "sdk-cpp/src/scheduler.h"

namespace chimera::sdk {

// False if it has not: the result is none of these three.
template <class Result>
bool end(Scheduler& scheduler, Operation& operation, const Result& result) {
  if (const auto* completed = std::get_if<core::Completed>(&result)) {
    scheduler.resolve(operation, completed->result);
  } else if (const auto* failed = std::get_if<core::Failed>(&result)) {
    scheduler.resolve(operation, *failed->failure);
  } else if (const auto* cancelled = std::get_if<core::Cancelled>(&result)) {
    scheduler.resolve(operation, *cancelled->failure);
  } else {
    return false;
  }
  return true;
}

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_OPERATIONS_END_H_
