// safetensors files put together by hand, byte by byte, so that a test can make them wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace weft {

// A file with any header and any data.
inline std::string SafetensorsBytes(std::string_view header, std::string_view data) {
  const uint64_t length = header.size();
  std::string bytes(sizeof(length), '\0');
  std::memcpy(bytes.data(), &length, sizeof(length));
  return bytes.append(header).append(data);
}

// "NAME": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, each part as it is to stand there.
inline std::string TensorJson(std::string_view name, std::string_view shape, std::string_view offsets,
                              std::string_view dtype = "F32") {
  std::string json = "\"";
  for (std::string_view part : {name, std::string_view("\":{\"dtype\":\""), dtype, std::string_view("\",\"shape\":"),
                                shape, std::string_view(",\"data_offsets\":"), offsets, std::string_view("}")}) {
    json += part;
  }
  return json;
}

// A file of f32 tensors that are all zero.
inline std::string ZerosFile(std::initializer_list<std::string> tensors, size_t data_bytes) {
  std::string header = "{";
  for (const std::string& tensor : tensors) header += (header.size() > 1 ? "," : "") + tensor;
  return SafetensorsBytes(header + "}", std::string(data_bytes, '\0'));
}

}  // namespace weft
