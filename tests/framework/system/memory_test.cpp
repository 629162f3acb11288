#include "system/memory.h"

#include <doctest/doctest.h>

#include "temporary_folder.h"

using namespace kindred::system;
using namespace kindred::test;

TEST_CASE("the machine has the memory that its container may take at most") {
  CHECK(machine_memory_mib() > 256);
  const TemporaryFolder none;
  CHECK_FALSE(memory_limit_mib(none.path()));
  const TemporaryFolder second;
  second.write("memory.max", "3221225472\n");
  CHECK(memory_limit_mib(second.path()) == 3072);
  second.write("memory.max", "max\n");
  CHECK_FALSE(memory_limit_mib(second.path()));
  const TemporaryFolder first;
  first.write("memory/memory.limit_in_bytes", "1073741824\n");
  CHECK(memory_limit_mib(first.path()) == 1024);
  first.write("memory/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK_FALSE(memory_limit_mib(first.path()));
}
