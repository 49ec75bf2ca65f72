// Types of all kinds, and calls: no compiler has a warning for it.
#include <deque>
#include <list>
#include <map>
#include <set>

#include "chimera/client.h"
#include "chimera/worker.h"
#include "chimera/workflow.h"
using namespace std::chrono_literals;

struct Node {
  std::string name;
  std::vector<Node> children;
  std::shared_ptr<Node> next;
};
struct Order {
  int id;
  std::optional<Node> root;
  std::map<std::string, std::variant<int, std::string>> tags;
  std::chrono::milliseconds wait;
  std::vector<std::byte> raw;
  std::set<int> set;
  std::tuple<int, std::string> t;
  std::array<int, 3> a;
};
enum class Color { kRed };
Order keep(Order order, const std::string& name, Color c, std::unique_ptr<int> p, std::monostate,
           chimera::Payload) {
  (void)name;
  (void)c;
  (void)p;
  return order;
}
struct Flow {
  explicit Flow(int) {}
  std::string run(int n) {
    auto order = chimera::workflow::execute_activity<&keep>(
        {.start_to_close_timeout = 1s}, Order{}, "x", Color::kRed, std::unique_ptr<int>(),
        std::monostate(), chimera::Payload());
    chimera::workflow::sleep(1s);
    return chimera::workflow::side_effect([] { return std::string(); }) +
           std::to_string(order.id + n);
  }
  void approve(std::string) {}
  int status() const { return 0; }
};
inline const auto kFlow = chimera::define_workflow<&Flow::run>("Flow")
                              .signal<&Flow::approve>("approve")
                              .query<&Flow::status>();
void add(chimera::Worker& worker) { worker.add(kFlow).add_activity<&keep>(); }
void use(chimera::Client& client) {
  auto handle = client.start_workflow<kFlow>({.id = "a", .task_queue = "q"}, 1);
  handle.signal<&Flow::approve>("me");
  const int status = handle.query<&Flow::status>();
  const auto text = handle.result() + std::to_string(status);
  const auto order =
      client.execute_workflow<Order>("Other", {.id = text, .task_queue = "q"}, Order{}, 1.5F, true);
  static_cast<void>(order);
}
int main() {}
