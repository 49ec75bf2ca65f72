// SlotSupplier, Python code as a core::CustomSlotSupplier. See sdk-python/chimera/_bridge.pyi.
#ifndef CHIMERA_BINDINGS_PYTHON_SLOTS_H_
#define CHIMERA_BINDINGS_PYTHON_SLOTS_H_

#include <memory>

#include "absl/synchronization/mutex.h"

#include "bindings/python/queue.h"
#include "core/worker/custom_slots.h"

namespace chimera::bindings {

// Shared by Python and the worker whose slots it gives. All but try_reserve goes by the queue, to
// the loop's thread; try_reserve, which the core asks and waits for, takes the GIL where it is.
class SlotSupplier : public core::CustomSlotSupplier {
 public:
  SlotSupplier(py::object reserve, py::object try_reserve, py::object mark_used,
               py::object release);

  // Before the worker starts. With the GIL.
  void open(std::shared_ptr<Queue> queue);
  // Python is not called any more.
  void close();

  void reserve(const core::SlotContext& context,
               std::shared_ptr<core::SlotReservation> reservation) override;
  Permit try_reserve(const core::SlotContext& context) override;
  void mark_used(const base::SlotUse& use, const Permit& permit) override;
  void release(const base::SlotUse* use, const Permit& permit) override;

  // For collected.h.
  int traverse(visitproc visit, void* arg);
  void clear() { close(); }

 private:
  using Callback = std::shared_ptr<const Ref>;
  void push(Callback SlotSupplier::* callback, MakeArgs make_args);

  absl::Mutex mutex_;
  std::shared_ptr<Queue> queue_ ABSL_GUARDED_BY(mutex_);  // Null: not open.
  Callback reserve_ ABSL_GUARDED_BY(mutex_), try_reserve_ ABSL_GUARDED_BY(mutex_),
      mark_used_ ABSL_GUARDED_BY(mutex_), release_ ABSL_GUARDED_BY(mutex_);
};

void define_slots(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_SLOTS_H_
