#include "weights/torch_file.h"

#include <doctest/doctest.h>
#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"
#include "test_paths.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

fs::path golden(const std::string& name) {
  return fs::path(golden_directory) / "weights" / (name + ".pth");
}

torch::Tensor tensor(const TorchFile& file, const std::string& name) {
  const auto* found = file.content.find(name);
  REQUIRE(found != nullptr);
  return *found;
}

template <class T>
bool holds(const TorchFile& file, const std::string& name, torch::ScalarType type, std::vector<T> values) {
  const auto read = tensor(file, name);
  return read.scalar_type() == type && torch::equal(read, torch::tensor(values, torch::kFloat64).to(type));
}

std::string refusal(const fs::path& file) {
  return message_of<DataError>([&] { static_cast<void>(read_torch_file(file)); });
}

std::string pickled_text(const std::string& text) {
  std::string bytes = "X";
  for (int byte = 0; byte < 4; ++byte) bytes += static_cast<char>(text.size() >> (8 * byte));
  return bytes + text;
}

/// A file whose value these instructions make, in the format before PyTorch 1.6.
/// @param storages by key; each has two elements
std::string made_file(const std::string& instructions,
                      const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  const std::string begin = "\x80\x02";
  std::string keys;
  std::string data;
  for (const auto& [key, bytes] : storages) {
    keys += pickled_text(key);
    data += "\2\0\0\0\0\0\0\0"s + bytes;
  }
  return begin + "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19." + begin + "M\xe9\x03." + begin + "}" +
         pickled_text("little_endian") + "\x88s." + begin + instructions + "." + begin + "](" + keys + "e." +
         data;
}

std::string refusal_of_pickle(const std::string& instructions) {
  const TemporaryFolder folder;
  return refusal(folder.write("weights.pth", made_file(instructions)));
}

/// A tensor of two elements, which are a whole storage.
std::string pickled_tensor(const std::string& key, const std::string& type = "Float") {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled_text("storage") + "ctorch\n" + type + "Storage\n" +
         pickled_text(key) + pickled_text("cpu") + "K\2NtQK\0K\2\x85K\1\x85\x89}tR"s;
}

const std::string one_and_two = "\0\0\x80\x3f\0\0\0\x40"s;  // as floats

}  // namespace

TEST_CASE("every type and every kind of view comes out as PyTorch has it, in both formats") {
  for (const auto* name : {"types", "types_legacy"}) {
    CAPTURE(name);
    const auto file = read_torch_file(golden(name));
    CHECK(file.format == (std::string(name) == "types" ? "PyTorch" : "PyTorch before 1.6"));
    CHECK(holds<double>(file, "f64", torch::kFloat64, {0.5, 3.141592653589793}));
    CHECK(holds<float>(file, "f16", torch::kFloat16, {0.5F, -2}));
    CHECK(holds<float>(file, "bf16", torch::kBFloat16, {0.5F, -2}));
    CHECK(holds<std::int64_t>(file, "i64", torch::kInt64, {-(std::int64_t{1} << 40), 3}));
    CHECK(holds<int>(file, "i32", torch::kInt32, {-5, 6}));
    CHECK(holds<int>(file, "i16", torch::kInt16, {-5, 6}));
    CHECK(holds<int>(file, "i8", torch::kInt8, {-5, 6}));
    CHECK(holds<int>(file, "u8", torch::kUInt8, {250, 6}));
    CHECK(holds<int>(file, "bool", torch::kBool, {1, 0}));
    CHECK(torch::equal(tensor(file, "scalar"), torch::full({}, 7.0F)));
    CHECK(tensor(file, "empty").sizes().vec() == std::vector<std::int64_t>{0, 3});
    CHECK(torch::equal(tensor(file, "transposed"), torch::arange(6).to(torch::kFloat32).view({2, 3}).t()));
    CHECK(holds<float>(file, "tail", torch::kFloat32, {4, 5}));
    CHECK(holds<float>(file, "parameter", torch::kFloat32, {1.5F}));
    CHECK(file.beside == std::vector<std::string>{"number"});
  }
}

