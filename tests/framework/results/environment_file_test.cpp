#include "results/environment_file.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "data_files.h"

using namespace kindred;
using namespace kindred::results;
using namespace kindred::test;

TEST_CASE("an environment is written, read back, and told in the file's order") {
  const TemporaryFolder folder;
  const auto file = folder / "environment.json";
  EnvironmentFile environment{"0.9.0",  "2.4.0", "4.6.0",         "mkl", "cpu: \"fast\"",
                              "x86-64", 4,       "channels_last", "fp32"};
  environment.write(file);
  CHECK(read_bytes(file) ==
        "{\n  \"kindred\": \"0.9.0\",\n  \"libtorch\": \"2.4.0\",\n  \"opencv\": \"4.6.0\",\n"
        "  \"blas\": \"mkl\",\n  \"device\": \"cpu: \\\"fast\\\"\",\n  \"processor\": \"x86-64\",\n"
        "  \"threads\": 4,\n  \"memory_format\": \"channels_last\",\n  \"precision\": \"fp32\"\n}\n");
  const auto read = EnvironmentFile::read(file);
  CHECK(read.device == environment.device);
  CHECK(read.threads == 4);
  CHECK(read.entries() == environment.entries());
  CHECK(read.entries().at(6) == std::pair<std::string, std::string>("threads", "4"));
  CHECK(read.entries().back().second == "fp32");
}

TEST_CASE("a damaged environment is refused with the key") {
  const TemporaryFolder folder;
  const auto file = folder.write("environment.json", R"({"kindred": 1})");
  CHECK(contains(error_of([&] { static_cast<void>(EnvironmentFile::read(file)); }),
                 "environment.json: error: 'kindred' is of type number and must be a string"));
}
