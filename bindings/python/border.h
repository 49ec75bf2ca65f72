// The border in Python: activations, commands, and the tasks of activities and of Nexus as the
// named tuples of chimera._border.
#ifndef CHIMERA_BINDINGS_PYTHON_BORDER_H_
#define CHIMERA_BINDINGS_PYTHON_BORDER_H_

#include <vector>

#include "bindings/python/convert.h"
#include "core/language/activation.h"
#include "core/language/activity_language.h"
#include "core/language/commands.h"
#include "core/language/nexus_language.h"

namespace chimera::bindings {

// Once before the others. ImportError if the Python classes are not those of shapes.h.
void load_border();

py::object activation_of(const core::Activation& activation);
py::object activity_task_of(const core::ActivityTask& task);
py::object nexus_task_of(const core::NexusTask& task);

// TypeError or ValueError, naming the command and the field, for what is no command.
std::vector<core::Command> commands_from(const py::list& commands);

void define_border(py::module_& module);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_BORDER_H_
