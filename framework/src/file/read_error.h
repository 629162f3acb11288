// A file that is there and cannot be read.
#pragma once

#include "kindred/core/error.h"

namespace kindred::file {

/// The system does not let a file be read: no permission, a failing disk, too many open files. Other
/// DataErrors speak of what a file holds; this one says nothing about it. Whoever can do without a damaged
/// file must not do without this one, which may be whole, and may be readable in a moment.
class ReadError : public DataError {
 public:
  using DataError::DataError;
  ReadError(const ReadError&) = default;
  ~ReadError() override;
};

}  // namespace kindred::file
