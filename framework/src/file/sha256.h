// SHA-256 (FIPS 180-4): what a file holds, told in 64 digits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

struct evp_md_ctx_st;  // OpenSSL's EVP_MD_CTX

namespace kindred::file {

class Sha256 {
 public:
  Sha256();
  void add(const void* data, std::size_t size);
  /// 64 lower-case hexadecimal digits; nothing can be added any more.
  [[nodiscard]] std::string finish();

 private:
  std::unique_ptr<evp_md_ctx_st, void (*)(evp_md_ctx_st*)> context_;
};

/// Of a file's bytes, as sha256sum prints it. Throws DataError when the file cannot be read.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace kindred::file
