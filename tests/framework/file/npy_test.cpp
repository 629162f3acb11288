#include "file/npy.h"

#include <doctest/doctest.h>
#include <torch/torch.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::file;

namespace {

struct Folder {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("kindred_npy_test_" + std::to_string(::getpid()));
  Folder() { std::filesystem::create_directories(path); }
  ~Folder() { std::filesystem::remove_all(path); }
};

std::string bytes_of(const torch::Tensor& tensor) {
  const auto data = tensor.contiguous();
  return {static_cast<const char*>(data.data_ptr()),
          static_cast<std::size_t>(data.numel()) * static_cast<std::size_t>(data.element_size())};
}

/// A file as NumPy writes it, of the given version.
std::string npy(const std::string& header, const std::string& data, int version = 1) {
  std::string text = header + "\n";
  const auto length = static_cast<std::uint32_t>(text.size());
  std::string result = "\x93NUMPY";
  result += static_cast<char>(version);
  result += '\0';
  result += static_cast<char>(length & 0xFF);
  result += static_cast<char>(length >> 8 & 0xFF);
  if (version > 1) result += std::string(2, '\0');
  return result + text + data;
}

struct Fixture {
  Folder folder;
  std::filesystem::path file = folder.path / "array.npy";

  void write(const std::string& content) const { std::ofstream(file, std::ios::binary) << content; }

