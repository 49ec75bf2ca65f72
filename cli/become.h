// How `chimera` becomes the program that has the core as a shared library.
#ifndef CHIMERA_CLI_BECOME_H_
#define CHIMERA_CLI_BECOME_H_

#include <string>
#include <vector>

namespace chimera::cli {

// Runs the program, a name or a path, with these words in place of this one. `advice` ends the
// message where there is none.
[[noreturn]] void become(std::vector<std::string> program, const std::vector<std::string>& words,
                         const char* advice);
std::string beside_us(const char* name);
// chimera-worker, beside it.
[[noreturn]] void become_chimera_worker(const std::vector<std::string>& words);

}  // namespace chimera::cli

#endif  // CHIMERA_CLI_BECOME_H_
