#include "bindings/python/slots.h"

#include <optional>
#include <string>
#include <utility>

#include "bindings/python/collected.h"
#include "bindings/python/convert.h"
#include "bindings/python/gil.h"

namespace chimera::bindings {
namespace {

// What Python is told of a core::SlotContext.
struct Context {
  explicit Context(const core::SlotContext& of)
      : sticky(of.sticky),
        task_queue(of.worker.task_queue),
        identity(of.worker.identity),
        build_id(of.worker.build_id),
        deployment_name(of.worker.deployment_name) {}
  py::tuple tuple() const {
    return py::make_tuple(sticky, text(task_queue), text(identity), text(build_id),
                          text(deployment_name));
  }

  bool sticky;
  std::string task_queue, identity, build_id, deployment_name;
};

// The same of a base::SlotUse.
struct Use {
  explicit Use(const base::SlotUse& of)
      : type(of.type), sticky(of.sticky), operation(of.operation) {}
  py::tuple tuple() const { return py::make_tuple(text(type), sticky, text(operation)); }

  std::string type;
  bool sticky;
  std::string operation;
};

// A permit of the core holds the user's.
std::shared_ptr<void> permit_of(py::object permit) {
  return std::make_shared<Ref>(std::move(permit));
}
py::object object_of(const std::shared_ptr<void>& permit) {
  return static_cast<const Ref*>(permit.get())->get();
}

// What Python has of someone who waits for a slot.
struct Reservation {
  bool grant(py::object permit) const {
    auto held = permit_of(std::move(permit));
    GilReleased released;
    return core->grant(std::move(held));
  }
  void fail(const Text& why) const {
    GilReleased released;
    core->fail(why.value);
  }
  void on_cancel(std::shared_ptr<Queue> queue, py::object callback) const {
    auto ref = std::make_shared<const Ref>(std::move(callback));
    GilReleased released;
    core->on_cancel([queue = std::move(queue), ref = std::move(ref)]() mutable {
      queue->push(std::move(ref), [] { return py::tuple(); });
    });
  }

  std::shared_ptr<core::SlotReservation> core;
};

}  // namespace

SlotSupplier::SlotSupplier(py::object reserve, py::object try_reserve, py::object mark_used,
                           py::object release)
    : reserve_(std::make_shared<const Ref>(std::move(reserve))),
      try_reserve_(std::make_shared<const Ref>(std::move(try_reserve))),
      mark_used_(std::make_shared<const Ref>(std::move(mark_used))),
      release_(std::make_shared<const Ref>(std::move(release))) {}

void SlotSupplier::open(std::shared_ptr<Queue> queue) {
  absl::MutexLock lock(&mutex_);
  queue_ = std::move(queue);
}

void SlotSupplier::close() {
  Callback dropped[4];  // Without the lock: that may run Python code.
  std::shared_ptr<Queue> queue;
  absl::MutexLock lock(&mutex_);
  queue = std::move(queue_);
  dropped[0] = std::move(reserve_);
  dropped[1] = std::move(try_reserve_);
  dropped[2] = std::move(mark_used_);
  dropped[3] = std::move(release_);
}

void SlotSupplier::push(Callback SlotSupplier::* callback, MakeArgs make_args) {
  Callback called;
  std::shared_ptr<Queue> queue;
  {
    absl::MutexLock lock(&mutex_);
    called = this->*callback;
    queue = queue_;
  }
  if (called && queue) queue->push(std::move(called), std::move(make_args));
}

void SlotSupplier::reserve(const core::SlotContext& context,
                           std::shared_ptr<core::SlotReservation> reservation) {
  push(&SlotSupplier::reserve_,
       [about = Context(context), reservation = std::move(reservation)]() mutable {
         return py::make_tuple(about.tuple(), Reservation{std::move(reservation)});
       });
}

SlotSupplier::Permit SlotSupplier::try_reserve(const core::SlotContext& context) {
  Callback called;
  {
    absl::MutexLock lock(&mutex_);
    called = try_reserve_;
  }
  Permit permit;
  if (!called) return permit;
  with_gil([&] {
    py::object given;
    try {
      given = called->get()(Context(context).tuple());
    } catch (py::error_already_set& error) {
      error.discard_as_unraisable("try_reserve_slot");
      return;
    }
    if (!given.is_none()) permit = permit_of(std::move(given));
  });
  return permit;
}

void SlotSupplier::mark_used(const base::SlotUse& use, const Permit& permit) {
  push(&SlotSupplier::mark_used_,
       [use = Use(use), permit] { return py::make_tuple(use.tuple(), object_of(permit)); });
}

void SlotSupplier::release(const base::SlotUse* use, const Permit& permit) {
  std::optional<Use> used;
  if (use != nullptr) used.emplace(*use);
  push(&SlotSupplier::release_, [used = std::move(used), permit] {
    return py::make_tuple(used ? py::object(used->tuple()) : py::none(), object_of(permit));
  });
}

int SlotSupplier::traverse(visitproc visit, void* arg) {
  absl::MutexLock lock(&mutex_);
  for (const Callback* callback : {&reserve_, &try_reserve_, &mark_used_, &release_}) {
    if (const int result = bindings::traverse(*callback, visit, arg); result != 0) return result;
  }
  return 0;
}

void define_slots(py::module_& module) {
  py::class_<Reservation>(module, "SlotReservation")
      .def("grant", &Reservation::grant, py::arg("permit"))
      .def("fail", &Reservation::fail, py::arg("why"))
      .def("on_cancel", &Reservation::on_cancel, py::arg("queue"), py::arg("callback"));
  py::class_<SlotSupplier, std::shared_ptr<SlotSupplier>>(module, "SlotSupplier",
                                                          collected<SlotSupplier>())
      .def(py::init<py::object, py::object, py::object, py::object>(), py::arg("reserve"),
           py::arg("try_reserve"), py::arg("mark_used"), py::arg("release"))
      .def("open", &SlotSupplier::open, py::arg("queue"))
      .def("close", &SlotSupplier::close);
}

}  // namespace chimera::bindings
