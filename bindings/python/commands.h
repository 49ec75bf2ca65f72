// Command tuples as the core's structs, in the shape that sdk-python/chimera/_bridge.pyi lays down.
#ifndef CHIMERA_BINDINGS_PYTHON_COMMANDS_H_
#define CHIMERA_BINDINGS_PYTHON_COMMANDS_H_

#include <vector>

#include "bindings/python/convert.h"
#include "core/base/clock.h"
#include "core/language/commands.h"

namespace chimera::bindings {

// With the GIL, in one pass. ValueError or TypeError that names the command if a tuple has not the
// agreed shape.
std::vector<core::Command> commands_from(const py::list& tuples);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_COMMANDS_H_
