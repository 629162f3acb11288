#include "file/npy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <optional>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "file/atomic_file.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are read and written in memory order");

constexpr std::string_view magic = "\x93NUMPY";
/// Real headers take 128 bytes; more than this is not a header.
constexpr std::int64_t longest_header = 1 << 20;
constexpr std::size_t most_dimensions = 32;

/// The first name of a type is the one that is written. NumPy has no bfloat16: ml_dtypes saves it as '<V2',
/// and NumPy alone, which sees 2 bytes of anything, as '|V2'.
constexpr std::array<std::pair<std::string_view, torch::ScalarType>, 7> types = {{
    {"<f2", torch::kHalf},
    {"<f4", torch::kFloat},
    {"<f8", torch::kDouble},
    {"<i4", torch::kInt},
    {"<i8", torch::kLong},
    {"<V2", torch::kBFloat16},
    {"|V2", torch::kBFloat16},
}};

struct NpyHeader {
  torch::ScalarType type = torch::kFloat;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

/// Reads the header's Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(const std::filesystem::path& file, std::string_view text) : file_(file), text_(text) {}

  NpyHeader parse() {
    expect('{');
    while (!take('}')) {
      const auto key = quoted();
      expect(':');
      if (key == "descr" && !type_) {
        type_ = element_type();
      } else if (key == "fortran_order" && !fortran_order_) {
        fortran_order_ = truth();
      } else if (key == "shape" && !shape_) {
        shape_ = tuple();
      } else {
        fail("the key '" + std::string(key) + "' is " +
             (key == "descr" || key == "fortran_order" || key == "shape" ? "repeated" : "unknown"));
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (at_ != text_.size()) fail("text after the closing '}'");
    if (!type_ || !fortran_order_ || !shape_) fail("one of 'descr', 'fortran_order' and 'shape' is missing");
    return {*type_, *fortran_order_, *shape_};
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(file_, "the header of the array is damaged: " + what + " (byte " + std::to_string(at_) +
                               " of the header); write the file again with numpy.save");
  }
  [[noreturn]] void refuse_type(const std::string& what) const {
    throw DataError(file_, "the array is of type " + what +
                               "; supported types are '<f2', '<f4', '<f8', '<i4', '<i8' and '<V2' "
                               "(bfloat16); save it with numpy.save(file, array.astype('<f4'))");
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail(std::string("expected '") + c + "'");
  }
  bool take_word(std::string_view word) {
    skip_space();
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  std::string_view quoted() {
    skip_space();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) fail("expected a quoted string");
    const char quote = text_[at_++];
    const auto end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail("a quote is not closed");
    const auto result = text_.substr(at_, end - at_);
    at_ = end + 1;
    return result;
  }

  torch::ScalarType element_type() {
    skip_space();
    if (at_ < text_.size() && text_[at_] == '[') refuse_type("'record' (named fields)");
    const auto name = quoted();
    for (const auto& [known, type] : types) {
      if (name == known) return type;
    }
    if (name.find('O') != std::string_view::npos) refuse_type("'object' (pickled Python objects)");
    refuse_type("'" + std::string(name) + "'" + (name.starts_with('>') ? " (big-endian)" : ""));
  }

  bool truth() {
    if (take_word("True")) return true;
    if (take_word("False")) return false;
    fail("'fortran_order' is neither True nor False");
  }

  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!take(')')) {
      if (shape.size() == most_dimensions) fail("the shape has more than 32 dimensions");
      shape.push_back(dimension());
      if (!take(',')) {
        // Without a comma, "(3)" is a number and no tuple in Python.
        if (shape.size() == 1) fail("the shape is not a tuple");
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::int64_t dimension() {
    skip_space();
    const auto begin = at_;
    std::int64_t value = 0;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, text_[at_] - '0', &value)) {
        fail("a dimension of the shape is too large");
      }
      ++at_;
    }
    if (at_ == begin) fail("the shape contains something other than integers from 0");
    return value;
  }

  const std::filesystem::path& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<torch::ScalarType> type_;
  std::optional<bool> fortran_order_;
  std::optional<std::vector<std::int64_t>> shape_;
};

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

