// Tells ThreadSanitizer what absl::Mutex and its kin order. Debian's Abseil is not built with the
// sanitizer, which would see every use of a lock as no lock at all. The linker sends our calls here
// (--wrap; the names are in CMakeLists.txt). Acquire and release edges only: lock order is not
// checked.
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include <sanitizer/tsan_interface.h>
#include <time.h>

using absl::Condition;
using absl::CondVar;
using absl::Duration;
using absl::Mutex;
using absl::Notification;

// The mangled names hold Debian's inline namespace.
#define CHIMERA_WRAP(result, name, ...)         \
  extern "C" result __real_##name(__VA_ARGS__); \
  extern "C" result __wrap_##name(__VA_ARGS__)

CHIMERA_WRAP(void, _ZN4absl7debian35Mutex4LockEv, Mutex* mutex) {
  __real__ZN4absl7debian35Mutex4LockEv(mutex);
  __tsan_acquire(mutex);
}

CHIMERA_WRAP(void, _ZN4absl7debian35Mutex6UnlockEv, Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian35Mutex6UnlockEv(mutex);
}

CHIMERA_WRAP(void, _ZN4absl7debian319ReleasableMutexLock7ReleaseEv, void* lock) {
  __tsan_release(*static_cast<Mutex**>(lock));  // Its only member.
  __real__ZN4absl7debian319ReleasableMutexLock7ReleaseEv(lock);
}

CHIMERA_WRAP(void, _ZN4absl7debian37CondVar4WaitEPNS0_5MutexE, CondVar* changed, Mutex* mutex) {
  __tsan_release(mutex);
  __real__ZN4absl7debian37CondVar4WaitEPNS0_5MutexE(changed, mutex);
  __tsan_acquire(mutex);
}

CHIMERA_WRAP(bool, _ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE,
             CondVar* changed, Mutex* mutex, Duration timeout) {
  __tsan_release(mutex);
  const bool late = __real__ZN4absl7debian37CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE(
      changed, mutex, timeout);
  __tsan_acquire(mutex);
  return late;
}

CHIMERA_WRAP(bool, _ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE,
             CondVar* changed, Mutex* mutex, absl::Time deadline) {
  __tsan_release(mutex);
  const bool late = __real__ZN4absl7debian37CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE(
      changed, mutex, deadline);
  __tsan_acquire(mutex);
  return late;
}

// Abseil would evaluate the condition on whatever thread unlocks, where the sanitizer sees no lock;
// so it is polled.
static bool await(Mutex* mutex, const Condition& condition, absl::Time deadline) {
  while (!condition.Eval()) {
    if (absl::Now() >= deadline) return false;
    mutex->Unlock();
    const timespec pause{0, 200'000};
    nanosleep(&pause, nullptr);
    mutex->Lock();
  }
  return true;
}

extern "C" void __wrap__ZN4absl7debian35Mutex5AwaitERKNS0_9ConditionE(Mutex* mutex,
                                                                      const Condition& condition) {
  await(mutex, condition, absl::InfiniteFuture());
}

extern "C" bool __wrap__ZN4absl7debian35Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE(
    Mutex* mutex, const Condition& condition, Duration timeout) {
  return await(mutex, condition, absl::Now() + timeout);
}

CHIMERA_WRAP(void, _ZN4absl7debian312Notification6NotifyEv, Notification* notification) {
  __tsan_release(notification);
  __real__ZN4absl7debian312Notification6NotifyEv(notification);
}

CHIMERA_WRAP(void, _ZNK4absl7debian312Notification19WaitForNotificationEv,
             const Notification* notification) {
  __real__ZNK4absl7debian312Notification19WaitForNotificationEv(notification);
  __tsan_acquire(const_cast<Notification*>(notification));
}

CHIMERA_WRAP(bool, _ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE,
             const Notification* notification, Duration timeout) {
  const bool notified =
      __real__ZNK4absl7debian312Notification30WaitForNotificationWithTimeoutENS0_8DurationE(
          notification, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(notification));
  return notified;
}
