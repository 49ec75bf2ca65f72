#include "tests/live/live.h"

int main(int argc, char** argv) { return chimera::live::run_tests(argc, argv); }
