#include "kindred/text/mat_file.h"

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "kindred/core/error.h"
#include "kindred/text/text_file.h"

namespace kindred {
namespace {

constexpr std::size_t most_bytes = std::size_t{64} << 20;
constexpr std::size_t header_bytes = 128;
constexpr double largest_exact = 9007199254740992.0;  // 2^53

enum ElementType : std::uint32_t {
  int8 = 1,
  uint8 = 2,
  int16 = 3,
  uint16 = 4,
  int32 = 5,
  uint32 = 6,
  single_precision = 7,
  double_precision = 9,
  int64 = 12,
  uint64 = 13,
  matrix = 14,
  compressed = 15,
  utf8 = 16,
};

enum ArrayClass : std::uint32_t { cell_class = 1, char_class = 4, first_numeric = 6, last_numeric = 15 };

struct Element {
  std::uint32_t type = 0;
  std::string_view data;
};

class Parser {
 public:
  explicit Parser(std::filesystem::path file) : file_(std::move(file)) {}

  void read(std::string_view text, MatVariables& variables) const {
    std::size_t room = most_bytes;  // for all that is compressed together
    while (!text.empty()) {
      const auto element = next(text);
      if (element.type == compressed) {
        const std::string inflated = inflate_all(element.data, room);
        room -= inflated.size();
        std::string_view rest(inflated);
        add(next(rest), variables);
      } else {
        add(element, variables);
      }
    }
  }

  [[nodiscard]] DataError damaged(const std::string& what) const {
    return DataError(file_, "is damaged: " + what + "; download it again");
  }

 private:
  /// Takes the next element away. Elements begin at multiples of 8 bytes, but for compressed ones.
  [[nodiscard]] Element next(std::string_view& text) const {
    if (text.size() < 8) throw damaged("it ends within the head of an element");
    const auto first = value_at<std::uint32_t>(text, 0);
    Element element;
    if (const auto small = first >> 16; small != 0) {  // type and data in 8 bytes
      if (small > 4) throw damaged("a small element has more than 4 bytes");
      element = {first & 0xFFFFU, text.substr(4, small)};
      text.remove_prefix(8);
      return element;
    }
    const std::size_t size = value_at<std::uint32_t>(text, 4);
    text.remove_prefix(8);
    if (size > text.size()) throw damaged("an element is longer than what is left of the file");
    element = {first, text.substr(0, size)};
    const std::size_t padded = first == compressed ? size : (size + 7) / 8 * 8;
    text.remove_prefix(std::min(padded, text.size()));
    return element;
  }

  template <class T>
  [[nodiscard]] static T value_at(std::string_view text, std::size_t offset) {
    T value{};
    std::memcpy(&value, text.data() + offset, sizeof(T));
    return value;
  }

  void add(const Element& element, MatVariables& variables) const {
    if (element.type != matrix) throw damaged("an element is of type " + std::to_string(element.type));
    auto rest = element.data;
    const auto flags = next(rest);
    if (flags.type != uint32 || flags.data.size() != 8) throw damaged("an array has no flags");
    const auto kind = value_at<std::uint32_t>(flags.data, 0) & 0xFFU;
    const auto shape = shape_of(next(rest));
    const std::string name(next(rest).data);
    if (kind == cell_class) {
      if (auto texts = cells_of(rest, shape.rows * shape.columns)) variables.texts[name] = std::move(*texts);
    } else if (kind >= first_numeric && kind <= last_numeric) {
      if (auto numbers = numbers_of(next(rest))) {
        if (numbers->size() != shape.rows * shape.columns) {
          throw damaged("'" + name + "' has another size than its data");
        }
        variables.numbers[name] = {shape.rows, shape.columns, std::move(*numbers)};
      }
    }
  }

  struct Shape {
    std::size_t rows = 0;
    std::size_t columns = 1;
  };

  /// All dimensions but the first are columns.
  [[nodiscard]] Shape shape_of(const Element& dimensions) const {
    const auto sizes = dimensions.type == int32 ? numbers_of(dimensions) : std::nullopt;
    if (!sizes || sizes->size() < 2) throw damaged("an array has no dimensions");
    for (const auto size : *sizes) {
      if (size < 0 || static_cast<std::size_t>(size) > most_bytes) {
        throw damaged("an array is larger than the file can hold");
      }
    }
    Shape shape{static_cast<std::size_t>(sizes->front())};
    for (std::size_t i = 1; i < sizes->size(); ++i) {
      const auto size = static_cast<std::size_t>((*sizes)[i]);
      if (size > 0 && shape.columns > most_bytes / size) {
        throw damaged("an array is larger than the file can hold");
      }
      shape.columns *= size;
    }
    if (shape.columns > 0 && shape.rows > most_bytes / shape.columns) {
      throw damaged("an array is larger than the file can hold");
    }
    return shape;
  }

