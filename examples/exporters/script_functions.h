// What scripts are made of: functions over typed arrays that all exported scripts share. `c` is the result, which is
// new and has its length.
#pragma once

#include <string_view>

namespace weft {

inline constexpr std::string_view kScriptFunctions = R"js(
// The bytes of numbers that lie in the script.
const bytes = (text) => {
  const letters = atob(text), numbers = new Uint8Array(letters.length);
  for (let i = 0; i < numbers.length; ++i) numbers[i] = letters.charCodeAt(i);
  return numbers.buffer;
};

const input = (inputs, name, count) => {
  const value = inputs[name];
  if (value === undefined || value.length !== count)
    throw new Error(`${name}: got ${value === undefined ? "nothing" : value.length + " numbers"}, expected ${count}`);
  return value;
};

// `a` with other strides, one an axis of these lengths.
const read = (c, a, lengths, strides, offset) => {
  const index = new Array(lengths.length).fill(0);
  let from = offset;
  for (let i = 0; i < c.length; ++i) {
    c[i] = a[from];
    for (let axis = lengths.length - 1; axis >= 0; --axis) {
      from += strides[axis];
      if (++index[axis] < lengths[axis]) break;
      from -= strides[axis] * lengths[axis];
      index[axis] = 0;
    }
  }
  return c;
};

// Of [outer, length, inner] the axis in the middle, in order.
const fold = (c, a, length, inner, start, join) => {
  for (let i = 0; i < c.length; ++i) {
    const first = Math.floor(i / inner) * length * inner + i % inner;
    let value = start;
    for (let k = 0; k < length; ++k) value = join(value, a[first + k * inner]);
    c[i] = value;
  }
  return c;
};

// Rows of `widths[p]` elements of each part, one behind the other.
const concatenate = (c, parts, widths) => {
  for (let row = 0, at = 0; at < c.length; ++row) {
    for (let p = 0; p < parts.length; at += widths[p++])
      c.set(parts[p].subarray(row * widths[p], (row + 1) * widths[p]), at);
  }
  return c;
};

// c[i, j] = Σₖ a[i, k] · b[k, j], the strides of i, k and k, j as given. Sums are f64. The inner loop goes along rows of b,
// four at a time, so that a sum is read and written a quarter as often.
const multiply = (c, a, b, depth, columns, aRow, aColumn, bRow, bColumn, rows) => {
  const sums = new Float64Array(columns);
  for (let i = 0; i < rows; ++i) {
    sums.fill(0);
    let k = 0, at = i * aRow;
    for (; k + 4 <= depth; k += 4, at += 4 * aColumn) {
      const a0 = a[at], a1 = a[at + aColumn], a2 = a[at + 2 * aColumn], a3 = a[at + 3 * aColumn];
      for (let j = 0, from = k * bRow; j < columns; ++j, from += bColumn)
        sums[j] += a0 * b[from] + a1 * b[from + bRow] + a2 * b[from + 2 * bRow] + a3 * b[from + 3 * bRow];
    }
    for (; k < depth; ++k, at += aColumn) {
      for (let j = 0, from = k * bRow; j < columns; ++j, from += bColumn) sums[j] += a[at] * b[from];
    }
    c.set(sums, i * columns);
  }
  return c;
};

// 2/√π · e^−x² · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)): no term is of another sign.
const erf = (x) => {
  if (!(Math.abs(x) <= 6)) return Math.sign(x);
  let sum = 0;
  for (let term = x, n = 1; sum + term !== sum; term *= 2 * x * x / (2 * n++ + 1)) sum += term;
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
};

// The integer part, NaN as 0 and what is out of range as the nearest end.
const whole = (x) => Number.isNaN(x) ? 0n : x >= 2 ** 63 ? 2n ** 63n - 1n : x < -(2 ** 63) ? -(2n ** 63n) : BigInt(Math.trunc(x));
)js";

}  // namespace weft
