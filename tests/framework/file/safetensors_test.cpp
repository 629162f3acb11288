#include "file/safetensors.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>

#include "file/checksum.h"
#include "kindred/core/error.h"
#include "kindred/core/random.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::file;
using namespace kindred::test;
namespace fs = std::filesystem;

namespace {

std::string with_header(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + data;
}

/// What reading a file of these bytes says, without the file's name.
std::string refusal(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto file = folder / "x.safetensors";
  write_bytes(file, bytes);
  const auto message = message_of<DataError>([&] { static_cast<void>(read_safetensors(file)); });
  const std::string prefix = file.string() + ": error: ";
  REQUIRE(message.rfind(prefix, 0) == 0);
  const auto of_metadata = message_of<DataError>([&] { static_cast<void>(read_safetensors_metadata(file)); });
  CHECK(of_metadata == message);
  return message.substr(prefix.size());
}

std::string refusal_of_header(const std::string& header, const std::string& data = "") {
  return refusal(with_header(header, data));
}

TensorFile example() {
  TensorFile content;
  content.metadata = {{"kindred.recipe", "name = \"x\"\n"}, {"ünï", "\"quoted\""}};
  content.tensors = {{"weight", torch::arange(6, torch::kFloat32).reshape({2, 3}) / 7},
                     {"steps", torch::tensor(41, torch::kInt64)},
                     {"mask", torch::tensor({1, 0, 1}, torch::kBool)}};
  return content;
}

}  // namespace

TEST_CASE("every type comes back exactly") {
  const TemporaryFolder folder;
  const auto file = folder / "x.safetensors";
  TensorFile content;
  for (const auto type :
       {torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt16, torch::kInt32, torch::kInt64,
        torch::kFloat16, torch::kBFloat16, torch::kFloat32, torch::kFloat64}) {
    content.tensors.emplace_back(torch::toString(type), (torch::arange(15).reshape({3, 5}) - 4).to(type));
  }
  content.tensors.emplace_back("scalar", torch::tensor(7, torch::kInt64));
  content.tensors.emplace_back("empty", torch::empty({0, 3}));
  content.tensors.emplace_back("not finite", torch::tensor({NAN, INFINITY, -0.0F}));
  write_safetensors(file, content);
  const auto back = read_safetensors(file);
  REQUIRE(back.tensors.size() == content.tensors.size());
  for (const auto& entry : content.tensors) {
    const auto& name = entry.first;
    const auto& tensor = entry.second;
    const auto* found = back.find(name);
    REQUIRE(found != nullptr);
    CHECK_MESSAGE((found->scalar_type() == tensor.scalar_type()), name);
    CHECK_MESSAGE((found->sizes() == tensor.sizes()), name);
    const auto plain = tensor.contiguous();
    const auto* expected = static_cast<const char*>(plain.data_ptr());
    // By bytes: a value that is not a number is not equal to itself.
    CHECK(std::equal(expected, expected + plain.nbytes(), static_cast<const char*>(found->data_ptr())));
  }
  CHECK(back.find("nobody") == nullptr);
}

TEST_CASE("tensors of other strides are written by their values, and metadata comes back") {
  const TemporaryFolder folder;
  const auto file = folder / "x.safetensors";
  auto content = example();
  content.tensors[0].second = content.tensors[0].second.t();
  content.tensors.emplace_back("image",
                               torch::rand({2, 3, 4, 5}).contiguous(torch::MemoryFormat::ChannelsLast));
  write_safetensors(file, content);
  const auto back = read_safetensors(file);
  CHECK(torch::equal(*back.find("weight"), content.tensors[0].second));
  CHECK(torch::equal(*back.find("image"), content.tensors[3].second));
  CHECK(back.metadata == content.metadata);
  CHECK(read_safetensors_metadata(file) == content.metadata);
}

TEST_CASE("every tensor is aligned to its element, and equal content gives equal bytes") {
  const TemporaryFolder folder;
  TensorFile content;
  content.tensors = {{"a", torch::ones({3}, torch::kUInt8)},
                     {"b", torch::ones({3}, torch::kFloat64)},
                     {"c", torch::ones({3}, torch::kFloat16)},
                     {"d", torch::ones({3}, torch::kFloat32)},
                     {"e", torch::zeros({1}, torch::kFloat32)}};
  write_safetensors(folder / "1", content);
  write_safetensors(folder / "2", content);
  CHECK(read_bytes(folder / "1") == read_bytes(folder / "2"));
  const auto bytes = read_bytes(folder / "1");
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  CHECK(header % 8 == 0);
  std::string order;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : read_safetensors(folder / "1").tensors) {
    order += name;
    CHECK(position % tensor.element_size() == 0);
    position += tensor.nbytes();
  }
  CHECK(order == "bdeca");
}