  /// Nothing when some cell is not a text.
  [[nodiscard]] std::optional<std::vector<std::string>> cells_of(std::string_view rest,
                                                                 std::size_t count) const {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < count; ++i) {
      const auto cell = next(rest);
      if (cell.type != matrix) throw damaged("a cell is not an array");
      auto inner = cell.data;
      if (inner.empty()) return std::nullopt;
      const auto flags = next(inner);
      if (flags.data.size() != 8) throw damaged("a cell has no flags");
      if ((value_at<std::uint32_t>(flags.data, 0) & 0xFFU) != char_class) return std::nullopt;
      static_cast<void>(next(inner));  // dimensions: a row of characters
      static_cast<void>(next(inner));  // the name, which is empty
      texts.push_back(text_of(next(inner)));
    }
    return texts;
  }

  [[nodiscard]] std::string text_of(const Element& element) const {
    if (element.type == int8 || element.type == uint8 || element.type == utf8) {
      return std::string(element.data);
    }
    const auto characters = element.type == uint16 ? numbers_of(element) : std::nullopt;
    if (!characters) throw damaged("a text is of type " + std::to_string(element.type));
    std::string text;
    for (const auto character : *characters) {
      if (character < 1 || character > 126) throw damaged("a text has a character that is not ASCII");
      text.push_back(static_cast<char>(character));
    }
    return text;
  }

  /// Nothing when some number is not whole.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> numbers_of(const Element& element) const {
    switch (element.type) {
      case int8:
        return all<std::int8_t>(element.data);
      case uint8:
        return all<std::uint8_t>(element.data);
      case int16:
        return all<std::int16_t>(element.data);
      case uint16:
        return all<std::uint16_t>(element.data);
      case int32:
        return all<std::int32_t>(element.data);
      case uint32:
        return all<std::uint32_t>(element.data);
      case single_precision:
        return all<float>(element.data);
      case double_precision:
        return all<double>(element.data);
      case int64:
        return all<std::int64_t>(element.data);
      case uint64:
        return all<std::uint64_t>(element.data);
      default:
        throw damaged("numbers are of type " + std::to_string(element.type));
    }
  }

  template <class T>
  [[nodiscard]] std::optional<std::vector<std::int64_t>> all(std::string_view data) const {
    if (data.size() % sizeof(T) != 0) throw damaged("an array ends within a number");
    std::vector<std::int64_t> numbers;
    numbers.reserve(data.size() / sizeof(T));
    for (std::size_t at = 0; at < data.size(); at += sizeof(T)) {
      const T value = value_at<T>(data, at);
      const auto number = static_cast<double>(value);
      if (!(std::abs(number) <= largest_exact) || number != std::floor(number)) return std::nullopt;
      numbers.push_back(static_cast<std::int64_t>(value));
    }
    return numbers;
  }

  [[nodiscard]] std::string inflate_all(std::string_view data, std::size_t room) const {
    std::string text;
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) throw damaged("it cannot be unpacked");
    std::string input(data);
    stream.next_in = reinterpret_cast<Bytef*>(input.data());
    stream.avail_in = static_cast<uInt>(input.size());
    std::vector<char> piece(std::size_t{1} << 16);
    int state = Z_OK;
    while (state == Z_OK && text.size() <= room) {
      stream.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream.avail_out = static_cast<uInt>(piece.size());
      state = inflate(&stream, Z_NO_FLUSH);
      text.append(piece.data(), piece.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    if (text.size() > room) throw damaged("its variables are larger than 64 MB");
    if (state != Z_STREAM_END) throw damaged("a compressed variable cannot be unpacked");
    return text;
  }

  std::filesystem::path file_;
};

}  // namespace

MatVariables read_mat_file(const std::filesystem::path& file) {
  if (const auto why = why_not_a_file(file); !why.empty()) throw DataError(file, why);
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  if (failure || size > most_bytes) {
    throw DataError(file,
                    "is larger than 64 MB, the most that is read of a MAT-file: the lists of data sets "
                    "are smaller; give the file of the list, not one that holds images");
  }
  std::ifstream in(file, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) throw DataError(file, "cannot be read");
  if (bytes.starts_with("MATLAB 7.3")) {
    throw DataError(file, "is a MAT-file of version 7.3 (HDF5); save it with MATLAB's option -v7");
  }
  if (bytes.size() < header_bytes || !bytes.starts_with("MATLAB 5.0 MAT-file")) {
    throw DataError(file, "is not a MAT-file of version 5; download it again");
  }
  if (bytes.compare(126, 2, "IM") != 0) {
    throw DataError(file, "is of a machine with another byte order; save it again on this one");
  }
  MatVariables variables;
  Parser(file).read(std::string_view(bytes).substr(header_bytes), variables);
  return variables;
}

}  // namespace kindred
