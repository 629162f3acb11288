#include "file/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <ios>
#include <limits>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>
#include <string_view>

#include "file/atomic_file.h"
#include "file/binary_file.h"
#include "kindred/core/error.h"

static_assert(std::endian::native == std::endian::little, "safetensors files are little-endian");

namespace kindred::file {
namespace {

namespace fs = std::filesystem;

/// The reference implementation's bound: a longer header is an attack or not a header.
constexpr std::uint64_t largest_header = 100'000'000;
constexpr const char* metadata_key = "__metadata__";

struct TypeName {
  const char* name;
  torch::ScalarType type;
};
constexpr std::array<TypeName, 10> type_names{{{"BOOL", torch::kBool},
                                               {"U8", torch::kUInt8},
                                               {"I8", torch::kInt8},
                                               {"I16", torch::kInt16},
                                               {"I32", torch::kInt32},
                                               {"I64", torch::kInt64},
                                               {"F16", torch::kFloat16},
                                               {"BF16", torch::kBFloat16},
                                               {"F32", torch::kFloat32},
                                               {"F64", torch::kFloat64}}};

const TypeName* find_type(torch::ScalarType type) {
  const auto* found = std::find_if(type_names.begin(), type_names.end(),
                                   [&](const TypeName& entry) { return entry.type == type; });
  return found == type_names.end() ? nullptr : found;
}

const TypeName* find_type(std::string_view name) {
  const auto* found = std::find_if(type_names.begin(), type_names.end(),
                                   [&](const TypeName& entry) { return entry.name == name; });
  return found == type_names.end() ? nullptr : found;
}

std::string supported_types() {
  std::vector<std::string> names;
  for (const auto& entry : type_names) names.emplace_back(entry.name);
  return quoted_list(names);
}

struct TensorPlace {
  std::string name;
  const TypeName* type = nullptr;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct Header {
  std::vector<TensorPlace> tensors;  // by offset
  std::map<std::string, std::string> metadata;
  std::uint64_t data_begin = 0;
};

/// Refuses what JSON readers pass in silence: names that come twice, and nesting that no header has.
class StrictJson {
 public:
  explicit StrictJson(const fs::path& file) : file_(file) {}

  bool operator()(int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
    using Event = nlohmann::json::parse_event_t;
    if (depth > 4) throw DataError(file_, "is not a safetensors file: its header is nested too deeply");
    if (event == Event::object_start) keys_.emplace_back();
    if (event == Event::object_end) keys_.pop_back();
    if (event == Event::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(name).second) {
        throw DataError(file_, "is damaged: its header lists '" + name + "' twice");
      }
    }
    return true;
  }

 private:
  const fs::path& file_;
  std::vector<std::set<std::string>> keys_;
};

class HeaderReader {
 public:
  HeaderReader(const fs::path& file, std::uint64_t data_size) : file_(file), data_size_(data_size) {}

  Header read(const std::string& text) {
    const auto json = parse(text);
    Header header;
    for (const auto& [name, value] : json.items()) {
      if (name == metadata_key) {
        header.metadata = metadata(value);
      } else {
        header.tensors.push_back(place(name, value));
      }
    }
    check_layout(header.tensors);
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw DataError(file_, message); }

  [[nodiscard]] nlohmann::json parse(const std::string& text) const {
    nlohmann::json json;
    try {
      StrictJson strict(file_);
      json = nlohmann::json::parse(text, std::ref(strict));
    } catch (const nlohmann::json::exception& error) {
      fail("is not a safetensors file: its header is not JSON (" + std::string(error.what()) + ")");
    }
    if (!json.is_object()) fail("is not a safetensors file: its header is not a JSON object");
    return json;
  }

  [[nodiscard]] std::map<std::string, std::string> metadata(const nlohmann::json& value) const {
    if (!value.is_object()) fail("is damaged: its metadata is not an object of strings");
    std::map<std::string, std::string> result;
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail("is damaged: its metadata '" + key + "' is not a string");
      result.emplace(key, text.get<std::string>());
    }
    return result;
  }