TEST_CASE("tensors that share memory share it again") {
  const auto file = read_torch_file(golden("types"));
  CHECK(tensor(file, "transposed").storage().data() == tensor(file, "tail").storage().data());
}

TEST_CASE("the weights of a checkpoint are found among all that stands beside them") {
  for (const auto* name : {"checkpoint", "checkpoint_legacy"}) {
    CAPTURE(name);
    const auto file = read_torch_file(golden(name));
    CHECK(file.dictionary == "state_dict");
    CHECK(file.beside == std::vector<std::string>{"epoch", "rank1", "optimizer", "scheduler"});
    std::vector<std::string> names;
    for (const auto& entry : file.content.tensors) names.push_back(entry.first);
    CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean",
                                            "1.running_var", "1.num_batches_tracked"});
    CHECK(tensor(file, "1.num_batches_tracked").item<std::int64_t>() == 1);
  }
  const auto file = read_torch_file(golden("checkpoint_model"));
  CHECK(file.dictionary == "model");
  CHECK(file.beside == std::vector<std::string>{"iteration"});
  CHECK(file.content.tensors.size() == 7);
}

TEST_CASE("a whole module is refused by name, and the message says how to save its weights") {
  const auto message = refusal(golden("module"));
  CHECK(message.find("module.pth: error: needs the Python object 'torch.nn.modules.container.Sequential'") !=
        std::string::npos);
  CHECK(message.find("torch.save(model.state_dict(), 'weights.pth')") != std::string::npos);
}

TEST_CASE("an object that would run a command is dropped by name and runs nothing") {
  for (const auto* name : {"hostile", "hostile_legacy"}) {
    const auto file = read_torch_file(golden(name));
    CHECK(file.unknown == std::vector<std::string>{"extra (posix.system)"});
    CHECK(file.content.tensors.size() == 1);
  }
  CHECK_FALSE(fs::exists("/tmp/kindred_was_here"));
}

TEST_CASE("weights under a known key are found though a tensor stands beside it, and objects are named") {
  const auto file = read_torch_file(golden("objects"));
  CHECK(file.dictionary == "state_dict");
  CHECK(file.content.tensors.size() == 7);
  CHECK(file.beside == std::vector<std::string>{"loss", "epoch"});
  CHECK(file.unknown == std::vector<std::string>{"args (argparse.Namespace)", "cfg (__main__.Config)",
                                                 "hook (posix.system)"});
  CHECK_FALSE(fs::exists("/tmp/kindred_was_here"));
}

TEST_CASE("weights are found several keys deep and in lists of one") {
  const auto file = read_torch_file(golden("nested"));
  CHECK(file.dictionary == "checkpoint.net_dict.params");
  CHECK(file.content.tensors.size() == 7);
  CHECK(file.beside == std::vector<std::string>{"best_acc"});
}

TEST_CASE("of several networks one is chosen by its key") {
  const auto chosen = read_torch_file(golden("teacher_student"));
  CHECK(chosen.dictionary == "teacher.backbone");
  CHECK(chosen.choice == "'teacher.backbone', not 'student', which --key or key in the recipe would take");
  const auto student = read_torch_file(golden("teacher_student"), "student");
  const auto teacher = read_torch_file(golden("teacher_student"), "teacher.backbone");
  CHECK(student.dictionary == "student");
  CHECK(torch::equal(tensor(student, "0.weight"), tensor(teacher, "0.weight") + 1));
  // The only dictionary under a key is meant by it.
  CHECK(read_torch_file(golden("teacher_student"), "teacher").dictionary == "teacher.backbone");
  CHECK_FALSE(read_torch_file(golden("checkpoint"), "teacher").has_key);
}

