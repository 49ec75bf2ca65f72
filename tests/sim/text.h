// Jobs, commands and messages as text that is equal when they are: what the simulation compares and
// prints.
#ifndef CHIMERA_TESTS_SIM_TEXT_H_
#define CHIMERA_TESTS_SIM_TEXT_H_

#include <string>

#include "core/language/activation.h"
#include "core/language/commands.h"

namespace chimera::sim {

// One line; entries of maps sorted, Any opened.
std::string text(const google::protobuf::Message& message);
// A mutable side effect's marker has an id that ends with the number of an event, as the worker
// foresees it. Nobody reads that number again, and it may differ: here it is left out.
void forget_foreseen(google::protobuf::Map<std::string, api::common::v1::Payloads>& details,
                     const std::string& marker_name);
std::string text(const core::Job& job);
std::string text(const core::Command& command);

// Orders jobs within an activation.
int job_class(const core::Job& job);

}  // namespace chimera::sim

#endif  // CHIMERA_TESTS_SIM_TEXT_H_
