// Wrong programs, each a block of its own below what all begin with: what the compiler must say of
// it stands in its first line. wrong_code.py compiles them.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chimera/client.h"
#include "chimera/nexus.h"
#include "chimera/workflow.h"

using namespace std::chrono_literals;
namespace workflow = chimera::workflow;

void count(int) {}
void pick(std::uint8_t) {}
void allow(bool) {}
void limit(std::optional<int>) {}
std::string charge(std::int64_t, std::size_t) { return ""; }
inline constexpr auto kCount = chimera::define_activity<&count>("count_all");
struct Order {
  void run(int) {}
  void add(int) {}
};
struct Bank {
  chimera::nexus::Operation<int, std::string> pay;
  chimera::nexus::Operation<std::string, void> audit{"audit-it"};
};
const chimera::ActivityOptions kOptions{.start_to_close_timeout = 10s};
const chimera::LocalActivityOptions kLocal{.start_to_close_timeout = 10s};

// --- taken
enum Size { kSmall };
std::string right(std::int64_t number, const char* text) {
  workflow::execute_activity<&count>(kOptions, 3);
  workflow::execute_activity<&count>(kOptions, 'c');
  workflow::execute_activity<&count>(kOptions, kSmall);
  workflow::execute_activity<&count>({.task_queue = "q", .start_to_close_timeout = 1s}, 3);
  workflow::execute_activity<kCount>({.schedule_to_close_timeout = 1s}, static_cast<int>(number));
  workflow::execute_local_activity<kCount>(kLocal, short{3});
  workflow::execute_activity<&pick>(kOptions, std::uint8_t{3});
  workflow::execute_activity<&allow>(kOptions, true);
  workflow::execute_activity<&limit>(kOptions, std::nullopt);
  workflow::execute_activity<&limit>(kOptions, 3);
  workflow::execute_activity<void>("by name", {.start_to_close_timeout = 1s}, text, 3.7);
  auto child = workflow::start_child_workflow<&Order::run>({}, 3);
  child.signal<&Order::add>(7);
  std::vector<workflow::Task<int>> tasks;
  tasks.push_back(workflow::spawn([] { return 1; }));
  workflow::spawn_detached([] {});
  static_cast<void>(workflow::wait_any(tasks));
  return workflow::execute_activity<&charge>(kOptions, 3, 4);
}

// --- refused: an argument would be narrowed to its parameter's type; if that is meant, say
void wrong() { workflow::execute_activity<&count>(kOptions, 3.7); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_activity<kCount>(kOptions, 3.7f); }
// --- refused: an argument would be narrowed
void wrong(std::int64_t number) { workflow::execute_activity<&count>(kOptions, number); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_local_activity<&pick>(kLocal, -1); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_activity<&allow>(kOptions, "yes"); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_activity<&allow>(kOptions, 1); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_activity<&limit>(kOptions, 0.5); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_activity<&limit>(kOptions, std::optional<std::int64_t>(5)); }
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_child_workflow<&Order::run>({}, 3.7); }
// --- refused: an argument would be narrowed
void wrong(workflow::ChildWorkflowHandle<void> child) { child.signal<&Order::add>(3.7); }
// --- refused: an argument would be narrowed
void wrong(chimera::Client client) {
  client.start_workflow<&Order::run>({.id = "a", .task_queue = "b"}, 3.7);
}
// --- refused: an argument of this call does not convert to the parameter
void wrong() { workflow::execute_activity<&count>(kOptions, "three"); }
// --- refused: this call passes another number of arguments
void wrong() { workflow::execute_activity<&count>(kOptions); }

// --- refused: this specialisation of chimera::Converter lacks
template <>
struct chimera::Converter<Order> {
  static Payload to_payload(const Order&) { return {}; }
};
void wrong() { chimera::make_payload(Order()); }
// --- refused: this specialisation of chimera::Converter lacks
template <>
struct chimera::Converter<Order> {
  static Payload to_payload(const Order&) { return {}; }
  static Order from_payload(const Payload&) { return {}; }
};
void wrong() { chimera::make_payload(std::vector<Order>()); }
// --- refused: this specialisation of chimera::Converter lacks
template <>
struct chimera::Converter<Order> {
  static Payload to_payload(const Order&) { return {}; }
  static void from_payload(const Payload&, Order) {}
};
void wrong() { chimera::from_payload<Order>({}); }
// --- refused: this specialisation of chimera::Converter lacks
template <>
struct chimera::Converter<Order> {
  static std::string to_payload(const Order&) { return {}; }
  static void from_payload(const Payload&, Order&) {}
};
void wrong(Order order) { workflow::execute_activity<int>("by name", kOptions, order); }

// --- refused: use of deleted function.*NeedsATimeout
void wrong() { workflow::execute_activity<&count>({}, 3); }
// --- refused: use of deleted function.*NeedsATimeout
void wrong() { workflow::execute_activity<kCount>({}, 3); }
// --- refused: use of deleted function.*NeedsATimeout
void wrong() { auto handle = workflow::start_activity<int>("by name", {}, 3); }
// --- refused: use of deleted function.*NeedsATimeout
void wrong() { workflow::execute_local_activity<&count>({}, 3); }

