// + − * / on nodes and numbers, as in the formula.
#pragma once

#include "weft/ops/ops.h"

namespace weft {

inline Node operator+(Node a, Node b) { return Add(a, b); }       // shapes broadcast, as in all of these
inline Node operator-(Node a, Node b) { return Subtract(a, b); }  // a − b
inline Node operator*(Node a, Node b) { return Multiply(a, b); }  // element by element
inline Node operator/(Node a, Node b) { return Divide(a, b); }    // element by element
inline Node operator-(Node a) { return Negate(a); }               // −a

// A number beside a node is a constant of the node's dtype.
inline Node operator+(Node a, double b) { return a + Constant(a.graph(), b, a.dtype()); }
inline Node operator+(double a, Node b) { return Constant(b.graph(), a, b.dtype()) + b; }
inline Node operator-(Node a, double b) { return a - Constant(a.graph(), b, a.dtype()); }
inline Node operator-(double a, Node b) { return Constant(b.graph(), a, b.dtype()) - b; }
inline Node operator*(Node a, double b) { return a * Constant(a.graph(), b, a.dtype()); }
inline Node operator*(double a, Node b) { return Constant(b.graph(), a, b.dtype()) * b; }
inline Node operator/(Node a, double b) { return a / Constant(a.graph(), b, a.dtype()); }
inline Node operator/(double a, Node b) { return Constant(b.graph(), a, b.dtype()) / b; }

}  // namespace weft
