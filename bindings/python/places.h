// Where Python code issued commands, as numbers for the core: there are as many as there are such
// places in the code.
#ifndef CHIMERA_BINDINGS_PYTHON_PLACES_H_
#define CHIMERA_BINDINGS_PYTHON_PLACES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bindings/python/gil.h"
#include "core/language/commands.h"

namespace chimera::bindings {

// With the GIL. Texts, one for each command; an empty one is no place.
void note_places(const py::list& places, std::vector<core::Command>& commands);
// LanguageIdentity::place. Any thread.
std::string place_in_words(std::uint64_t place);

}  // namespace chimera::bindings

#endif  // CHIMERA_BINDINGS_PYTHON_PLACES_H_
