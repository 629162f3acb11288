#include "system/memory.h"

#include <doctest/doctest.h>

#include "temporary_folder.h"

using namespace kindred::system;
using namespace kindred::test;

TEST_CASE("the machine has the memory that its container may take at most") {
  CHECK(machine_memory_mib() > 256);
  const TemporaryFolder second;
  second.write("membership", "0::/host/only/there\n");
  CHECK_FALSE(memory_limit_mib(second / "membership", second.path()));
  second.write("memory.max", "3221225472\n");
  CHECK(memory_limit_mib(second / "membership", second.path()) == 3072);
  second.write("memory.max", "max\n");
  CHECK_FALSE(memory_limit_mib(second / "membership", second.path()));
  const TemporaryFolder first;
  first.write("membership", "5:cpu,cpuacct:/c\n4:memory:/host/only/there\n");
  first.write("memory/memory.limit_in_bytes", "1073741824\n");
  CHECK(memory_limit_mib(first / "membership", first.path()) == 1024);
  first.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(memory_limit_mib(first / "membership", first.path()));
}

TEST_CASE("a job of a cluster has the memory of the tightest control group that it is in") {
  const TemporaryFolder second;
  second.write("membership", "0::/slurm/job/step\n");
  second.write("slurm/memory.max", "8589934592\n");
  second.write("slurm/job/memory.max", "2147483648\n");
  second.write("slurm/job/step/memory.max", "max\n");
  CHECK(memory_limit_mib(second / "membership", second.path()) == 2048);
  const TemporaryFolder first;
  first.write("membership", "4:memory:/slurm/job\n0::/\n");
  first.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  first.write("memory/slurm/job/memory.limit_in_bytes", "1073741824\n");
  CHECK(memory_limit_mib(first / "membership", first.path()) == 1024);
}
