#include "weights/pickle.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kindred/core/error.h"
#include "temporary_folder.h"

using namespace kindred;
using namespace kindred::weights;
using namespace kindred::test;
using namespace std::string_literals;

namespace {

/// The pickle between "protocol 2" and "stop".
Pickle read(const std::string& instructions) {
  const TemporaryFolder folder;
  file::BinaryFile file(folder.write("made.pkl", "\x80\x02"s + instructions + "."));
  file::BinaryCursor cursor(file, 0, file.size());
  auto pickle = read_pickle(cursor, file.file());
  CHECK(cursor.left() == 0);
  return pickle;
}

std::string refusal(const std::string& instructions) {
  return message_of<DataError>([&] { static_cast<void>(read(instructions)); });
}

bool refused_with(const std::string& instructions, const std::string& reason) {
  return refusal(instructions).find(reason) != std::string::npos;
}

template <class T>
T value_of(const std::string& instructions) {
  const auto pickle = read(instructions);
  const auto* value = pickle.root->as<T>();
  REQUIRE(value != nullptr);
  return *value;
}

std::string text(const std::string& content) {
  return "X" + std::string(1, static_cast<char>(content.size())) + "\0\0\0"s + content;
}

const std::string storage =
    "(" + text("storage") + "ctorch\nFloatStorage\n" + text("0") + text("cpu") + "K\x06tQ";

/// _rebuild_tensor_v2 of that storage with what stands for offset, shape and strides.
std::string tensor(const std::string& view) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + view + "\x89}tR";
}

}  // namespace

TEST_CASE("numbers, texts and truth values are read as Python writes them") {
  CHECK(value_of<std::int64_t>("K\xff") == 255);
  CHECK(value_of<std::int64_t>("M\x01\x02") == 513);
  CHECK(value_of<std::int64_t>("J\xfe\xff\xff\xff") == -2);
  CHECK(value_of<std::int64_t>("\x8a\x00"s) == 0);
  CHECK(value_of<std::int64_t>("\x8a\x01\xff") == -1);
  CHECK(value_of<std::int64_t>("\x8a\x06\x00\x00\x00\x00\x00\x01"s) == std::int64_t{1} << 40);
  CHECK(value_of<double>("G\x3f\xf8\0\0\0\0\0\0"s) == 1.5);
  CHECK(value_of<bool>("\x88"));
  CHECK_FALSE(value_of<bool>("\x89"));
  CHECK(value_of<std::string>(text("name")) == "name");
  CHECK(value_of<std::string>("U\x02hi") == "hi");
}

TEST_CASE("dictionaries are found by key, and of a key that comes twice the last counts") {
  const auto pickle = read("}(" + text("a") + "K\x01" + text("b") + "K\x02" + text("a") + "K\x03u");
  const auto* dictionary = pickle.root->as<PickledDictionary>();
  REQUIRE(dictionary != nullptr);
  CHECK(*dictionary->find("a")->as<std::int64_t>() == 3);
  CHECK(*dictionary->find("b")->as<std::int64_t>() == 2);
  CHECK(dictionary->find("c") == nullptr);
}

TEST_CASE("an OrderedDict is a dictionary, filled afterwards or from a list, and its state is dropped") {
  const std::string made = "ccollections\nOrderedDict\n";
  for (const auto& instructions :
       {made + ")R" + text("a") + "K\x01s}b", made + "]]" + "(" + text("a") + "K\x01" + "ea\x85R"}) {
    const auto pickle = read(instructions);
    const auto* dictionary = pickle.root->as<PickledDictionary>();
    REQUIRE(dictionary != nullptr);
    REQUIRE(dictionary->find("a") != nullptr);
    CHECK(*dictionary->find("a")->as<std::int64_t>() == 1);
  }
}

TEST_CASE("a tensor is described by its storage, offset, shape and strides") {
  const auto pickle = read(tensor("K\x02K\x01K\x02\x86K\x02K\x01\x86"));
  const auto* described = pickle.root->as<PickledTensor>();
  REQUIRE(described != nullptr);
  CHECK(described->storage->key == "0");
  CHECK(described->storage->elements == 6);
  CHECK((described->storage->type == torch::kFloat32));
  CHECK(described->offset == 2);
  CHECK(described->shape == std::vector<std::int64_t>{1, 2});
  CHECK(described->strides == std::vector<std::int64_t>{2, 1});
}