  /// What reading the content says is wrong.
  std::string refusal(const std::string& content) const {
    write(content);
    try {
      static_cast<void>(read_npy(file));
    } catch (const DataError& error) {
      CHECK(error.file() == file);
      return error.what();
    }
    return "";
  }
  std::string header_refusal(const std::string& header) const {
    return refusal(npy(header, std::string(24, '\0')));
  }
};

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  if (!found) MESSAGE("'" << part << "' is not in: " << text);
  return found;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "what is written is read back, for every type and shape") {
  for (const auto type :
       {torch::kHalf, torch::kFloat, torch::kDouble, torch::kInt, torch::kLong, torch::kBFloat16}) {
    for (const auto& shape :
         std::vector<std::vector<std::int64_t>>{{}, {1}, {5}, {3, 4}, {0, 4}, {2, 3, 4}}) {
      const auto tensor = (torch::rand(shape) * 1000 - 500).to(type);
      write_npy(file, tensor);
      const auto back = read_npy(file);
      CHECK((back.scalar_type() == type));
      CHECK(back.sizes().vec() == shape);
      CHECK(torch::equal(back, tensor));
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "a transposed tensor is written in the order of its indices") {
  const auto tensor = torch::arange(12, torch::kFloat).view({3, 4}).t();
  write_npy(file, tensor);
  CHECK(torch::equal(read_npy(file), tensor));
}

TEST_CASE_FIXTURE(Fixture, "a written file is what NumPy writes, byte for byte") {
  write_npy(file, torch::arange(6, torch::kFloat).view({2, 3}));
  std::ifstream in(file, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), {});
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  REQUIRE(content.size() == 128 + 24);
  CHECK(content.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(content.substr(10, header.size()) == header);
  CHECK(content.substr(10 + header.size(), 117 - header.size()) == std::string(117 - header.size(), ' '));
  CHECK(content[127] == '\n');
  CHECK(content.substr(128) == bytes_of(torch::arange(6, torch::kFloat)));
}

TEST_CASE_FIXTURE(Fixture, "bfloat16 is written as ml_dtypes saves it, and read as NumPy alone does, too") {
  // numpy.save of numpy.arange(6).reshape(2, 3).astype(ml_dtypes.bfloat16), ml_dtypes 0.6.0.
  const std::string data("\x00\x00\x80\x3f\x00\x40\x40\x40\x80\x40\xa0\x40", 12);
  const auto numbers = torch::arange(6, torch::kFloat).view({2, 3});
  for (const std::string descr : {"<V2", "|V2"}) {
    write(npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2, 3), }", data));
    const auto array = read_npy(file);
    CHECK((array.scalar_type() == torch::kBFloat16));
    CHECK(torch::equal(array.to(torch::kFloat), numbers));
  }
  write_npy(file, numbers.to(torch::kBFloat16));
  std::ifstream in(file, std::ios::binary);
  const std::string content((std::istreambuf_iterator<char>(in)), {});
  CHECK(content.substr(10, 60) == "{'descr': '<V2', 'fortran_order': False, 'shape': (2, 3), } ");
  CHECK(content.substr(128) == data);
}

TEST_CASE("a file that NumPy wrote is read") {
  const auto array = read_npy(std::filesystem::path(test::golden_directory) / "evaluate_distance.npy");
  CHECK(array.sizes().vec() == std::vector<std::int64_t>{60, 240});
  CHECK((array.scalar_type() == torch::kFloat));
}

TEST_CASE_FIXTURE(Fixture, "versions 1, 2 and 3 are read, a fourth is refused") {
  const auto tensor = torch::arange(6, torch::kFloat).view({2, 3});
  const std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  for (const int version : {1, 2, 3}) {
    write(npy(header, bytes_of(tensor), version));
    CHECK(torch::equal(read_npy(file), tensor));
  }
  CHECK(contains(refusal(npy(header, bytes_of(tensor), 4)), "version 4.0; supported are versions 1 to 3"));
}

TEST_CASE_FIXTURE(Fixture, "Fortran order is read whole and by rows, in two and three dimensions") {
  const auto flat = torch::arange(12, torch::kDouble).view({3, 4});
  write(npy("{'descr': '<f8', 'fortran_order': True, 'shape': (3, 4), }", bytes_of(flat.t())));
  CHECK(torch::equal(read_npy(file), flat));
  CHECK(torch::equal(NpyReader(file).rows(1, 3), flat.slice(0, 1, 3)));

  const auto cube = torch::arange(24, torch::kInt).view({2, 3, 4});
  write(npy("{'descr': '<i4', 'fortran_order': True, 'shape': (2, 3, 4), }",
            bytes_of(cube.permute({2, 1, 0}))));
  CHECK(torch::equal(read_npy(file), cube));
  CHECK(torch::equal(NpyReader(file).rows(1, 2), cube.slice(0, 1, 2)));
}

TEST_CASE_FIXTURE(Fixture, "any range of rows can be read, also none") {
  const auto tensor = torch::rand({7, 5});
  write_npy(file, tensor);
  const NpyReader reader(file);
  for (std::int64_t first = 0; first <= 7; ++first) {
    for (auto last = first; last <= 7; ++last) {
      CHECK(torch::equal(reader.rows(first, last), tensor.slice(0, first, last)));
    }
  }
  CHECK_THROWS_AS(static_cast<void>(reader.rows(3, 8)), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(reader.rows(-1, 2)), std::logic_error);
  CHECK_THROWS_AS(static_cast<void>(reader.rows(3, 2)), std::logic_error);
}

TEST_CASE_FIXTURE(Fixture, "a reader can be moved and still reads") {
  const auto tensor = torch::rand({3, 2});
  write_npy(file, tensor);
  NpyReader first(file);
  NpyReader second(std::move(first));
  CHECK(torch::equal(second.all(), tensor));
  first = std::move(second);
  CHECK(torch::equal(first.all(), tensor));
}

TEST_CASE_FIXTURE(Fixture, "spaces, double quotes, any order of keys and a tuple of one are read") {
  const auto data = bytes_of(torch::arange(3, torch::kDouble));
  write(npy("{ \"shape\" : ( 3 , ),'fortran_order':False , 'descr': '<f8'}   ", data));
  CHECK(torch::equal(read_npy(file), torch::arange(3, torch::kDouble)));
}

TEST_CASE_FIXTURE(Fixture, "a file truncated anywhere is refused by name") {
  const auto whole = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
                         bytes_of(torch::arange(6, torch::kFloat)));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto message = refusal(whole.substr(0, size));
    CHECK_MESSAGE(message.find("array.npy: error: ") != std::string::npos, "cut to " << size << " bytes");
  }
  CHECK(refusal(whole).empty());
  CHECK(contains(refusal(whole.substr(0, whole.size() - 1)),
                 "is truncated: its shape (2, 3) needs 24 bytes of data, but the file has 23"));
  CHECK(contains(refusal(whole + "x"),
                 "is too long: its shape (2, 3) needs 24 bytes of data, but the file has 25"));
}

TEST_CASE_FIXTURE(Fixture, "a file that is cut short after it was opened is an error, not a crash") {
  write_npy(file, torch::rand({1000, 10}));
  const NpyReader reader(file);
  std::filesystem::resize_file(file, 1000);
  CHECK_THROWS_WITH_AS(static_cast<void>(reader.rows(900, 1000)),
                       doctest::Contains("was truncated while it was read"), DataError);
}