TEST_CASE("the only weights of a file are found under whatever key, beside a stray tensor") {
  const auto file = read_torch_file(golden("own_key"));
  CHECK(file.dictionary == "ema_weights");
  CHECK(file.content.tensors.size() == 7);
}

TEST_CASE("a whole module under a key is named, and the message says how to save its weights") {
  const auto message = refusal(golden("module_inside"));
  CHECK(message.find("contains no tensors") != std::string::npos);
  CHECK(message.find("it contains 'model' and 'epoch'") != std::string::npos);
  CHECK(message.find("torch.save(model.state_dict(), 'weights.pth')") != std::string::npos);
}

TEST_CASE("the tensors of a TorchScript program are those of its state_dict") {
  const auto program = read_torch_file(golden("script"));
  CHECK(program.format == "TorchScript");
  CHECK(program.dictionary.empty());
  const auto saved = read_torch_file(golden("checkpoint_model"));
  REQUIRE(program.content.tensors.size() == saved.content.tensors.size());
  for (const auto& entry : saved.content.tensors) {
    const auto& name = entry.first;
    CAPTURE(name);
    CHECK(torch::equal(tensor(program, name), entry.second));
  }
}

TEST_CASE("files of another kind say what they are") {
  CHECK(refusal(golden("number")).find("is not a dictionary of tensors") != std::string::npos);
  CHECK(refusal(golden("number_legacy")).find("is not a dictionary of tensors") != std::string::npos);
  CHECK(refusal(golden("compressed")).find("is compressed, unlike in files of PyTorch") != std::string::npos);
  CHECK(refusal(golden("big_endian")).find("is big-endian") != std::string::npos);
  const TemporaryFolder folder;
  CHECK(refusal(folder.write("a.pth", "no weights")).find("is not a file of torch.save") !=
        std::string::npos);
  CHECK(refusal(folder / "none.pth").find("does not exist") != std::string::npos);
  CHECK(refusal(folder.path()).find("is not a file") != std::string::npos);
}

TEST_CASE("an archive without checksums is read, as torch.load reads it") {
  CHECK(holds<float>(read_torch_file(golden("no_checksum")), "weight", torch::kFloat32, {1, 1}));
}

TEST_CASE("a view that exceeds its storage is refused") {
  // In the legacy format nothing but this check stands between a number and memory. 'tail' is
  // arange(6)[4:]: offset 4, shape (2,), strides (1,), behind it requires_grad.
  const auto bytes = read_bytes(golden("types_legacy"));
  const auto at = bytes.find("K\x04K\x02\x85");
  REQUIRE(at != std::string::npos);
  const TemporaryFolder folder;
  const auto with = [&](std::size_t place, char value) {
    auto changed = bytes;
    changed[at + place] = value;
    return refusal(folder.write("changed.pth", changed));
  };
  CHECK(with(1, 5).find("tensor 'tail' exceeds its storage of 6 elements") != std::string::npos);
  CHECK(with(3, 3).find("tensor 'tail' exceeds its storage") != std::string::npos);
  CHECK(with(1, 4).empty());
}

TEST_CASE("a storage that two tensors describe in two ways is refused") {
  const TemporaryFolder folder;
  const auto refusal_with = [&](const std::string& second) {
    const auto items = pickled_text("a") + pickled_tensor("0") + pickled_text("b") + second;
    return refusal(folder.write("weights.pth", made_file("}(" + items + "u", {{"0", one_and_two}})));
  };
  const std::string two_ways = "is damaged: storage '0' is described in two ways";
  CHECK(refusal_with(pickled_tensor("0")).empty());
  CHECK(refusal_with(pickled_tensor("0", "Int")).find(two_ways) != std::string::npos);
  auto longer = pickled_tensor("0");
  longer.at(longer.find("K\2NtQ") + 1) = 3;
  CHECK(refusal_with(longer).find(two_ways) != std::string::npos);
}

