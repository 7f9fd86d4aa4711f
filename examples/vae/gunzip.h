// Inflates a gzip file while it is read (RFC 1952), as strictly as `gzip --test`.
#pragma once

#include "weft/examples/vae/byte_stream.h"

namespace weft {

/// The content of the gzip file `compressed`, members joined. No more is inflated than is asked for. A read that
/// returns fewer bytes than asked has seen the end of the last member and verified every checksum and length.
/// Reading throws DataError for a stream that ends early, damage, a wrong checksum or length, bytes after the end.
ByteStream Gunzip(ByteStream compressed);

}  // namespace weft
