#include "bindings/python/queue.h"

#include <cerrno>
#include <cstring>
#include <string>

#include <sys/eventfd.h>
#include <unistd.h>

#include "bindings/python/collected.h"
#include "bindings/python/gil.h"

namespace chimera::bindings {
namespace {

int open_eventfd() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw py::value_error(std::string("cannot open an eventfd: ") + std::strerror(errno));
  return fd;
}

}  // namespace

Queue::Queue() : fd_(open_eventfd()) {}

Queue::~Queue() { ::close(fd_); }

void Queue::push(std::shared_ptr<const Ref> callback, MakeArgs make_args) {
  std::lock_guard lock(mutex_);
  items_.push_back({std::move(callback), std::move(make_args)});
  if (items_.size() > 1) return;  // The wake-up of the first item serves all that follow it.
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

py::list Queue::take() {
  std::vector<Item> items;
  {
    std::lock_guard lock(mutex_);
    items.swap(items_);
    std::uint64_t count;
    [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
  }
  release_dropped_refs();
  const NoCollection at_peace;
  py::list result(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    py::tuple args = std::move(items[i].make_args)();
    PyList_SET_ITEM(result.ptr(), static_cast<Py_ssize_t>(i),
                    py::make_tuple(items[i].callback->get(), std::move(args)).release().ptr());
  }
  return result;
}

int Queue::traverse(visitproc visit, void* arg) {
  std::lock_guard lock(mutex_);
  for (const Item& item : items_) {
    const int result = bindings::traverse(item.callback, visit, arg);
    if (result != 0) return result;
  }
  return 0;
}

void Queue::clear() {
  std::vector<Item> items;  // Destroyed without the lock: that may run Python code.
  std::lock_guard lock(mutex_);
  items.swap(items_);
}

void define_queue(py::module_& module) {
  py::class_<Queue, std::shared_ptr<Queue>>(module, "Queue", collected<Queue>())
      .def(py::init<>())
      .def("fileno", &Queue::fileno)
      .def("take", &Queue::take);
}

}  // namespace chimera::bindings
