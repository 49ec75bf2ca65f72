// The same as a library, which `chimera worker` and Python workers load.
#include "chimera/library.h"

#include "pipeline.h"
#include "steps.h"

CHIMERA_LIBRARY(library) {
  library.add(pipeline::kPipeline);
  pipeline::add_steps(library);
}
