#include "file/sha256.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "file/binary_file.h"
#include "kindred/core/error.h"

namespace kindred::file {
namespace {

/// Nothing here depends on the data: what fails is OpenSSL's set-up, such as a provider without SHA-256.
void require(bool done) {
  if (done) return;
  throw Error("SHA-256: error: OpenSSL cannot compute it; check its configuration (openssl.cnf)");
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::add(const void* data, std::size_t size) {
  require(EVP_DigestUpdate(context_.get(), data, size) == 1);
}

std::string Sha256::finish() {
  std::array<unsigned char, 32> digest{};
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : digest) {
    text += digits[byte >> 4U];
    text += digits[byte & 15U];
  }
  return text;
}

std::string sha256_of_file(const std::filesystem::path& file) {
  BinaryFile source(file);
  std::vector<std::uint8_t> buffer(std::min<std::uint64_t>(source.size(), 1U << 20U));
  Sha256 sum;
  for (std::uint64_t at = 0; at < source.size();) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(source.size() - at, buffer.size()));
    source.read(at, buffer.data(), part);
    sum.add(buffer.data(), part);
    at += part;
  }
  return sum.finish();
}

}  // namespace kindred::file