TEST_CASE("dictionaries and modules that hold each other in more ways than can be followed are refused") {
  const std::string other_ways = "hold each other in too many ways";
  // Each holds the one before it under many keys.
  std::string dictionaries = "}";
  for (char i = 0; i < 8; ++i) {
    dictionaries += "q"s + i + "0}(";
    for (char key = 'a'; key <= 'z'; ++key) dictionaries += pickled_text(std::string(1, key)) + "h" + i;
    dictionaries += "u";
  }
  CHECK(refusal_of_pickle(dictionaries).find(other_ways) != std::string::npos);
  std::string modules = "c__torch__\nMine\nq\0)\x81"s;
  for (char i = 1; i < 60; ++i) {
    modules += "q"s + i + "0h\0)\x81}("s + pickled_text("a") + "h" + i + pickled_text("b") + "h" + i + "ub";
  }
  CHECK(refusal_of_pickle(modules).find(other_ways) != std::string::npos);
}

TEST_CASE("a frozen program, whose tensors are constants, is told what to give instead") {
  const auto message = refusal_of_pickle("c__torch__\nMine\n)\x81}("s + pickled_text("training") + "\x89ub");
  CHECK(message.find("is a TorchScript program without parameters") != std::string::npos);
  CHECK(message.find("give the weights that it was made from") != std::string::npos);
}

TEST_CASE("a file that is merely large is read, and one of too many values says so") {
  const TemporaryFolder folder;
  // Items whose key stands in the file once.
  std::string many = "}K\1q\0000("s + pickled_text("x") + pickled_tensor("0");
  for (int i = 0; i < 2'100'000; ++i) many += "h\0N"s;
  const auto file = read_torch_file(folder.write("weights.pth", made_file(many + "u", {{"0", one_and_two}})));
  CHECK(holds<float>(file, "x", torch::kFloat32, {1, 2}));
  CHECK(refusal_of_pickle(std::string(5'000'001, 'N'))
            .find("weights.pth: error: has more than 5000000 values in its pickle, the most that are read") !=
        std::string::npos);
}

TEST_CASE("a tensor of a type that is not supported is named and not read, whatever it stands beside") {
  const TemporaryFolder folder;
  const std::string two_complex(16, '\1');
  const auto complex = pickled_text("frequencies") + pickled_tensor("0", "ComplexFloat");
  const auto made = made_file("}(" + complex + pickled_text("x") + pickled_tensor("1") + "u",
                              {{"0", two_complex}, {"1", one_and_two}});
  const auto file = read_torch_file(folder.write("weights.pth", made));
  CHECK(file.content.tensors.size() == 1);
  CHECK(holds<float>(file, "x", torch::kFloat32, {1, 2}));
  CHECK(file.beside.empty());
  CHECK(file.unknown == std::vector<std::string>{"frequencies (torch.ComplexFloatStorage)"});

  const auto message =
      refusal(folder.write("weights.pth", made_file("}(" + complex + "u", {{"0", two_complex}})));
  CHECK(message.find("contains no tensors") != std::string::npos);
  CHECK(message.find(
            "it contains 'frequencies'. Tensors of the type 'torch.ComplexFloatStorage' are not read") !=
        std::string::npos);
  // In this format the type says where a storage ends.
  const auto other = pickled_text("other") + pickled_tensor("0", "New");
  CHECK(refusal(folder.write("weights.pth",
                             made_file("}(" + other + pickled_text("x") + pickled_tensor("1") + "u",
                                       {{"0", one_and_two}, {"1", one_and_two}})))
            .find("its storage '0' belongs to no tensor of a type that is known") != std::string::npos);
}

