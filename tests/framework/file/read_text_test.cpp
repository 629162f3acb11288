#include "file/read_text.h"

#include <doctest/doctest.h>

#include <istream>
#include <sstream>
#include <stdexcept>
#include <streambuf>
#include <string>

#include "file/read_error.h"
#include "no_more_files.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;

namespace {

/// A file whose disk fails after the first line, as libstdc++ passes that on.
class FailingDisk final : public std::streambuf {
 protected:
  int_type underflow() override {
    if (begun_) throw std::runtime_error("Input/output error");
    begun_ = true;
    setg(text_.data(), text_.data(), text_.data() + text_.size());
    return traits_type::to_int_type(text_.front());
  }

 private:
  std::string text_ = "seed = 1\n";
  bool begun_ = false;
};

}  // namespace

TEST_CASE("what follows in a file is read whole, and a disk that fails gives nothing instead of a part") {
  std::istringstream whole(std::string(100'000, 'x') + "\n\0y");
  whole.get();
  CHECK(read_rest(whole)->size() == 100'000);
  FailingDisk disk;
  std::istream failing(&disk);
  CHECK_FALSE(read_rest(failing));
}

TEST_CASE("a file that is there and cannot be read is another error than one that is missing") {
  const TemporaryFolder folder;
  const auto file = folder.write("a.txt", "text");
  CHECK(read_text(file) == "text");
  const NoMoreFiles limit;
  CHECK_THROWS_WITH_AS(static_cast<void>(read_text(file)),
                       (file.string() + ": error: cannot be read: Too many open files").c_str(), ReadError);
  try {
    static_cast<void>(read_text(folder / "none"));
    FAIL("a missing file was read");
  } catch (const DataError& error) {
    CHECK(dynamic_cast<const ReadError*>(&error) == nullptr);
  }
}
