#include "kindred/text/text_file.h"

#include <sys/stat.h>

#include "data_files.h"

using namespace kindred;
using namespace kindred::test;

TEST_CASE("only regular files are files") {
  const TemporaryFolder folder;
  CHECK(why_not_a_file(folder.write("a", "")).empty());
  CHECK(why_not_a_file(folder.path()) == "is a folder");
  CHECK(why_not_a_file(folder / "none") == "does not exist");
  CHECK(why_not_a_file("/dev/zero") == "is a pipe, socket or device, not a file");
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(contains(error_of([&] { (void)read_text_file(folder / "pipe"); }), "is a pipe, socket or device"));
}

TEST_CASE("a text is read without its byte order mark") {
  const TemporaryFolder folder;
  CHECK(read_text_file(folder.write("a", "\xEF\xBB\xBFx\ny")) == "x\ny");
  CHECK(read_text_file(folder.write("b", "")).empty());
  CHECK(contains(error_of([&] { (void)read_text_file(folder.write("c", "x\n\xE9")); }),
                 "c:2: error: is not UTF-8"));
}