TEST_CASE("what asks for a function or a class becomes its name, and nothing is executed") {
  const TemporaryFolder folder;
  const auto trace = folder / "trace";
  const std::string arguments = "(" + text("touch " + trace.string()) + "t";
  const auto name_of = [](const std::string& instructions) {
    return value_of<PickledOther>(instructions).name;
  };
  CHECK(name_of("cposix\nsystem\n" + arguments + "R") == "posix.system");
  for (const auto* name :
       {"builtins\neval\n", "__builtin__\nexec\n", "os\nsystem\n", "subprocess\nPopen\n",
        "torch.nn.modules.linear\nLinear\n", "torch\nload\n", "torch._utils\n_rebuild_x\n"}) {
    auto full = std::string(name);
    full.pop_back();
    full[full.find('\n')] = '.';
    CHECK(name_of("c" + std::string(name) + arguments + "R") == full);
    CHECK(name_of("c" + std::string(name) + arguments + "\x81") == full);   // an object of a class
    CHECK(name_of("c" + std::string(name) + arguments + "}\x92") == full);  // with named arguments
    CHECK(name_of("(i" + std::string(name)) == full);                       // of Python 2
    CHECK(name_of("(c" + std::string(name) + text("x") + "o") == full);     // of Python 2
    CHECK(name_of("c" + std::string(name) + ")RK\x01\x85R") == full);       // the result of a call, called
    CHECK(name_of("c" + std::string(name) + ")\x81}(" + text("a") + "K\x01ub") == full);  // with attributes
  }
  CHECK(name_of(text("os") + text("system") + "\x93" + arguments + "R") == "os.system");
  CHECK_FALSE(std::filesystem::exists(trace));
}

TEST_CASE("items and elements of an unknown object are read past") {
  const std::string object = "c__main__\nConfig\n)\x81";
  CHECK(value_of<PickledOther>(object + "(" + text("a") + "K\x01u").name == "__main__.Config");
  CHECK(value_of<PickledOther>(object + "(K\x01K\x02" + "e").name == "__main__.Config");
}

TEST_CASE("a parameter with attributes, and a tensor of a derived class, are tensors") {
  const auto made = tensor("K\x02K\x01K\x02\x86K\x02K\x01\x86");
  CHECK(
      value_of<PickledTensor>("ctorch._utils\n_rebuild_parameter_with_state\n(" + made + "\x88}}tR").offset ==
      2);
  const auto inner = "(" + storage + "K\x02K\x01K\x02\x86K\x02K\x01\x86\x89}t";
  CHECK(value_of<PickledTensor>("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\n"
                                "c__main__\nMine\n" +
                                inner + "}tR")
            .offset == 2);
  CHECK(refused_with("ctorch._tensor\n_rebuild_from_type_v2\n(K\x01K\x01)tR", "an invalid description"));
}

TEST_CASE("a tensor of a type that is not supported becomes the name of what it is made of") {
  const auto made_of = [](const std::string& type, const std::string& function) {
    return "ctorch._utils\n" + function + "\n((" + text("storage") + "c" + type + "\n" + text("0") +
           text("cpu") + "K\x06tQK\0K\x01\x85K\x01\x85\x89}tR"s;
  };
  const auto name_of = [](const std::string& instructions) {
    return value_of<PickledOther>(instructions).name;
  };
  const auto complex = made_of("torch\nComplexFloatStorage", "_rebuild_tensor_v2");
  CHECK(name_of(complex) == "torch.ComplexFloatStorage");
  CHECK(name_of("ctorch._utils\n_rebuild_parameter\n(" + complex + "\x88}tR") == "torch.ComplexFloatStorage");
  CHECK(name_of(made_of("torch\nNewStorage", "_rebuild_tensor_v2")) == "torch.NewStorage");
  CHECK(name_of(made_of("torch.storage\nUntypedStorage", "_rebuild_tensor_v3")) ==
        "torch._utils._rebuild_tensor_v3");
  CHECK(name_of(made_of("torch\nQInt8Storage", "_rebuild_qtensor")) == "torch._utils._rebuild_qtensor");
}

