#include "kindred/text/text_file.h"

#include <sys/stat.h>

#include <string>

#include "data_files.h"

using namespace kindred;
using namespace kindred::test;

TEST_CASE("UTF-8 is told from other bytes") {
  for (const char* text : {"", "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xEF\xBF\xBF"}) {
    CHECK(is_utf8(text));
  }
  // Cut off, overlong, a surrogate, beyond U+10FFFF, a byte that follows nothing.
  for (const char* text : {"\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80", "a\xE9z"}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("bytes that cannot be shown are escaped, and nothing else") {
  CHECK(escaped("IMG_\xE9 \xC3\xA9.jpg") == "IMG_\\xE9 \xC3\xA9.jpg");
  CHECK(escaped(std::string("a\0\n\x7F", 4)) == "a\\x00\\x0A\\x7F");
  // Of two bytes: the first of them begins what a terminal takes for a command, the second is a space.
  CHECK(escaped("\xC2\x9B\xC2\xA0") == "\\xC2\\x9B\xC2\xA0");
}

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