/// Elements of all dimensions from `first_dimension` on; nothing when there are too many to count, also
/// beside a 0: LibTorch multiplies the others for strides.
std::optional<std::int64_t> product(const std::vector<std::int64_t>& shape, std::size_t first_dimension) {
  std::int64_t result = 1;
  bool empty = false;
  for (std::size_t i = first_dimension; i < shape.size(); ++i) {
    empty = empty || shape[i] == 0;
    if (__builtin_mul_overflow(result, std::max<std::int64_t>(shape[i], 1), &result)) return std::nullopt;
  }
  return empty ? 0 : result;
}

}  // namespace

NpyReader::NpyReader(std::filesystem::path file) : file_(std::move(file)) {
  struct Closer {  // the destructor does not run when the constructor throws
    int* descriptor;
    ~Closer() {
      if (descriptor != nullptr && *descriptor >= 0) ::close(*descriptor);
    }
  } closer{&descriptor_};

  // Without O_NONBLOCK the opening of a named pipe would wait for ever.
  descriptor_ = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor_ < 0) throw DataError(file_, "cannot be opened: " + std::generic_category().message(errno));
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) {
    throw DataError(file_, "cannot be inspected: " + std::generic_category().message(errno));
  }
  if (!S_ISREG(status.st_mode)) throw DataError(file_, "is not a regular file");
  const std::int64_t size = status.st_size;

  std::array<unsigned char, 12> start{};
  const auto start_size = std::min<std::int64_t>(size, start.size());
  read_at(0, start.data(), start_size);
  const std::string_view begin(reinterpret_cast<const char*>(start.data()), start_size);
  if (!begin.starts_with(magic)) {
    throw DataError(
        file_, size == 0 ? std::string("is empty")
               : begin.starts_with("PK")
                   ? "is a .npz archive, not a .npy array; save a single array with numpy.save"
                   : "is not a .npy array (it does not begin with \\x93NUMPY); write it with numpy.save");
  }
  if (size < 12) throw DataError(file_, "is truncated within its header");
  const int version = start[6];
  if (version < 1 || version > 3) {
    throw DataError(file_, "has .npy format version " + std::to_string(version) + "." +
                               std::to_string(start[7]) + "; supported are versions 1 to 3");
  }
  const std::int64_t length_bytes = version == 1 ? 2 : 4;
  std::int64_t header_length = 0;
  for (std::int64_t i = length_bytes; i-- > 0;) header_length = header_length << 8 | start[8 + i];
  if (header_length > longest_header) {
    throw DataError(file_, "is damaged: its header claims " + std::to_string(header_length) + " bytes");
  }
  data_offset_ = 8 + length_bytes + header_length;
  if (data_offset_ > size) throw DataError(file_, "is truncated within its header");
  std::string text(static_cast<std::size_t>(header_length), '\0');
  read_at(8 + length_bytes, text.data(), header_length);
  const auto header = HeaderParser(file_, text).parse();

  shape_ = header.shape;
  type_ = header.type;
  fortran_order_ = header.fortran_order;
  const auto elements = product(shape_, 0);
  const auto row_elements = product(shape_, 1);
  std::int64_t bytes = 0;
  if (!elements || !row_elements ||
      __builtin_mul_overflow(*elements, static_cast<std::int64_t>(torch::elementSize(type_)), &bytes)) {
    throw DataError(file_, "is damaged: its shape " + shape_text(shape_) + " is impossibly large");
  }
  row_elements_ = *row_elements;
  if (bytes != size - data_offset_) {
    throw DataError(file_, std::string(bytes > size - data_offset_ ? "is truncated" : "is too long") +
                               ": its shape " + shape_text(shape_) + " needs " + std::to_string(bytes) +
                               " bytes of data, but the file has " + std::to_string(size - data_offset_));
  }
  closer.descriptor = nullptr;
}

