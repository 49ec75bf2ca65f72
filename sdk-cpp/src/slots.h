// A user's SlotSupplier as the core knows one.
#ifndef CHIMERA_SDK_CPP_SRC_SLOTS_H_
#define CHIMERA_SDK_CPP_SRC_SLOTS_H_

#include <memory>

#include "chimera/slots.h"
#include "core/worker/custom_slots.h"

namespace chimera::sdk {

// Null stays null. Shares the supplier; what it throws is logged.
std::shared_ptr<core::CustomSlotSupplier> to_core(core::SlotKind kind,
                                                  std::shared_ptr<SlotSupplier> supplier);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_SLOTS_H_
