// MAT-files of version 5 made by tests (MathWorks, MAT-File Format).
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace kindred::test {

inline std::string mat_number(std::uint64_t value, std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

/// An element of a MAT-file with its head, padded to 8 bytes.
inline std::string mat_element(std::uint32_t type, std::string data) {
  auto text = mat_number(type, 4) + mat_number(data.size(), 4) + data;
  while (text.size() % 8 != 0) text.push_back('\0');
  return text;
}

inline std::string mat_array(std::uint32_t kind, std::size_t rows, const std::string& name,
                             const std::string& data, std::size_t columns = 1) {
  return mat_element(14, mat_element(6, mat_number(kind, 4) + mat_number(0, 4)) +
                             mat_element(5, mat_number(rows, 4) + mat_number(columns, 4)) +
                             mat_element(1, name) + data);
}

/// A column of 16-bit numbers, as the real file has them.
inline std::string mat_numbers(const std::string& name, const std::vector<int>& numbers) {
  std::string data;
  for (const int number : numbers) data += mat_number(static_cast<std::uint64_t>(number), 2);
  if (data.size() <= 4) {  // a small element
    auto small = mat_number(4 | (data.size() << 16), 4) + data;
    small.resize(8, '\0');
    return mat_array(11, numbers.size(), name, small);
  }
  return mat_array(11, numbers.size(), name, mat_element(4, data));
}

inline std::string mat_texts(const std::string& name, const std::vector<std::string>& texts) {
  std::string cells;
  for (const auto& text : texts) {
    std::string data;
    for (const char c : text) data += mat_number(static_cast<unsigned char>(c), 2);
    cells += mat_array(4, 1, "", mat_element(4, data), text.size());
  }
  return mat_array(1, texts.size(), name, cells);
}

inline std::string mat_header() {
  std::string text = "MATLAB 5.0 MAT-file, made by a test";
  text.resize(124, ' ');
  return text + mat_number(0x0100, 2) + "IM";
}

inline std::string mat_compressed(const std::string& element) {
  std::string packed(compressBound(element.size()), '\0');
  uLongf size = packed.size();
  if (compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(element.data()),
               element.size()) != Z_OK) {
    throw std::runtime_error("zlib compresses nothing");
  }
  packed.resize(size);
  return mat_number(15, 4) + mat_number(packed.size(), 4) + packed;  // not padded
}

/// A matrix of 64-bit floats, given row by row.
inline std::string mat_matrix(const std::string& name, const std::vector<std::vector<double>>& rows) {
  std::string data;
  const std::size_t columns = rows.empty() ? 0 : rows.front().size();
  for (std::size_t column = 0; column < columns; ++column) {
    for (const auto& row : rows) {
      const auto* bytes = reinterpret_cast<const char*>(&row.at(column));
      data.append(bytes, sizeof(double));
    }
  }
  return mat_array(6, rows.size(), name, mat_element(9, data), columns);
}

/// A whole file.
inline std::string mat_file(const std::vector<std::string>& variables, bool compressed = false) {
  auto text = mat_header();
  for (const auto& variable : variables) text += compressed ? mat_compressed(variable) : variable;
  return text;
}

}  // namespace kindred::test
