#pragma once
// What a process asks of the machine before it measures.

#include <expected>
#include <string>

namespace millrace::mrload {

// This thread runs on `cpu` alone. The error is a sentence.
std::expected<void, std::string> pin_to(int cpu);
// Soft limit of descriptors up to the hard one.
void raise_descriptor_limit();
// Sleeps end when they should, not 50 us later.
void sleep_precisely();

}  // namespace millrace::mrload
