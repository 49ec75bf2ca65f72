// Inbox, what other threads leave for one thread: push from anywhere without a lock, take
// everything at once, in order. The owner sleeps on it when there is nothing.
#ifndef CHIMERA_CORE_BASE_INBOX_H_
#define CHIMERA_CORE_BASE_INBOX_H_

#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace chimera::base {

using Work = absl::AnyInvocable<void() &&>;

class Inbox {
 public:
  Inbox() = default;
  ~Inbox() {
    for (Node* node = take(); node != nullptr;) delete std::exchange(node, node->next);
  }
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;

  // Any thread. The work may destroy the inbox: once it is in, only its address is used.
  void push(Work work) {
    auto* node = new Node{std::move(work), nullptr};
    std::uintptr_t head = head_.load(std::memory_order_relaxed);
    do {
      node->next = head == kAsleep ? nullptr : reinterpret_cast<Node*>(head);
    } while (!head_.compare_exchange_weak(head, reinterpret_cast<std::uintptr_t>(node),
                                          std::memory_order_release, std::memory_order_relaxed));
    // Wakes nobody, or somebody in vain, where another futex has taken the place meanwhile.
    if (head == kAsleep) futex(FUTEX_WAKE_PRIVATE, 1);
  }

  // Owner only. Runs what is there, oldest first; false when there was nothing.
  bool run_all() {
    Node* newest = take();
    if (newest == nullptr) return false;
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    while (oldest != nullptr) {
      std::unique_ptr<Node> node(std::exchange(oldest, oldest->next));
      std::move(node->work)();
    }
    return true;
  }

  // Owner only. Returns when there is something. A futex of our own: std::atomic's wait spins and
  // yields first, which costs a few percent of a busy worker.
  void wait() {
    std::uintptr_t head = 0;
    if (!head_.compare_exchange_strong(head, kAsleep, std::memory_order_relaxed)) return;
    do {
      futex(FUTEX_WAIT_PRIVATE, kAsleep);
    } while (head_.load(std::memory_order_relaxed) == kAsleep);
  }

 private:
  struct Node {
    Work work;
    Node* next;
  };
  // In place of a node while the owner sleeps on an empty inbox; no node's address begins so.
  static constexpr std::uint32_t kAsleep = 1;

  Node* take() {
    const std::uintptr_t head = head_.exchange(0, std::memory_order_acquire);
    return head == kAsleep ? nullptr : reinterpret_cast<Node*>(head);
  }

  // On the first four bytes of head_, the lower ones of the address.
  void futex(int operation, std::uint32_t value) {
    static_assert(std::endian::native == std::endian::little && alignof(Node) > kAsleep);
    syscall(SYS_futex, &head_, operation, value, nullptr, nullptr, 0);
  }

  std::atomic<std::uintptr_t> head_{0};  // The newest node, kAsleep, or zero: nothing.
};

}  // namespace chimera::base

#endif  // CHIMERA_CORE_BASE_INBOX_H_
