#include "file/sha256.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;

namespace {

std::string sha256(const std::string& text, std::size_t piece = 1U << 20U) {
  Sha256 sum;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    sum.add(text.data() + at, std::min(piece, text.size() - at));
  }
  return sum.finish();
}

}  // namespace

TEST_CASE("the examples of FIPS 180-4 come out") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("in how many pieces the bytes come does not matter") {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
  for (const std::size_t piece : {1, 3, 55, 56, 63, 64, 65, 128, 500}) {
    CHECK(sha256(text, piece) == sha256(text));
  }
}

TEST_CASE("a file's is that of its bytes, and a missing file is named") {
  const TemporaryFolder folder;
  const auto file = folder.write("a", "abc");
  CHECK(sha256_of_file(file) == sha256("abc"));
  CHECK(sha256_of_file(folder.write("b", std::string(3000000, 'x'))) == sha256(std::string(3000000, 'x')));
  CHECK_THROWS_WITH_AS(static_cast<void>(sha256_of_file(folder / "none")),
                       doctest::Contains("none: error: does not exist"), DataError);
}
