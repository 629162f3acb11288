// Numbers in the header of a file that may be cut off anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace kindred {

/// Numbers in bytes; all that lies outside is 0. Those of eight bytes that need all 64 bits are negative.
class HeaderBytes {
 public:
  explicit HeaderBytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::int64_t little(std::size_t at, std::size_t count) const {
    std::uint64_t number = 0;
    for (std::size_t i = count; i-- > 0;) number = number << 8U | octet(at + i);
    return static_cast<std::int64_t>(number);
  }
  [[nodiscard]] std::int64_t big(std::size_t at, std::size_t count) const {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < count; ++i) number = number << 8U | octet(at + i);
    return static_cast<std::int64_t>(number);
  }
  [[nodiscard]] std::int64_t byte(std::size_t at) const { return octet(at); }
  [[nodiscard]] std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  [[nodiscard]] std::uint8_t octet(std::size_t at) const { return at < bytes_.size() ? bytes_[at] : 0; }

  std::span<const std::uint8_t> bytes_;
};

}  // namespace kindred