TEST_CASE("what no file of weights does is refused") {
  CHECK(refused_with("(K\x01o", "an object of something that is not a class"));
  CHECK(refused_with("(o", "an object of nothing"));
  for (const auto* opcode : {"\x82\x01", "Pstorage\n", "\x97"}) {
    CHECK(refused_with(opcode, "which is not an instruction in pickles of weights"));
  }
}

TEST_CASE("names of what is unknown are cut") {
  const auto name = value_of<PickledOther>("cos\n" + std::string(5000, 'x') + "\n)R").name;
  CHECK(name.size() == 200);
}

TEST_CASE("what stands beside weights in checkpoints is read past") {
  for (const auto* made : {"ccollections\nCounter\n}\x85R", "cnumpy._core.multiarray\nscalar\n)R",
                           "c__builtin__\nset\n]\x85R", "\x8f(K\x01\x90", "ctorch\ndevice\n)R"}) {
    CHECK(read(made).root->as<PickledOther>() != nullptr);
  }
  CHECK(read("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").root->as<PickledOther>() != nullptr);
}

TEST_CASE("values that stand in themselves are read") {
  const auto pickle = read("]q\0h\0a"s);
  const auto* list = pickle.root->as<PickledSequence>();
  REQUIRE(list != nullptr);
  REQUIRE(list->items.size() == 1);
  CHECK(list->items[0] == pickle.root);
  CHECK(read("}q\0("s + text("a") + "h\0u"s).root->as<PickledDictionary>()->find("a") != nullptr);
}

TEST_CASE("a pickle that is none says what is wrong") {
  CHECK(refused_with("", "pops more values than it pushed"));
  CHECK(refused_with("0", "pops more values than it pushed"));
  CHECK(refused_with("K\x01(a", "pops more values than it pushed"));
  CHECK(refused_with("t", "ends a list that it did not begin"));
  CHECK(refused_with("h\x07", "refers to a value that it does not contain"));
  CHECK(
      refused_with("K\x01K\x02"
                   "a",
                   "appends to something that is not a list"));
  CHECK(refused_with("K\x01K\x02K\x03s", "sets a key of something that is not a dictionary"));
  CHECK(refused_with("}(K\x01u", "a key without a value"));
  CHECK(refused_with("K\x01)R", "calls something that is not a name"));
  CHECK(refused_with("ctorch\nFloatStorage\n)R", "calls a type of storage"));
  CHECK(refused_with("K\x01Q", "refers to something that is not a tensor storage"));
  CHECK(refused_with("ctorch._utils\n_rebuild_tensor_v2\n)R", "a tensor with an invalid description"));
  CHECK(refused_with(tensor("K\x02K\x01K\x01"), "an invalid shape"));
  CHECK(refused_with(tensor("K\x02(" + std::string(17, 'N') + "t)"), "an invalid shape"));
  CHECK(
      refused_with("X\xff\xff\xff\x7f"
                   "abc",
                   "is truncated"));
  CHECK(
      refused_with("\x8e\xff\xff\xff\xff\xff\xff\xff\xff"
                   "abc",
                   "is truncated"));
}

TEST_CASE("a small file cannot make itself large") {
  // A list of many items, made into an OrderedDict again and again.
  std::string pairs = "](";
  for (int i = 0; i < 20000; ++i) pairs += "NN\x86";
  std::string bomb = "ccollections\nOrderedDict\nq\0"s + pairs + "e\x85q\1" + "R";
  for (int i = 0; i < 2000; ++i) bomb += "h\0h\1R"s;
  CHECK(refused_with(bomb, "has more than 5000000 values"));
  CHECK(refused_with(std::string(5000001, 'N'), "has more than 5000000 values"));
  // What one dictionary holds, given to module after module.
  std::string modules = "c__torch__\nMine\nq\0}("s;
  for (int i = 0; i < 20000; ++i) modules += "NN";
  modules += "uq\1"s;
  for (int i = 0; i < 2000; ++i) modules += "h\0)\x81h\1b"s;
  CHECK(refused_with(modules, "has more than 5000000 values"));
}
