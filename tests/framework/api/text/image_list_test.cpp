#include "kindred/text/image_list.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "kindred/core/error.h"
#include "kindred/text/name_scanner.h"
#include "temporary_folder.h"

using namespace kindred;
using kindred::test::message_of;
using kindred::test::TemporaryFolder;

TEST_CASE("lists are read with byte order mark, either line end, blanks and names with spaces") {
  const TemporaryFolder folder;
  const auto file = folder.write("list.txt",
                                 "\xEF\xBB\xBF"
                                 "a b.jpg \t 7\r\n\r\n  c.jpg 0  \nd/e.jpg\t12");
  const auto lines = read_numbered_list(file);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].name == "a b.jpg");
  CHECK(lines[0].number == 7);
  CHECK(lines[1].name == "c.jpg");
  CHECK(lines[1].line == 3);
  CHECK(lines[2].name == "d/e.jpg");
  CHECK(lines[2].number == 12);
  const auto names = read_name_list(file);
  REQUIRE(names.size() == 3);
  CHECK(names[1].name == "c.jpg 0");
}

TEST_CASE("what is wrong with a list is named with its line") {
  const TemporaryFolder folder;
  const auto refusal = [&](const std::string& content) {
    const auto file = folder.write("list.txt", content);
    return folder.without(message_of<DataError>([&] { (void)read_numbered_list(file); }));
  };
  CHECK(refusal("a.jpg 1\nb.jpg\n").starts_with("list.txt:2: error: 'b.jpg' has no number after the name"));
  CHECK(refusal("a.jpg -1\n")
            .starts_with("list.txt:1: error: 'a.jpg -1' does not end in a whole number from 0"));
  CHECK(refusal("a.jpg 1.5\n").find("whole number") != std::string::npos);
  CHECK(refusal("a.jpg 99999999999999999999\n").find("whole number") != std::string::npos);
  CHECK(refusal("a.jpg 1\na.jpg 2\n").find("is already listed in line 1") != std::string::npos);
  CHECK(refusal(" \n\n").find("lists no images") != std::string::npos);
  CHECK(message_of<DataError>([&] { (void)read_name_list(folder / "none.txt"); }).find("does not exist") !=
        std::string::npos);
  CHECK(message_of<DataError>([&] {
          (void)read_name_list(folder.path());
        }).ends_with("is a folder, but a list of images is expected"));
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(message_of<DataError>([&] {
          (void)read_name_list(folder / "loop");
        }).ends_with("cannot be read: Too many levels of symbolic links"));
}

TEST_CASE("a name is scanned from left to right, and what is not there leaves the rest") {
  NameScanner scanner("094_1_c9.png");
  CHECK(scanner.number() == 94);
  CHECK_FALSE(scanner.number());
  CHECK_FALSE(scanner.skip("_c"));
  CHECK(scanner.skip("_"));
  CHECK(scanner.number() == 1);
  CHECK(scanner.skip("_c"));
  CHECK(scanner.number() == 9);
  CHECK(scanner.rest() == ".png");
  NameScanner large("99999999999999999999_");
  CHECK_FALSE(large.number());
  CHECK(large.rest() == "99999999999999999999_");
}
