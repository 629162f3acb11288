// Benchmarks: what Kindred's work costs, beside what a user would take instead and what the machine can do.
// Each figure is a ratio within one run on one machine.
#include "common.h"
#include "system/processors.h"

int main(int argc, char** argv) {
  kindred::system::undo_openmp_binding();
  return kindred::bench::bench_main(argc, argv);
}
