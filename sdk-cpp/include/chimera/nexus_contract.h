// What callers and handlers of a Nexus service share: its contract, a struct of operations.
//
//   struct Payments {
//     static constexpr char kName[] = "Payments";  // Without it the struct's name.
//     chimera::nexus::Operation<Charge, Receipt> charge;
//     chimera::nexus::Operation<Refund, void> refund{"refund-charge"};  // Else the member's name.
//   };
//
// Workflows call it with chimera/nexus_operation.h, clients with chimera/nexus_execution.h, a
// nexus::Service of chimera/nexus.h handles it.
#ifndef CHIMERA_NEXUS_CONTRACT_H_
#define CHIMERA_NEXUS_CONTRACT_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chimera/payload.h"

namespace chimera::nexus {

// One input, which may be void, and one output.
template <class In, class Out>
class Operation {
 public:
  using Input = In;
  using Output = Out;
  constexpr Operation() = default;
  explicit constexpr Operation(const char* name) : name_(name) {}
  constexpr std::string_view name() const { return name_; }  // Empty: the member's.

 private:
  std::string_view name_;  // Of a literal.
};

template <class Contract>
class Service;

struct Link {  // To what caused something, or came of it: "temporal:///namespaces/..."
  std::string url, type;
  bool operator==(const Link&) const = default;
};

}  // namespace chimera::nexus

namespace chimera::detail {

// What a worker needs to know of a service.
struct NexusOperationType {
  std::string name;
  // Writes the result, or gives the token of an operation that goes on.
  std::function<std::optional<std::string>(const PayloadSource& input, PayloadSink& result)> start;
  std::function<void(const std::string& token)> cancel;  // Empty: it cannot be cancelled.
};
struct NexusServiceType {
  std::string name;
  std::vector<std::string> contract;  // The names of its operations.
  std::vector<NexusOperationType> operations = {};
};

}  // namespace chimera::detail

#endif  // CHIMERA_NEXUS_CONTRACT_H_
