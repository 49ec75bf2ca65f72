// How often the tests kill the server (command line).
#ifndef CHIMERA_TESTS_CHAOS_KILLS_H_
#define CHIMERA_TESTS_CHAOS_KILLS_H_

namespace chimera::chaos {
int kills();
}

#endif  // CHIMERA_TESTS_CHAOS_KILLS_H_