// --- refused: ignoring return.* 'nodiscard'
void wrong() {
  workflow::spawn([] {});
}
// --- refused: ignoring return.* 'nodiscard'
void wrong() { workflow::start_activity<&count>(kOptions, 3); }
// --- refused: ignoring return.* 'nodiscard'
void wrong() { workflow::start_local_activity<int>("by name", kLocal); }
// --- refused: ignoring return.* 'nodiscard'
void wrong() { workflow::start_child_workflow<&Order::run>({}, 3); }
// --- refused: ignoring return.* 'nodiscard'
void wrong() { workflow::start_timer(1s); }
// --- refused: ignoring return.* 'nodiscard'
void wrong() { workflow::execute_activity<&charge>(kOptions, 3, 4); }
// --- refused: ignoring return.* 'nodiscard'
void wrong() {
  workflow::wait_condition([] { return true; }, 1s);
}
// --- refused: ignoring return.* 'nodiscard'
void wrong(workflow::Channel<int> channel) { channel.receive(); }
// --- refused: ignoring return.* 'nodiscard'
void wrong(workflow::Mutex& mutex) { mutex.try_lock(); }
// --- refused: ignoring return.* 'nodiscard'
void wrong() { workflow::random_int(1, 6); }

// --- refused: use of deleted function
void wrong(workflow::Task<int>& task) { auto copy = task; }
// --- refused: what a group's task returns would be lost
void wrong(workflow::TaskGroup& group) {
  group.spawn([] { return 3; });
}
// --- refused: what is waited for is a handle, task, future or channel, or a condition
void wrong() { static_cast<void>(workflow::wait_any(std::string("x"))); }

// --- taken
void right(chimera::nexus::Service<Bank> service) {
  static_cast<void>(workflow::execute_nexus_operation<&Bank::pay>("bank", {}, 3));
  static_cast<void>(workflow::start_nexus_operation<&Bank::audit>("bank", {}, "all"));
  static_cast<void>(workflow::execute_nexus_operation<int>("bank", "Bank", "count", {}));
  service.handle<&Bank::pay>([](int) { return "paid"; });
  service.handle<&Bank::audit>([](const std::string&) {});
  service.handle<&Bank::audit>(
      [](std::string) { return chimera::nexus::AsyncOperation<void>{"token"}; },
      [](const std::string&) {});
}
// --- refused: an argument would be narrowed
void wrong() { workflow::execute_nexus_operation<&Bank::pay>("bank", {}, 3.7); }
// --- refused: an argument of this call does not convert to the parameter
void wrong() { workflow::execute_nexus_operation<&Bank::pay>("bank", {}, "three"); }
// --- refused: this call passes another number of arguments
void wrong() { workflow::execute_nexus_operation<&Bank::pay>("bank", {}); }
// --- refused: a Nexus operation takes one input, or none
void wrong() { workflow::execute_nexus_operation<int>("bank", "Bank", "pay", {}, 1, 2); }
// --- refused: ignoring return value|nodiscard
void wrong() { workflow::start_nexus_operation<&Bank::pay>("bank", {}, 3); }
// --- taken
void right(const chimera::Client& client) {
  static_cast<void>(client.execute_nexus_operation<&Bank::pay>("bank", {.id = "a"}, 3));
  client.execute_nexus_operation<&Bank::audit>("bank", {.id = "b"}, "all");
  client.start_nexus_operation<int>("bank", "Bank", "count", {.id = "c"}).cancel();
  const int count = client.get_nexus_operation_handle<int>("c").result();
  const std::string paid = client.get_nexus_operation_handle<&Bank::pay>("a", "run").result();
  static_cast<void>(count);
}
// --- refused: an argument would be narrowed
void wrong(const chimera::Client& client) {
  client.start_nexus_operation<&Bank::pay>("bank", {.id = "a"}, 3.7);
}
// --- refused: this call passes another number of arguments
void wrong(const chimera::Client& client) {
  client.execute_nexus_operation<&Bank::pay>("bank", {.id = "a"});
}
// --- refused: a Nexus operation takes one input, or none
void wrong(const chimera::Client& client) {
  client.execute_nexus_operation<int>("bank", "Bank", "pay", {.id = "a"}, 1, 2);
}
// --- refused: the handler does not take the operation's input
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Bank::pay>([](const std::string&) { return "paid"; });
}
// --- refused: the handler returns something else than the operation's output
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Bank::audit>([](const std::string&) { return 3; });
}
// --- refused: the handler returns something else than the operation's output, or a workflow
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Bank::pay>(
      [](int) { return chimera::nexus::start_workflow<&Order::run>({.id = "a"}, 3); });
}
// --- refused: an operation with a token of its own needs a second function
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Bank::audit>(
      [](const std::string&) { return chimera::nexus::AsyncOperation<void>{"token"}; });
}
// --- refused: the function that cancels takes the token
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Bank::audit>(
      [](const std::string&) { return chimera::nexus::AsyncOperation<void>{"token"}; }, [](int) {});
}
// --- refused: this operation is of another service's contract
struct Shop {
  chimera::nexus::Operation<int, std::string> sell;
};
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Shop::sell>([](int) { return "sold"; });
}
// --- refused: handle takes an operation
void wrong(chimera::nexus::Service<Bank> service) {
  service.handle<&Order::run>([](int) {});
}
// --- refused: a contract is a struct with members of chimera::nexus::Operation only
struct Shop {
  chimera::nexus::Operation<int, std::string> sell;
  int other = 0;
};
void wrong() { chimera::nexus::Service<Shop> service; }
// --- refused: a parameter is, or holds, a pointer
struct Shop {
  chimera::nexus::Operation<int*, std::string> sell;
};
void wrong() { workflow::execute_nexus_operation<&Shop::sell>("bank", {}, nullptr); }
