// Benchmarks: what Kindred's work costs, beside what a user would take instead and what the machine can do.
// Each figure is a ratio within one run on one machine.
#include "common.h"

int main(int argc, char** argv) {
  return kindred::bench::bench_main(argc, argv);
}
