// Which partition a record goes to. Must never change, and must agree with Apache Kafka's default
// partitioner, so that both can write to one topic.
#pragma once

#include <cstdint>
#include <string_view>

namespace millrace::hub {

// MurmurHash2, 32 bits, seed 0x9747b28c (Austin Appleby's algorithm, public domain, in the form
// that Kafka uses: little-endian words).
uint32_t Murmur2(std::string_view bytes);

// The partition, from 0, for a key among `partition_count` (positive).
int32_t PartitionForKey(std::string_view key, int32_t partition_count);

}  // namespace millrace::hub
