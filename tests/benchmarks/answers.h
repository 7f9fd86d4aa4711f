// How a program of ./run bench measures: it says which figures it has, then answers for each that it is asked for, so
// that programs can take turns every tenth of a second. Only the standard library: the peers' programs use it, too.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

// Median time of a run in milliseconds. The first does not count: others had the caches before it.
inline double MedianMilliseconds(const std::function<void()>& run, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  run();
  for (double spent = 0; times.empty() || spent < 1e3 * seconds; spent += times.back()) {
    const Clock::time_point start = Clock::now();
    run();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::ranges::nth_element(times, times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2));
  return times[times.size() / 2];
}

// A name, and what measures it for about so many seconds.
using Figures = std::vector<std::pair<std::string, std::function<double(double)>>>;

// Prints {"version": …, "figures": [names]}, then a number for each line "SECONDS NAME" of the input until that ends.
inline void Answer(const std::string& version, const Figures& figures) {
  std::cout << "{\"version\": \"" << version << "\", \"figures\": [";
  for (size_t i = 0; i < figures.size(); ++i) std::cout << (i > 0 ? ", \"" : "\"") << figures[i].first << '"';
  std::cout << "]}" << std::endl;
  double seconds = 0;
  std::string name;
  while (std::cin >> seconds && std::getline(std::cin >> std::ws, name)) {
    const auto figure = std::ranges::find(figures, name, [](const auto& each) { return each.first; });
    if (figure == figures.end()) return;
    std::cout << figure->second(seconds) << std::endl;
  }
}