NpyReader::NpyReader(NpyReader&& other) noexcept
    : file_(std::move(other.file_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      shape_(std::move(other.shape_)),
      type_(other.type_),
      fortran_order_(other.fortran_order_),
      data_offset_(other.data_offset_),
      row_elements_(other.row_elements_) {}

NpyReader& NpyReader::operator=(NpyReader&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(shape_, other.shape_);
  std::swap(type_, other.type_);
  std::swap(fortran_order_, other.fortran_order_);
  std::swap(data_offset_, other.data_offset_);
  std::swap(row_elements_, other.row_elements_);
  return *this;
}

NpyReader::~NpyReader() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void NpyReader::read_at(std::int64_t offset, void* data, std::int64_t bytes) const {
  auto* to = static_cast<char*>(data);
  while (bytes > 0) {
    const auto got = ::pread(descriptor_, to, static_cast<std::size_t>(bytes), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw DataError(file_, "cannot be read: " + std::generic_category().message(errno));
    if (got == 0) throw DataError(file_, "was truncated while it was read");
    to += got;
    offset += got;
    bytes -= got;
  }
}

torch::Tensor NpyReader::rows(std::int64_t first, std::int64_t last) const {
  if (shape_.empty() || first < 0 || first > last || last > shape_[0]) {
    throw std::logic_error("NpyReader::rows: invalid range");
  }
  auto shape = shape_;
  shape[0] = last - first;
  const auto item = static_cast<std::int64_t>(torch::elementSize(type_));
  if (!fortran_order_) {
    auto result = torch::empty(shape, type_);
    read_at(data_offset_ + first * row_elements_ * item, result.data_ptr(), result.numel() * item);
    return result;
  }
  // In Fortran order the first dimension runs fastest: the range is one piece of every column.
  std::vector<std::int64_t> reversed(shape.rbegin(), shape.rend());
  auto result = torch::empty(reversed, type_);
  auto* data = static_cast<char*>(result.data_ptr());
  const auto piece = (last - first) * item;
  for (std::int64_t column = 0; column < row_elements_ && piece > 0; ++column) {
    read_at(data_offset_ + (column * shape_[0] + first) * item, data + column * piece, piece);
  }
  std::vector<std::int64_t> order(shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  return result.permute(order).contiguous();
}

torch::Tensor NpyReader::all() const {
  if (!shape_.empty()) return rows(0, shape_[0]);
  auto result = torch::empty({}, type_);
  read_at(data_offset_, result.data_ptr(), static_cast<std::int64_t>(torch::elementSize(type_)));
  return result;
}

torch::Tensor read_npy(const std::filesystem::path& file) {
  return NpyReader(file).all();
}

void write_npy(const std::filesystem::path& file, const std::vector<std::int64_t>& shape,
               torch::ScalarType type, std::int64_t rows_at_a_time,
               const std::function<torch::Tensor(std::int64_t first, std::int64_t last)>& rows) {
  const auto known =
      std::find_if(types.begin(), types.end(), [&](const auto& entry) { return entry.second == type; });
  if (known == types.end()) throw std::logic_error("write_npy: a tensor of a type that has no .npy name");

  std::string header = "{'descr': '" + std::string(known->first) +
                       "', 'fortran_order': False, 'shape': " + shape_text(shape) + ", }";
  const std::size_t unpadded = magic.size() + 4 + header.size() + 1;
  header.append((64 - unpadded % 64) % 64, ' ');  // the data begins at a multiple of 64 bytes
  header += '\n';
  const auto count = shape.empty() ? 1 : shape.front();
  write_atomically(file, [&](std::ostream& out) {
    out << magic << '\x01' << '\0' << static_cast<char>(header.size() & 0xFF)
        << static_cast<char>(header.size() >> 8) << header;
    for (std::int64_t first = 0; first < count; first += rows_at_a_time) {
      const auto last = std::min(first + rows_at_a_time, count);
      const auto data = rows(first, last).detach().to(torch::kCPU).contiguous();
      if (data.scalar_type() != type) throw std::logic_error("write_npy: rows of another type");
      out.write(static_cast<const char*>(data.data_ptr()),
                data.numel() * static_cast<std::int64_t>(data.element_size()));
    }
  });
}

void write_npy(const std::filesystem::path& file, const torch::Tensor& tensor) {
  const auto whole = tensor.dim() == 0 ? std::int64_t{1} : std::max<std::int64_t>(1, tensor.size(0));
  write_npy(file, tensor.sizes().vec(), tensor.scalar_type(), whole,
            [&](std::int64_t, std::int64_t) { return tensor; });
}

}  // namespace kindred::file