  [[nodiscard]] TensorPlace place(const std::string& name, const nlohmann::json& value) const {
    TensorPlace place;
    place.name = name;
    const auto wrong = [&](const std::string& what) { fail("is damaged: tensor '" + name + "' " + what); };
    if (!value.is_object()) wrong("has an entry that is not an object");
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
      if (!value.contains(key)) wrong("has no '" + std::string(key) + "'");
    }
    const auto& type = value["dtype"];
    if (!type.is_string()) wrong("has a 'dtype' that is not a string");
    place.type = find_type(std::string_view(type.get_ref<const std::string&>()));
    if (place.type == nullptr) {
      fail("tensor '" + name + "' has the unsupported type '" + type.get<std::string>() +
           "'; supported types are " + supported_types());
    }
    const auto& shape = value["shape"];
    if (!shape.is_array()) wrong("has a 'shape' that is not a list");
    std::uint64_t size = torch::elementSize(place.type->type);
    bool too_large = false;
    bool empty = false;
    for (const auto& length : shape) {
      if (!length.is_number_unsigned() ||
          length.get<std::uint64_t>() >
              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        wrong("has the shape " + shape.dump());
      }
      const auto number = length.get<std::uint64_t>();
      place.shape.push_back(static_cast<std::int64_t>(number));
      empty = empty || number == 0;
      too_large = __builtin_mul_overflow(size, std::max<std::uint64_t>(number, 1), &size) || too_large;
    }
    // Lengths that overflow on their own are refused even beside a 0: LibTorch multiplies them for strides.
    if (too_large) wrong("has the shape " + shape.dump() + ", which is too large for any file");
    if (empty) size = 0;
    const auto& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      wrong("has 'data_offsets' that are not two integers");
    }
    place.begin = offsets[0].get<std::uint64_t>();
    place.end = offsets[1].get<std::uint64_t>();
    if (place.begin > place.end) wrong("ends before it begins");
    if (place.end > data_size_) {
      wrong("ends at byte " + std::to_string(place.end) + " of the data, which has only " +
            std::to_string(data_size_) + " bytes: the file is truncated");
    }
    if (place.end - place.begin != size) {
      wrong("has " + std::to_string(place.end - place.begin) + " bytes, but " + place.type->name + " " +
            shape.dump() + " needs " + std::to_string(size));
    }
    return place;
  }

  void check_layout(std::vector<TensorPlace>& places) const {
    std::stable_sort(places.begin(), places.end(), [](const TensorPlace& a, const TensorPlace& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t position = 0;
    std::string before = "the beginning";
    for (const auto& place : places) {
      if (place.begin < position)
        fail("is damaged: tensors '" + before + "' and '" + place.name + "' overlap");
      if (place.begin > position) {
        fail("is damaged: " + std::to_string(place.begin - position) + " bytes before tensor '" + place.name +
             "' belong to no tensor");
      }
      position = place.end;
      before = place.name;
    }
    if (position != data_size_) {
      fail("is damaged: the last " + std::to_string(data_size_ - position) + " bytes belong to no tensor");
    }
  }

  const fs::path& file_;
  std::uint64_t data_size_;
};

Header read_header(BinaryFile& source) {
  const auto& file = source.file();
  const auto file_size = source.size();
  if (file_size < 8) {
    throw DataError(file, "is not a safetensors file: it has only " + std::to_string(file_size) + " bytes");
  }
  std::uint64_t length = 0;
  source.read(0, &length, sizeof length);
  if (length > largest_header || length > file_size - 8) {
    throw DataError(file, "is not a safetensors file, or is truncated: its header should have " +
                              std::to_string(length) + " bytes, but the file has " +
                              std::to_string(file_size));
  }
  std::string text(length, '\0');
  source.read(8, text.data(), length);
  Header header = HeaderReader(file, file_size - 8 - length).read(text);
  header.data_begin = 8 + length;
  return header;
}

}  // namespace

const torch::Tensor* TensorFile::find(const std::string& name) const {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& entry) { return entry.first == name; });
  return found == tensors.end() ? nullptr : &found->second;
}

void write_safetensors(const fs::path& file, const TensorFile& content) {
  std::vector<const std::pair<std::string, torch::Tensor>*> order;
  std::set<std::string> names;
  for (const auto& entry : content.tensors) {
    const auto& [name, tensor] = entry;
    if (name == metadata_key) throw DataError(file, "a tensor cannot be named '" + name + "'");
    if (!names.insert(name).second) throw DataError(file, "two tensors are named '" + name + "'");
    if (!tensor.defined()) throw DataError(file, "tensor '" + name + "' has no value");
    if (tensor.layout() != torch::kStrided || find_type(tensor.scalar_type()) == nullptr) {
      throw DataError(file, "tensor '" + name +
                                "' has a type that safetensors does not support; supported types are " +
                                supported_types());
    }
    order.push_back(&entry);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return a->second.element_size() > b->second.element_size();
  });

  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!content.metadata.empty()) header[metadata_key] = content.metadata;
  std::uint64_t offset = 0;
  for (const auto* entry : order) {
    const auto& tensor = entry->second;
    const std::uint64_t size = tensor.nbytes();
    header[entry->first] = {{"dtype", find_type(tensor.scalar_type())->name},
                            {"shape", tensor.sizes().vec()},
                            {"data_offsets", {offset, offset + size}}};
    offset += size;
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::json::exception&) {
    throw DataError(file, "cannot be written: a name or a metadata string is not valid UTF-8");
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');

  write_atomically(file, [&](std::ostream& stream) {
    const std::uint64_t length = text.size();
    stream.write(reinterpret_cast<const char*>(&length), sizeof length);
    stream.write(text.data(), static_cast<std::streamsize>(length));
    for (const auto* entry : order) {
      const auto tensor = entry->second.detach().to(torch::kCPU).contiguous();
      stream.write(static_cast<const char*>(tensor.data_ptr()),
                   static_cast<std::streamsize>(tensor.nbytes()));
    }
  });
}

TensorFile read_safetensors(const fs::path& file) {
  BinaryFile source(file);
  Header header = read_header(source);
  TensorFile content;
  content.metadata = std::move(header.metadata);
  for (const auto& place : header.tensors) {
    auto tensor = torch::empty(place.shape, torch::TensorOptions(place.type->type));
    source.read(header.data_begin + place.begin, tensor.data_ptr(), place.end - place.begin);
    if (place.type->type == torch::kBool) {
      const auto* bytes = static_cast<const std::uint8_t*>(tensor.data_ptr());
      if (std::any_of(bytes, bytes + tensor.numel(), [](std::uint8_t byte) { return byte > 1; })) {
        throw DataError(file, "is damaged: tensor '" + place.name +
                                  "' has type BOOL but contains values other than 0 and 1");
      }
    }
    content.tensors.emplace_back(place.name, std::move(tensor));
  }
  return content;
}

std::map<std::string, std::string> read_safetensors_metadata(const fs::path& file) {
  BinaryFile source(file);
  return read_header(source).metadata;
}

}  // namespace kindred::file
