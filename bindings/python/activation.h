// Activations as tuples, in the shape that sdk-python/chimera/_bridge.pyi lays down.
#ifndef CHIMERA_BINDINGS_PYTHON_ACTIVATION_H_
#define CHIMERA_BINDINGS_PYTHON_ACTIVATION_H_

#include "bindings/python/convert.h"
#include "core/language/activation.h"

namespace chimera::bindings {

// With the GIL. Payloads are serialized straight into Python bytes; nothing else is.
py::tuple activation_tuple(const core::Activation& activation);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_ACTIVATION_H_