TEST_CASE("a file that another program has written is read") {
  // As the reference implementation writes a 1 x 2 F32 tensor.
  const float values[2] = {1.5F, -2.0F};
  const std::string data(reinterpret_cast<const char*>(values), sizeof values);
  const TemporaryFolder folder;
  write_bytes(folder / "x", with_header(R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[1,2],)"
                                        R"("data_offsets":[0,8]}}   )",
                                        data));
  const auto content = read_safetensors(folder / "x");
  CHECK(content.metadata.at("format") == "pt");
  CHECK(torch::equal(content.tensors.at(0).second, torch::tensor({{1.5F, -2.0F}})));
}

TEST_CASE("a missing file and a folder are named") {
  const TemporaryFolder folder;
  CHECK(message_of<DataError>([&] { static_cast<void>(read_safetensors(folder / "none")); }) ==
        (folder / "none").string() + ": error: does not exist");
  CHECK(message_of<DataError>([&] { static_cast<void>(read_safetensors(folder.path())); }) ==
        folder.path().string() + ": error: is not a file");
}

TEST_CASE("a header that is too short, too long, no JSON or no object is refused") {
  CHECK(refusal("") == "is not a safetensors file: it has only 0 bytes");
  CHECK(refusal("1234567") == "is not a safetensors file: it has only 7 bytes");
  CHECK(refusal("PK\3\4 this is a zip file")
            .rfind("is not a safetensors file, or is truncated: its header", 0) == 0);
  CHECK(refusal(std::string(8, '\xff')).rfind("is not a safetensors file, or is truncated", 0) == 0);
  CHECK(refusal_of_header("").rfind("is not a safetensors file: its header is not JSON", 0) == 0);
  CHECK(refusal_of_header("{\"a\":").rfind("is not a safetensors file: its header is not JSON", 0) == 0);
  CHECK(refusal_of_header("{} x").rfind("is not a safetensors file: its header is not JSON", 0) == 0);
  CHECK(refusal_of_header("{\"\xff\":1}").rfind("is not a safetensors file: its header is not JSON", 0) == 0);
  CHECK(refusal_of_header("[1]") == "is not a safetensors file: its header is not a JSON object");
  CHECK(refusal_of_header(std::string(100'000, '[')) ==
        "is not a safetensors file: its header is nested too deeply");
}

TEST_CASE("a tensor that is described wrongly is named") {
  CHECK(refusal_of_header(R"({"a":1})") == "is damaged: tensor 'a' has an entry that is not an object");
  CHECK(refusal_of_header(R"({"a":{"shape":[],"data_offsets":[0,4]}})", "1234") ==
        "is damaged: tensor 'a' has no 'dtype'");
  CHECK(refusal_of_header(R"({"a":{"dtype":7,"shape":[],"data_offsets":[0,4]}})", "1234") ==
        "is damaged: tensor 'a' has a 'dtype' that is not a string");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}})", "1234") ==
        "tensor 'a' has the unsupported type 'F8_E4M3'; supported types are 'BOOL', 'U8', 'I8', 'I16', "
        "'I32', 'I64', "
        "'F16', 'BF16', 'F32' and 'F64'");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", "1234") ==
        "is damaged: tensor 'a' has a 'shape' that is not a list");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", "1234") ==
        "is damaged: tensor 'a' has the shape [-1]");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", "1234") ==
        "is damaged: tensor 'a' has the shape [1.0]");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", "1234") ==
        "is damaged: tensor 'a' has 'data_offsets' that are not two integers");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", "1234") ==
        "is damaged: tensor 'a' ends before it begins");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", "1234") ==
        "is damaged: tensor 'a' has 4 bytes, but F32 [2] needs 8");
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "1234") ==
        "is damaged: tensor 'a' ends at byte 8 of the data, which has only 4 bytes: the file is truncated");
}

TEST_CASE("shapes that overflow are refused, also beside a length of 0") {
  for (const char* shape : {"[4294967296,4294967296]", "[9223372036854775807,2]", "[4294967296,4294967296,0]",
                            "[0,4294967296,4294967296]", "[4294967296,0,4294967296]"}) {
    CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":)" + std::string(shape) +
                            R"(,"data_offsets":[0,0]}})") ==
          "is damaged: tensor 'a' has the shape " + std::string(shape) + ", which is too large for any file");
  }
  CHECK(refusal_of_header(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})",
                          "1234") == "is damaged: tensor 'a' has the shape [18446744073709551615]");
}