TEST_CASE("what stands beside the weights is named at every level") {
  const TemporaryFolder folder;
  const auto dictionary = [](const std::string& items) { return "}(" + items + "u"; };
  const auto weights = [&](const std::string& key) {
    return pickled_text(key) + dictionary(pickled_text("x") + pickled_tensor("0"));
  };
  const auto object = pickled_text("args") + "cargparse\nNamespace\n)R";
  const auto inner =
      weights("state_dict") + weights("ema_state_dict") + pickled_text("step") + "K\3" + object;
  const auto made =
      dictionary(pickled_text("checkpoint") + dictionary(inner) + pickled_text("epoch") + "K\3" + object);
  const auto file = read_torch_file(folder.write("weights.pth", made_file(made, {{"0", one_and_two}})));
  CHECK(file.dictionary == "checkpoint.state_dict");
  CHECK(file.beside == std::vector<std::string>{"epoch", "checkpoint.ema_state_dict", "checkpoint.step"});
  CHECK(file.unknown ==
        std::vector<std::string>{"args (argparse.Namespace)", "checkpoint.args (argparse.Namespace)"});
}

TEST_CASE("a name of a tensor that no program gives is refused") {
  CHECK(refusal_of_pickle("}(" + pickled_text(std::string(1001, 'x')) + pickled_tensor("0") + "u")
            .find("the name of a tensor has 1001 bytes") != std::string::npos);
}

TEST_CASE("negative, overflowing and repeating views are refused") {
  const auto bytes = read_bytes(golden("types_legacy"));
  const auto at = bytes.find("K\x04K\x02\x85");
  const auto strides = bytes.find("K\x01\x85", at);
  REQUIRE(strides != std::string::npos);
  const TemporaryFolder folder;
  const auto long_number = [](std::int64_t value) {
    std::string text("\x8a\x08", 2);
    for (int i = 0; i < 8; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  };
  const auto view = [&](std::int64_t offset, std::int64_t length, std::int64_t stride) {
    auto changed = bytes;
    changed.replace(strides, 2, long_number(stride));
    changed.replace(at, 4, long_number(offset) + long_number(length));
    return refusal(folder.write("changed.pth", changed));
  };
  constexpr auto most = std::numeric_limits<std::int64_t>::max();
  CHECK(view(4, 2, 1).empty());
  CHECK(view(-1, 2, 1).find("has a negative size") != std::string::npos);
  CHECK(view(4, -2, 1).find("has a negative size") != std::string::npos);
  CHECK(view(4, 2, -1).find("has a negative size") != std::string::npos);
  CHECK(view(most, 2, 1).find("exceeds its storage") != std::string::npos);
  CHECK(view(4, most, most).find("exceeds its storage") != std::string::npos);
  CHECK(view(0, 2, most).find("exceeds its storage") != std::string::npos);
  CHECK(view(0, 7, 0).find("repeats 6 elements as 7") != std::string::npos);
  CHECK(view(most, 0, most).empty());
}

TEST_CASE("a file that was cut off anywhere is refused") {
  const TemporaryFolder folder;
  for (const auto* name : {"checkpoint", "checkpoint_legacy", "types", "types_legacy"}) {
    CAPTURE(name);
    const auto bytes = read_bytes(golden(name));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const auto message = refusal(folder.write("cut.pth", bytes.substr(0, size)));
      CHECK_MESSAGE(message.find("cut.pth: error: ") != std::string::npos, size);
    }
  }
}

TEST_CASE("flipped bytes give an error or tensors, and never anything else") {
  const TemporaryFolder folder;
  std::mt19937 random(5);
  for (const auto* name : {"checkpoint", "checkpoint_legacy", "types", "types_legacy", "hostile_legacy"}) {
    CAPTURE(name);
    const auto bytes = read_bytes(golden(name));
    std::int64_t refused = 0;
    for (int trial = 0; trial < 1500; ++trial) {
      auto changed = bytes;
      for (auto flips = random() % 4 + 1; flips > 0; --flips) {
        changed[random() % changed.size()] = static_cast<char>(random());
      }
      try {
        const auto read = read_torch_file(folder.write("flipped.pth", changed));
        for (const auto& [tensor_name, value] : read.content.tensors) {
          CHECK(value.clone().numel() == value.numel());  // every element can be read
        }
      } catch (const DataError&) {
        ++refused;
      }
    }
    CHECK(refused > 0);
  }
}
