"""Kafka's murmur2 and its placement by key, written from its definition, to check the hub's."""

MASK = 0xFFFFFFFF
SEED = 0x9747B28C
MIX = 0x5BD1E995


def murmur2(data):
    value = SEED ^ len(data)
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        word = int.from_bytes(data[at:at + 4], "little") * MIX & MASK
        word = (word ^ word >> 24) * MIX & MASK
        value = value * MIX & MASK ^ word
    if tail := data[whole:]:
        value = (value ^ int.from_bytes(tail, "little")) * MIX & MASK
    value = (value ^ value >> 13) * MIX & MASK
    return value ^ value >> 15


def partition_of(key, partition_count):
    return (murmur2(key) & 0x7FFFFFFF) % partition_count