TEST_CASE("overlaps, holes, left-over bytes and names that come twice are refused") {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)") + first +
           R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
  };
  CHECK(refusal_of_header(two("[0,4]", "[2,6]"), "123456") == "is damaged: tensors 'a' and 'b' overlap");
  CHECK(refusal_of_header(two("[0,4]", "[0,4]"), "1234") == "is damaged: tensors 'a' and 'b' overlap");
  CHECK(refusal_of_header(two("[6,10]", "[0,4]"), "1234567890") ==
        "is damaged: 2 bytes before tensor 'a' belong to no tensor");
  CHECK(refusal_of_header(two("[0,4]", "[4,8]"), "1234567890") ==
        "is damaged: the last 2 bytes belong to no tensor");
  CHECK(refusal_of_header(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                          R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                          "12") == "is damaged: its header lists 'a' twice");
  CHECK(refusal_of_header(R"({"__metadata__":{"k":1}})") == "is damaged: its metadata 'k' is not a string");
  CHECK(refusal_of_header(R"({"__metadata__":[]})") ==
        "is damaged: its metadata is not an object of strings");
}

TEST_CASE("a BOOL that is neither 0 nor 1 is refused") {
  const TemporaryFolder folder;
  write_bytes(folder / "x",
              with_header(R"({"a":{"dtype":"BOOL","shape":[2],"data_offsets":[0,2]}})", "\1\2"));
  CHECK_THROWS_WITH_AS(static_cast<void>(read_safetensors(folder / "x")),
                       doctest::Contains("tensor 'a' has type BOOL but contains values other than 0 and 1"),
                       DataError);
}

TEST_CASE("a file that was cut off anywhere is refused, and one with changed bytes never crashes") {
  const TemporaryFolder folder;
  const auto file = folder / "x";
  write_safetensors(file, example());
  const auto whole = read_bytes(file);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write_bytes(file, whole.substr(0, length));
    CHECK_THROWS_AS(static_cast<void>(read_safetensors(file)), DataError);
  }
  RandomStream random(1);
  for (int i = 0; i < 500; ++i) {
    auto bytes = whole;
    for (int j = 0; j < 3; ++j) {
      const auto place = random.integer(0, static_cast<std::int64_t>(bytes.size()) - 1);
      bytes[static_cast<std::size_t>(place)] = static_cast<char>(random.integer(0, 255));
    }
    write_bytes(file, bytes);
    try {
      static_cast<void>(read_safetensors(file));
    } catch (const DataError&) {
      // Refused by name; everything else would end the test.
    }
  }
}

TEST_CASE("content that cannot be written is refused by name, and nothing is written") {
  const TemporaryFolder folder;
  const auto file = folder / "x";
  const auto message = [&](TensorFile content) {
    return message_of<DataError>([&] { write_safetensors(file, content); });
  };
  CHECK(message({{{"a", torch::ones(1)}, {"a", torch::ones(1)}}, {}}) ==
        file.string() + ": error: two tensors are named 'a'");
  CHECK(message({{{"__metadata__", torch::ones(1)}}, {}}) ==
        file.string() + ": error: a tensor cannot be named '__metadata__'");
  CHECK(message({{{"a", torch::Tensor()}}, {}}) == file.string() + ": error: tensor 'a' has no value");
  CHECK(message({{{"a", torch::ones(1, torch::kComplexFloat)}}, {}})
            .find("type that safetensors does not support") != std::string::npos);
  CHECK(message({{}, {{"key", "\xff"}}}).find("is not valid UTF-8") != std::string::npos);
  CHECK(!fs::exists(file));
}

TEST_CASE("a seal finds every flipped bit of the content, and content without a seal passes") {
  const TemporaryFolder folder;
  const auto file = folder / "x";
  auto content = example();
  verify_checksum(file, content);
  add_checksum(content);
  write_safetensors(file, content);
  verify_checksum(file, read_safetensors(file));
  const auto whole = read_bytes(file);
  std::uint64_t header = 0;
  std::memcpy(&header, whole.data(), 8);
  int read_but_refused = 0;
  for (std::size_t place = 8; place < whole.size(); ++place) {
    // Blanks behind the header mean nothing.
    if (place < 8 + header && whole[place] == ' ') continue;
    auto bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    write_bytes(file, bytes);
    const auto use = [&] {
      const auto damaged = read_safetensors(file);
      ++read_but_refused;
      verify_checksum(file, damaged);
    };
    // The seal's own key: without it the content passes as unsealed, which a checkpoint does not.
    const auto key = whole.find("kindred.crc32");
    if (place >= key && place < key + 13) continue;
    CHECK_THROWS_AS(use(), DataError);
  }
  CHECK(read_but_refused > 24);
}