TEST_CASE_FIXTURE(Fixture, "files of other kinds are refused with what they are and what to do") {
  CHECK(contains(refusal("path,identity\n"), "is not a .npy array"));
  CHECK(contains(refusal("PK\x03\x04 and so on"), "is a .npz archive"));
  CHECK(contains(refusal(""), "is empty"));
  std::filesystem::remove(file);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_npy(file)), doctest::Contains("No such file"), DataError);
  CHECK_THROWS_WITH_AS(static_cast<void>(read_npy(folder.path)), doctest::Contains("not a regular file"),
                       DataError);
}

TEST_CASE_FIXTURE(Fixture, "other types of element are refused with the way to convert them") {
  const auto type = [&](const std::string& descr) {
    return header_refusal("{'descr': " + descr + ", 'fortran_order': False, 'shape': (6,), }");
  };
  CHECK(contains(type("'|O'"), "'object' (pickled Python objects)"));
  CHECK(contains(type("'>f4'"), "'>f4' (big-endian)"));
  CHECK(contains(type("'|u1'"),
                 "type '|u1'; supported types are '<f2', '<f4', '<f8', '<i4', '<i8' and '<V2' (bfloat16)"));
  CHECK(contains(type("'|V4'"), "the array is of type '|V4'"));
  CHECK(contains(type("'<c8'"), "numpy.save(file, array.astype('<f4'))"));
  CHECK(contains(type("[('a', '<f4')]"), "'record' (named fields)"));
}

TEST_CASE_FIXTURE(Fixture, "a damaged header is refused with what is wrong in it") {
  const auto rest = std::string(", 'fortran_order': False, 'shape': (6,), }");
  CHECK(contains(header_refusal("{'descr': '<f4'" + rest + "import os"), "after the closing '}'"));
  CHECK(contains(header_refusal("{'descr': '<f4', 'descr': '<f4'" + rest), "'descr' is repeated"));
  CHECK(contains(header_refusal("{'descr': '<f4', 'more': 1" + rest), "'more' is unknown"));
  CHECK(contains(header_refusal("{'fortran_order': False, 'shape': (6,)}"), "is missing"));
  CHECK(contains(header_refusal("{'descr': '<f4" + rest), "type '<f4, '"));
  CHECK(contains(header_refusal("{'descr': '<f4', 'fortran_order': 0, 'shape': (6,)}"), "True nor False"));
  CHECK(contains(header_refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (6)}"), "not a tuple"));
  CHECK(contains(header_refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}"),
                 "integers from 0"));
  CHECK(contains(header_refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (6,)"), "expected '}'"));
  CHECK(contains(header_refusal(""), "expected '{'"));
  CHECK(contains(header_refusal("{'descr': '<f4"), "a quote is not closed"));
  CHECK(contains(refusal(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14)), "claims 4294967295 bytes"));
}

TEST_CASE_FIXTURE(Fixture, "shapes that overflow are refused") {
  const auto shape = [&](const std::string& text) {
    return header_refusal("{'descr': '<f4', 'fortran_order': False, 'shape': (" + text + "), }");
  };
  CHECK(contains(shape("99999999999999999999,"), "a dimension of the shape is too large"));
  // 2^32 x 2^32 is 0 in 64 bits, and 2^61 x 8 bytes as well.
  CHECK(contains(shape("4294967296, 4294967296"), "impossibly large"));
  CHECK(contains(shape("4611686018427387904,"), "impossibly large"));
  CHECK(contains(shape("0, 4294967296, 4294967296, 4294967296"), "impossibly large"));
  CHECK(contains(shape("4294967296, 0, 4294967296, 4294967296"), "impossibly large"));
  CHECK(contains(shape("4294967296, 4294967296, 0"), "impossibly large"));
  std::string many;
  for (int i = 0; i < 33; ++i) many += "1, ";
  CHECK(contains(shape(many), "more than 32 dimensions"));
}

TEST_CASE_FIXTURE(Fixture, "a type without a name in the format is a mistake of the program") {
  CHECK_THROWS_AS(write_npy(file, torch::zeros({2}, torch::kBool)), std::logic_error);
  CHECK_FALSE(std::filesystem::exists(file));
}

TEST_CASE_FIXTURE(Fixture, "a failed write leaves the old file and names the file") {
  const auto inside = file / "below.npy";
  write_npy(file, torch::ones({2}));
  CHECK_THROWS_AS(write_npy(inside, torch::zeros({2})), DataError);
  CHECK(torch::equal(read_npy(file), torch::ones({2})));
}
