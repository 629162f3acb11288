#include "file/checksum.h"

#include <boost/crc.hpp>

#include <cstdint>
#include <map>
#include <string>

#include "kindred/core/error.h"
#include "text/number_text.h"

namespace kindred::file {
namespace {

constexpr const char* key = "kindred.crc32";

class Checksum {
 public:
  void add(const void* data, std::size_t size) { crc_.process_bytes(data, size); }
  void add(std::uint64_t number) { add(&number, sizeof number); }
  /// The length first: "ab" + "c" is not "a" + "bc".
  void add(const std::string& text) {
    add(text.size());
    add(text.data(), text.size());
  }
  [[nodiscard]] std::string str() const { return text::hex_digits(crc_.checksum()); }

 private:
  boost::crc_32_type crc_;
};

std::string checksum(const TensorFile& content) {
  Checksum sum;
  for (const auto& [name, text] : content.metadata) {
    if (name == key) continue;
    sum.add(name);
    sum.add(text);
  }
  std::map<std::string, const torch::Tensor*> ordered;
  for (const auto& [name, tensor] : content.tensors) ordered.emplace(name, &tensor);
  for (const auto& [name, tensor] : ordered) {
    sum.add(name);
    sum.add(torch::toString(tensor->scalar_type()));
    sum.add(static_cast<std::uint64_t>(tensor->dim()));
    for (const auto length : tensor->sizes()) sum.add(static_cast<std::uint64_t>(length));
    const auto plain = tensor->detach().to(torch::kCPU).contiguous();
    sum.add(plain.data_ptr(), plain.nbytes());
  }
  return sum.str();
}

}  // namespace

void add_checksum(TensorFile& content) {
  content.metadata[key] = checksum(content);
}

void verify_checksum(const std::filesystem::path& file, const TensorFile& content) {
  const auto found = content.metadata.find(key);
  if (found == content.metadata.end()) return;
  const auto actual = checksum(content);
  if (actual != found->second) {
    throw DataError(file, "is damaged: its checksum is " + actual + ", but was " + found->second +
                              " when it was written");
  }
}

}  // namespace kindred::file
