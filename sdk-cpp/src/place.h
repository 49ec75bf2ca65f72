// Where in the user's code a command was issued, noted as the address to which the call returns and
// read only when a report asks.
#ifndef CHIMERA_SDK_CPP_SRC_PLACE_H_
#define CHIMERA_SDK_CPP_SRC_PLACE_H_

#include <cstdint>
#include <string>

namespace chimera::sdk {

inline std::uint64_t place_of(const void* return_address) {
  return reinterpret_cast<std::uintptr_t>(return_address);
}

// "orders.cc:41 in Order::run" with the debug information of `-g1` or more, else "Order::run" or
// "liborders.so+0x4711" (for addr2line); empty for 0. The first call may take a while: it reads
// that information. Any thread.
std::string describe_place(std::uint64_t return_address);

// The same of a frame of a stack, by its symbol alone.
std::string describe_frame(const void* address);

}  // namespace chimera::sdk

#endif  // CHIMERA_SDK_CPP_SRC_PLACE_H_
